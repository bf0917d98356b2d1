/**
 * Texts in both languages, beside what shows them: `const w = words({ en: {…}, pt: {…} })`, and `w().title` in a
 * component follows the reader's choice. The Portuguese has to have exactly what the English has; the compiler says so.
 */
import { type Language, preferences } from "./preferences.svelte.js";

type Said = string | ((...facts: never[]) => string) | { readonly [name: string]: Said };
/** The same names, and functions of the same facts; texts of their own. */
type Same<Texts> = {
  readonly [Name in keyof Texts]: Texts[Name] extends string
    ? string
    : Texts[Name] extends (...facts: infer Facts) => string
      ? (...facts: Facts) => string
      : Same<Texts[Name]>;
};

export function words<const Texts extends { readonly [name: string]: Said }>(both: {
  readonly en: Texts;
  readonly pt: Same<Texts>;
}): () => Same<Texts> {
  // Not to be proved of names that are not known yet.
  const found = both as unknown as Readonly<Record<Language, Same<Texts>>>;
  return () => found[preferences.language];
}
