/** Ctrl-K: whatever is typed leads somewhere, by the keyboard alone, and to nothing that a role may not see. */
import { render, screen } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";

const visit = { session: { role: "operator", standing: "active" } };
vi.mock("../../../src/ui/app/visit.svelte.js", () => ({ getVisit: () => visit }));
const went = vi.fn<(to: string, options?: { readonly params: Readonly<Record<string, string>> }) => void>();
vi.mock("../../../src/ui/console/routes.js", () => ({ p: (path: string) => `/console${path}`, navigate: went }));
const { default: Palette } = await import("../../../src/ui/console/Palette.svelte");
const { finding } = await import("../../../src/ui/console/finding.svelte.js");
const ID = "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b";

beforeEach(() => {
  visit.session.role = "operator";
  finding.wanted = undefined;
  went.mockClear();
});

test("a payment's id is explained by Enter", async () => {
  render(Palette, { open: true });
  await userEvent.type(screen.getByRole("combobox"), `${ID}{Enter}`);
  expect(went).toHaveBeenCalledWith("/payment/:payment", { params: { payment: ID } });
});

test("a number is an account, and whose it is one step further", async () => {
  render(Palette, { open: true });
  await userEvent.type(screen.getByRole("combobox"), "421483782716");
  expect(screen.getAllByRole("option")).toHaveLength(2);
  await userEvent.type(screen.getByRole("combobox"), "{ArrowDown}{Enter}");
  expect(went).toHaveBeenCalledWith("/people");
  // What names somebody is in no address.
  expect(finding.wanted).toEqual({ by: "account", value: "421483782716" });
});

test("support is led to people alone", async () => {
  visit.session.role = "support";
  render(Palette, { open: true });
  await userEvent.type(screen.getByRole("combobox"), ID);
  const options = screen.getAllByRole("option");
  expect(options).toHaveLength(1);
  expect(options[0]?.textContent).toContain("A ficha desta pessoa");
});
