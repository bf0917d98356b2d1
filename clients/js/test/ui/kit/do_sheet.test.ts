/** A sheet that does one thing is gone when that is done, and only then. */
import { render, screen, waitFor } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";

import { CommandRefused } from "../../../src/hub/refused.js";
import DoSheet from "../../../src/ui/kit/DoSheet.svelte";

const show = (work: () => Promise<unknown>): void => void render(DoSheet, { open: true, title: "Sair", label: "Fazer", work });

describe("a sheet that does one thing", () => {
  it("closes when it is done", async () => {
    const work = vi.fn(() => Promise.resolve());
    show(work);
    await userEvent.click(await screen.findByRole("button", { name: "Fazer" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(work).toHaveBeenCalledTimes(1);
  });

  it("stays and says why when it is refused, and may be tried again", async () => {
    const work = vi.fn(() => Promise.reject(new CommandRefused({ code: "code_refused", message: "" })));
    show(work);
    await userEvent.click(await screen.findByRole("button", { name: "Fazer" }));
    expect((await screen.findByRole("alert")).textContent).toContain("código");
    await userEvent.click(screen.getByRole("button", { name: "Fazer" }));
    expect(work).toHaveBeenCalledTimes(2);
  });

  it("stays when something has to be filled in first", async () => {
    show(() => Promise.resolve(false));
    await userEvent.click(await screen.findByRole("button", { name: "Fazer" }));
    expect(screen.getByRole("dialog")).toBeTruthy();
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("does it once, however often it is pressed", async () => {
    const work = vi.fn(() => new Promise<void>(() => undefined));
    show(work);
    const button = await screen.findByRole("button", { name: "Fazer" });
    await userEvent.click(button);
    await userEvent.click(button);
    expect(work).toHaveBeenCalledTimes(1);
  });
});
