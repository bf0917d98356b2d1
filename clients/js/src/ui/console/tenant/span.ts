/** Seconds as people say them: whole days, hours or minutes where they are whole. */
import { count } from "../../words/figures.js";
import { tenantWords } from "./words.js";

export function spanOf(seconds: number): string {
  const w = tenantWords();
  if (seconds > 0 && seconds % 86_400 === 0) return w.days(count(seconds / 86_400));
  if (seconds > 0 && seconds % 3_600 === 0) return w.hours(count(seconds / 3_600));
  if (seconds > 0 && seconds % 60 === 0) return w.minutes(count(seconds / 60));
  return w.seconds(count(seconds));
}
