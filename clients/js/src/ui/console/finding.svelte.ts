/**
 * What somebody looks for, by its shape, and the search for people that is to be made next. Names and documents travel
 * here and not in the address: an address is kept in histories and sent around.
 */
import type { Asked } from "../../hub/commands.js";
import { UUID } from "./place.js";

export type By = Extract<keyof Asked<"find_people">, "cpf" | "cnpj" | "email" | "phone" | "login" | "name" | "account">;

export interface Wanted {
  readonly by: By;
  readonly value: string;
}

/** What something that was typed may be. */
export interface Shapes {
  readonly id: string | undefined;
  readonly account: number | undefined;
  readonly people: readonly Wanted[];
}

const ACCOUNT_MAX = 999_999_999_999;

export function shapesOf(typed: string): Shapes {
  const text = typed.trim();
  const lower = text.toLowerCase();
  if (UUID.test(lower)) return { id: lower, account: undefined, people: [] };
  const digits = text.replaceAll(/[\s.\-/()]/g, "");
  const people: Wanted[] = [];
  let account: number | undefined;
  if (/^\d+$/.test(digits)) {
    if (digits === text && Number(digits) > 0 && Number(digits) <= ACCOUNT_MAX) account = Number(digits);
    if (digits.length === 11) people.push({ by: "cpf", value: digits });
    if (digits.length === 14) people.push({ by: "cnpj", value: digits });
    if (account !== undefined) people.push({ by: "account", value: digits });
  } else if (/^\+\d{8,15}$/.test(digits)) people.push({ by: "phone", value: digits });
  else if (/^\S+@\S+\.\S+$/.test(text)) people.push({ by: "email", value: text }, { by: "login", value: text });
  else if (text.length >= 3) {
    if (/^[A-Za-z0-9][A-Za-z0-9._@+-]*$/.test(text)) people.push({ by: "login", value: text });
    people.push({ by: "name", value: text });
  }
  return { id: undefined, account, people };
}

class Finding {
  /** To be looked for as soon as the page of people is there. */
  wanted: Wanted | undefined = $state.raw();
}

export const finding = new Finding();
