/** CPF and CNPJ as they are typed: written with their marks, and checked before anything is sent. The hub checks them again. */
const CPF_LENGTH = 11;
const CNPJ_LENGTH = 14;
const CNPJ_WEIGHTS = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2] as const;

/** 000.000.000-00, as far as it is typed. */
export function markCpf(text: string): string {
  const digits = text.replaceAll(/\D/g, "").slice(0, CPF_LENGTH);
  return mark(digits, [[3, "."], [6, "."], [9, "-"]]);
}

/** 00.000.000/0000-00, as far as it is typed. Since July 2026 the first twelve may be letters. */
export function markCnpj(text: string): string {
  const plain = text.toUpperCase().replaceAll(/[^0-9A-Z]/g, "").slice(0, CNPJ_LENGTH);
  return mark(plain, [[2, "."], [5, "."], [8, "/"], [12, "-"]]);
}

/** 00000-000 */
export function markCep(text: string): string {
  return mark(text.replaceAll(/\D/g, "").slice(0, 8), [[5, "-"]]);
}

/** Whether the check digits are right (modulo 11). One digit eleven times is nobody's number. */
export function isCpf(text: string): boolean {
  const digits = [...text.replaceAll(/\D/g, "")].map(Number);
  if (digits.length !== CPF_LENGTH || digits.every((one) => one === digits[0])) return false;
  return [9, 10].every((length) => {
    const sum = digits.slice(0, length).reduce((total, digit, at) => total + digit * (length + 1 - at), 0);
    return digits[length] === ((sum * 10) % 11) % 10;
  });
}

/** Letters count as their code less 48 (Nota Técnica COCAD/SUARA/RFB 49/2024). */
export function isCnpj(text: string): boolean {
  const plain = text.toUpperCase().replaceAll(/[^0-9A-Z]/g, "");
  if (!/^[0-9A-Z]{12}[0-9]{2}$/.test(plain) || /^0+$/.test(plain)) return false;
  const values = [...plain].map((one) => one.charCodeAt(0) - 48);
  return [12, 13].every((length) => {
    const weights = CNPJ_WEIGHTS.slice(-length);
    const rest = values.slice(0, length).reduce((total, value, at) => total + value * (weights[at] ?? 0), 0) % 11;
    return values[length] === (rest < 2 ? 0 : 11 - rest);
  });
}

/** +55 (11) 91234-5678 of E.164; others as they are. */
export function markPhone(text: string): string {
  const brazilian = /^\+55(\d{2})(\d{4,5})(\d{4})$/.exec(text);
  return brazilian === null ? text : `+55 (${brazilian[1]}) ${brazilian[2]}-${brazilian[3]}`;
}

/** E.164 of what was typed: without a country it is Brazil's. */
export function readPhone(text: string): string {
  const plain = text.trim().replaceAll(/[ ().-]/g, "");
  return plain.startsWith("+") || plain === "" ? plain : `+55${plain.replace(/^0/, "")}`;
}

function mark(plain: string, marks: readonly (readonly [at: number, mark: string])[]): string {
  let text = plain;
  for (const [at, one] of marks.toReversed()) if (plain.length > at) text = `${text.slice(0, at)}${one}${text.slice(at)}`;
  return text;
}
