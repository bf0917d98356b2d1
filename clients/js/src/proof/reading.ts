/** Reads JSON that anybody may have written: every field is looked at before it is used. */
import { isUuid } from "./bytes.js";
import { malformed, type ProofRefused } from "./refused.js";

export type Json = Readonly<Record<string, unknown>>;

/** The largest moment that is told, in microseconds: until the year 9999. */
const AT_US_MAX = 253_402_300_800_000_000 - 1;
const TENANT_MAX = 2 ** 32 - 1;

export function parse(text: string, message: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed(message);
  }
}

export function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

/** The fields of one object, each of which has to be what is asked for. */
export class Fields {
  readonly #fields: Json;
  readonly #refuse: () => ProofRefused;

  constructor(value: unknown, message: string) {
    this.#refuse = () => malformed(message);
    if (!isRecord(value)) throw this.#refuse();
    this.#fields = value;
  }

  text(name: string): string {
    const value = this.#fields[name];
    if (typeof value !== "string") throw this.#refuse();
    return value;
  }

  id(name: string): string {
    const value = this.#fields[name];
    if (!isUuid(value)) throw this.#refuse();
    return value;
  }

  /** A whole number that every program can hold exactly; from 0 on. */
  whole(name: string, max: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.#fields[name];
    if (!isExact(value) || value < 0 || value > max) throw this.#refuse();
    return value;
  }

  signed(name: string): number {
    const value = this.#fields[name];
    if (!isExact(value)) throw this.#refuse();
    return value;
  }

  tenant(name: string): number {
    return this.whole(name, TENANT_MAX);
  }

  moment(name: string): number {
    return this.whole(name, AT_US_MAX);
  }

  /** (account, amount) pairs. */
  pairs(name: string): [number, number][] {
    const value = this.#fields[name];
    if (!isList(value)) throw this.#refuse();
    return value.map((pair) => {
      if (!isList(pair) || pair.length !== 2) throw this.#refuse();
      const [one, other] = pair;
      if (!isExact(one) || one < 0 || !isExact(other)) throw this.#refuse();
      return [one, other];
    });
  }

  /** What is there under a name; null counts as nothing. */
  get(name: string): unknown {
    return this.#fields[name] ?? undefined;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }
}

function isExact(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value);
}
