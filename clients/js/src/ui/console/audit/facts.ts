/** JSON that the hub kept, as pairs that people can read; what is no object is one fact without a name. Pure. */
export function factsOf(text: string, than?: string): readonly (readonly [name: string, value: string])[] {
  const facts = parse(text);
  if (!isRecord(facts)) return [["", say(facts)]];
  // A setting's entry: what is another than before, and nothing of what stayed.
  const [was, is] = [parse(facts["before"]), parse(facts["after"])];
  if (isRecord(was) && isRecord(is)) {
    return Object.entries(is)
      .filter(([name, value]) => name !== "updated_at" && say(was[name]) !== say(value))
      .map(([name, value]) => [name, `${say(was[name])} → ${say(value)}`]);
  }
  if (isRecord(is)) return namesOf(is);
  const before = than === undefined ? undefined : parse(than);
  return namesOf(facts).filter(([name, value]) => !isRecord(before) || say(before[name]) !== value);
}

/** What says nothing to whoever is inside the institution is left out. */
function namesOf(facts: Readonly<Record<string, unknown>>): readonly (readonly [string, string])[] {
  return Object.entries(facts)
    .filter(([name, value]) => name !== "tenant_id" && name !== "updated_at" && value !== null)
    .map(([name, value]) => [name, say(value)]);
}

function parse(text: unknown): unknown {
  if (typeof text !== "string") return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function say(value: unknown): string {
  if (value === null || value === undefined) return "—";
  return typeof value === "object" ? JSON.stringify(value) : String(value as string | number | boolean);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
