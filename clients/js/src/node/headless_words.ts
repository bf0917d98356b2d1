/** What a headless till is told, line by line. */
export type Told =
  | { readonly do: "pair"; readonly tenant: string; readonly code: string }
  | { readonly do: "charge"; readonly amount: number; readonly description?: string }
  | { readonly do: "leave"; readonly charge: string }
  | { readonly do: "tab"; readonly amount: number; readonly label: string; readonly lasts_s?: number }
  | { readonly do: "sell"; readonly hold: string; readonly amount: number; readonly description?: string }
  | { readonly do: "close"; readonly hold: string }
  | { readonly do: "state" };

const WORDS: ReadonlySet<unknown> = new Set<Told["do"]>(["pair", "charge", "leave", "tab", "sell", "close", "state"]);

/** Whoever writes these lines is a test or a load run: what is in them is theirs to get right. */
export function toldOf(line: string): Told | undefined {
  try {
    const told: unknown = JSON.parse(line);
    return typeof told === "object" && told !== null && "do" in told && WORDS.has(told.do) ? (told as Told) : undefined;
  } catch {
    return undefined;
  }
}
