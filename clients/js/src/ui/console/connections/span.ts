/** How long something lasted, in its largest unit: "3 min", "2 h". */
import { preferences } from "../../words/preferences.svelte.js";

const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]] as const;

export function spanOf(from: string, to: string): string {
  const seconds = Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1_000));
  const [unit, size] = UNITS.find(([, one]) => seconds >= one) ?? (["second", 1] as const);
  return new Intl.NumberFormat(preferences.locale, { style: "unit", unit, unitDisplay: "short" }).format(Math.floor(seconds / size));
}
