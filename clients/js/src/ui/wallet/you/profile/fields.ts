/** The fields of a person: whose they are, how they are shown and read. As core/people/fields.py has them. */
import type { Address, FieldState } from "../../../../hub/wire.js";
import { calendarDay } from "../../../words/figures.js";
import { isCnpj, isCpf, markCnpj, markCpf, markPhone, readPhone } from "./documents.js";

export type FieldName = FieldState["field"];
export type Contact = "email" | "phone";

const EVERYBODY: readonly FieldName[] = ["name", "email", "phone"];
const OWN: Readonly<Partial<Record<string, readonly FieldName[]>>> = {
  customer: ["name", "cpf", "birth_date", "email", "phone", "address"],
  merchant: ["name", "trade_name", "legal_name", "cnpj", "category", "email", "phone", "address"],
};
const REACHED: ReadonlySet<FieldName> = new Set<FieldName>(["email", "phone", "address"]);

/** What one can say of oneself, by role, in the order in which it is shown. */
export function fieldsOf(role: string | undefined): readonly FieldName[] {
  return OWN[role ?? ""] ?? EVERYBODY;
}

/** How one is reached, which one may change at any time; who one is, only until the institution has looked at it. */
export function isReach(field: FieldName): boolean {
  return REACHED.has(field);
}

export function isContact(field: FieldName): field is Contact {
  return field === "email" || field === "phone";
}

/** Whether the institution has looked at who this is: then its person does not change it any more. */
export function isLocked(field: FieldName, status: string): boolean {
  return !isReach(field) && status !== "pending";
}

export function show(field: FieldName, value: string): string {
  switch (field) {
    case "cpf":
      return markCpf(value);
    case "cnpj":
      return markCnpj(value);
    case "phone":
      return markPhone(value);
    case "birth_date":
      return calendarDay(value);
    default:
      return value;
  }
}

/** On two lines, as on an envelope. */
export function showAddress({ street, number, complement, district, city, state, postal_code, country }: Address): string {
  const first = [street, number, complement].filter(Boolean).join(", ");
  const place = [city, state].filter(Boolean).join(" – ");
  const code = /^\d{8}$/.test(postal_code) ? `${postal_code.slice(0, 5)}-${postal_code.slice(5)}` : postal_code;
  return [first, district, place, code, country === "BR" ? "" : country].filter(Boolean).join(" · ");
}

/** What is sent of what was typed; undefined: it cannot be right. */
export function read(field: Exclude<FieldName, "address">, typed: string): string | undefined {
  const text = typed.trim();
  switch (field) {
    case "cpf":
      return isCpf(text) ? text.replaceAll(/\D/g, "") : undefined;
    case "cnpj":
      return isCnpj(text) ? text.toUpperCase().replaceAll(/[^0-9A-Z]/g, "") : undefined;
    case "email":
      return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text) ? text : undefined;
    case "phone": {
      const plain = readPhone(text);
      const isBrazilian = plain.startsWith("+55");
      return (isBrazilian ? /^\+55[1-9]{2}\d{8,9}$/ : /^\+[1-9]\d{6,14}$/).test(plain) ? plain : undefined;
    }
    case "birth_date":
      return /^\d{4}-\d{2}-\d{2}$/.test(text) && text <= new Date().toISOString().slice(0, 10) ? text : undefined;
    case "category":
      return /^\d{4}$/.test(text) && text !== "0000" ? text : undefined;
    default:
      return /\p{L}|\p{N}/u.test(text) ? text : undefined;
  }
}
