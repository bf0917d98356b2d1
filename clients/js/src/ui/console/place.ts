/** Filters that stand in the address, so that a view can be sent to a colleague. Never what names a person. */
import { searchParams } from "sv-router";

/** As text: the router would make numbers of digits. */
export function read(name: string): string | undefined {
  const value = searchParams.get(name);
  return value === null || value === "" ? undefined : String(value);
}

/** Undefined takes it away. Each is a step that "back" undoes, but for what is typed. */
export function write(name: string, value: string | undefined, replace = false): void {
  if (read(name) === value) return;
  if (value === undefined) searchParams.delete(name, undefined, { replace });
  else searchParams.set(name, value, { replace });
}

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The first stroke of an id: enough to tell two apart in a list. */
export function short(id: string): string {
  return id.slice(0, 8);
}
