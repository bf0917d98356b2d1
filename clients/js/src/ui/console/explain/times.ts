/** Times on a line: to the thousandth of a second, because what follows from what is seen there. */
import { dayHeading } from "../../words/figures.js";
import { preferences } from "../../words/preferences.svelte.js";

export function clockTo(at: string): string {
  return new Date(at).toLocaleTimeString(preferences.locale, { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });
}

export function dayOf(at: string): string {
  return dayHeading(at);
}
