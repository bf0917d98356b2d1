/** What one says of oneself is read as the hub keeps it, or is said to be wrong before it is sent. */
import { describe, expect, it } from "vitest";

import { fieldsOf, isLocked, read, show, showAddress } from "../../../../src/ui/wallet/you/profile/fields.js";

describe("a field of a person", () => {
  it("is read as it is sent", () => {
    expect(read("cpf", "529.982.247-25")).toBe("52998224725");
    expect(read("cnpj", "12.abc.345/01de-35")).toBe("12ABC34501DE35");
    expect(read("phone", "11 91234-5678")).toBe("+5511912345678");
    expect(read("email", " ana@example.com ")).toBe("ana@example.com");
    expect(read("birth_date", "1990-05-17")).toBe("1990-05-17");
    expect(read("name", "  Ana Souza ")).toBe("Ana Souza");
  });

  it("is not read when it cannot be right", () => {
    const wrong = [["cpf", "123"], ["cnpj", "1"], ["phone", "12"], ["email", "ana@"], ["birth_date", "2999-01-01"], ["category", "0000"], ["name", " "]] as const;
    for (const [field, text] of wrong) expect(read(field, text)).toBeUndefined();
  });

  it("is shown as people write it", () => {
    expect(show("cpf", "52998224725")).toBe("529.982.247-25");
    // The same day in every time zone.
    expect(show("birth_date", "1990-05-17")).toBe("17 de maio de 1990");
    expect(showAddress({ street: "Av. Paulista", number: "1000", city: "São Paulo", state: "SP", postal_code: "01310100", country: "BR" })).toBe(
      "Av. Paulista, 1000 · São Paulo – SP · 01310-100",
    );
  });

  it("is one's own to change: who one is until it was looked at, how one is reached always", () => {
    expect(isLocked("cpf", "pending")).toBe(false);
    expect(isLocked("cpf", "active")).toBe(true);
    expect(isLocked("email", "active")).toBe(false);
    expect(fieldsOf("merchant")).toContain("cnpj");
    expect(fieldsOf("customer")).not.toContain("cnpj");
    expect(fieldsOf("operator")).toEqual(["name", "email", "phone"]);
  });
});
