/** Money, moments and spans as people write them. Money is an integer of minor units and stays one. */
import { preferences } from "./preferences.svelte.js";

const kept = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

function numbers(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  return keep("n", options, () => new Intl.NumberFormat(preferences.locale, options));
}

function moments(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return keep("d", options, () => new Intl.DateTimeFormat(preferences.locale, options));
}

/** Formatters are dear to make, and a list asks for the same one a thousand times. */
function keep<Format extends Intl.NumberFormat | Intl.DateTimeFormat>(sort: string, options: object, make: () => Format): Format {
  const key = sort + preferences.locale + JSON.stringify(options);
  const known = kept.get(key);
  if (known !== undefined) return known as Format;
  const made = make();
  kept.set(key, made);
  return made;
}

/** How many decimals the currency has: two for BRL, none for JPY (ISO 4217, as Intl knows it). */
export function decimalsOf(currency: string): number {
  return numbers({ style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2;
}

/** R$ 1.234,56. Exact up to what an integer holds: Intl is given the decimal text, no binary fraction. */
export function money(amount: number, currency: string, sign: "auto" | "always" | "never" = "auto"): string {
  const options: Intl.NumberFormatOptions = { style: "currency", currency, signDisplay: sign === "always" ? "exceptZero" : sign };
  return numbers(options).format(decimalText(amount, decimalsOf(currency)) as Intl.StringNumericLiteral);
}

/** The parts, to set the symbol smaller than the figures. */
export function moneyParts(amount: number, currency: string): { symbol: string; figures: string; isNegative: boolean } {
  const parts = numbers({ style: "currency", currency, signDisplay: "never" }).formatToParts(
    decimalText(Math.abs(amount), decimalsOf(currency)) as Intl.StringNumericLiteral,
  );
  const symbol = parts.find((part) => part.type === "currency")?.value ?? currency;
  const figures = parts.filter((part) => part.type !== "currency" && part.type !== "literal").map((part) => part.value);
  return { symbol, figures: figures.join(""), isNegative: amount < 0 };
}

/** 123456 with two decimals: "1234.56". */
export function decimalText(amount: number, decimals: number): string {
  const digits = Math.abs(amount).toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const text = decimals === 0 ? whole : `${whole}.${digits.slice(-decimals)}`;
  return amount < 0 ? `-${text}` : text;
}

export function count(value: number): string {
  return numbers({}).format(value);
}

export function percent(share: number): string {
  return numbers({ style: "percent", maximumFractionDigits: 1 }).format(share);
}

/** 14:05 */
export function clock(at: string | number | Date): string {
  return moments({ hour: "2-digit", minute: "2-digit" }).format(new Date(at));
}

/** 26 de nov. */
export function day(at: string | number | Date): string {
  const date = new Date(at);
  const isThisYear = date.getFullYear() === new Date().getFullYear();
  return moments({ day: "numeric", month: "short", ...(!isThisYear && { year: "numeric" }) }).format(date);
}

/** Quinta-feira, 26 de novembro de 2026 */
export function longDay(at: string | number | Date): string {
  return capital(moments({ dateStyle: "full" }).format(new Date(at)));
}

/** 26 de novembro de 2026, 14:05:09 */
export function moment(at: string | number | Date): string {
  return moments({ dateStyle: "long", timeStyle: "medium" }).format(new Date(at));
}

/** 26/11/2026 14:05 */
export function shortMoment(at: string | number | Date): string {
  return moments({ dateStyle: "short", timeStyle: "short" }).format(new Date(at));
}

/** 26 de novembro de 2026, of a day without a time: it is the same day everywhere. */
export function calendarDay(text: string): string {
  const [year = 0, month = 1, date = 1] = text.slice(0, 10).split("-").map(Number);
  return moments({ dateStyle: "long" }).format(new Date(year, month - 1, date));
}

/** Hoje, ontem, or the day: what a list is divided by. */
export function dayHeading(at: string | number | Date): string {
  const date = new Date(at);
  const days = Math.round((midnight(date) - midnight(new Date())) / 86_400_000);
  if (days === 0 || days === -1) {
    return capital(new Intl.RelativeTimeFormat(preferences.locale, { numeric: "auto" }).format(days, "day"));
  }
  return capital(moments({ weekday: "long", day: "numeric", month: "long", ...(days < -300 && { year: "numeric" }) }).format(date));
}

/** "há 5 minutos", "in 3 days". */
export function ago(at: string | number | Date, now = Date.now()): string {
  const seconds = Math.round((new Date(at).getTime() - now) / 1_000);
  const format = new Intl.RelativeTimeFormat(preferences.locale, { numeric: "auto" });
  for (const [unit, size] of UNITS) if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit);
  return format.format(0, "second");
}

const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60]] as const;

function midnight(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

export function capital(text: string): string {
  return text.charAt(0).toLocaleUpperCase(preferences.locale) + text.slice(1);
}
