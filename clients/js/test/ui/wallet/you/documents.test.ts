/** What is typed is written with its marks, and a slip of the finger is found before anything is sent. */
import { describe, expect, it } from "vitest";

import { isCnpj, isCpf, markCep, markCnpj, markCpf, markPhone, readPhone } from "../../../../src/ui/wallet/you/profile/documents.js";

describe("a CPF", () => {
  it("is written with its marks, as far as it is typed", () => {
    expect(["5", "5299", "5299822", "52998224725", "529.982.247-2599"].map(markCpf)).toEqual([
      "5",
      "529.9",
      "529.982.2",
      "529.982.247-25",
      "529.982.247-25",
    ]);
  });

  it("is right by its check digits, and nobody has one digit eleven times", () => {
    expect(isCpf("529.982.247-25")).toBe(true);
    expect(isCpf("111.444.777-35")).toBe(true);
    expect(isCpf("529.982.247-24")).toBe(false);
    expect(isCpf("111.111.111-11")).toBe(false);
    expect(isCpf("529.982.247")).toBe(false);
  });
});

describe("a CNPJ", () => {
  it("is written with its marks, with letters too", () => {
    expect(markCnpj("11222333000181")).toBe("11.222.333/0001-81");
    expect(markCnpj("12abc34501de35")).toBe("12.ABC.345/01DE-35");
  });

  it("is right by its check digits, of digits or of letters and digits", () => {
    expect(isCnpj("11.222.333/0001-81")).toBe(true);
    expect(isCnpj("12.ABC.345/01DE-35")).toBe(true);
    expect(isCnpj("12.ABC.345/01DE-34")).toBe(false);
    expect(isCnpj("00.000.000/0000-00")).toBe(false);
  });
});

it("takes a telephone without a country for Brazil's, and shows it as it is dialled", () => {
  expect(readPhone("(11) 91234-5678")).toBe("+5511912345678");
  expect(readPhone("011 91234-5678")).toBe("+5511912345678");
  expect(readPhone("+351 912 345 678")).toBe("+351912345678");
  expect(markPhone("+5511912345678")).toBe("+55 (11) 91234-5678");
  expect(markPhone("+351912345678")).toBe("+351912345678");
  expect(markCep("01310100")).toBe("01310-100");
});
