/** People who act for a merchant: invited with the rights that were chosen, and ended; and how those people see it. */
import { screen, waitFor } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";

import { JOBS, jobOf } from "../../../../src/ui/wallet/sales/staff/jobs.js";
import Staff from "../../../../src/ui/wallet/sales/staff/Staff.svelte";
import Teams from "../../../../src/ui/wallet/you/teams/Teams.svelte";
import { begin, show } from "./world.js";

const AT = "2026-03-01T12:00:00Z";
const PENDING = { seat: "s1", person: "p", scopes: [...JOBS.cashier], state: "pending", invited_at: AT, lapses_at: AT, name: "Balcão" };
const ACTIVE = { ...PENDING, seat: "s2", name: "Noite", state: "active", accepted_at: AT, holder: "h", holder_name: "Rita Alves" };
const INVITED = { seat: "s1", merchant: "m", merchant_name: "Café da Praça", scopes: ["charges:read"], state: "invited", invited_at: AT, lapses_at: AT };

describe("a merchant's staff", () => {
  it("is invited with what a job needs, and nobody learns whether there is anybody", async () => {
    const { fake, hub, visit } = begin();
    fake.answers("seats", () => ({ type: "seat_states", seats: [PENDING, ACTIVE] }));
    fake.answers("invite_seat", () => ({ type: "seat_state", seat: PENDING }));
    show(visit, Staff);
    await screen.findByText("Rita Alves");
    expect(screen.getByText("Convite enviado")).toBeTruthy();
    await userEvent.click(screen.getByRole("button", { name: "Convidar alguém" }));
    await userEvent.click(await screen.findByText("Gerência"));
    await userEvent.click(screen.getAllByRole("button", { name: "Enviar o convite" }).at(-1) as HTMLElement);
    expect(await screen.findAllByRole("alert")).toHaveLength(2);
    await userEvent.type(screen.getByLabelText("Usuário da pessoa"), "rita");
    await userEvent.type(screen.getByLabelText("Nome"), "Manhã");
    await userEvent.click(screen.getAllByRole("button", { name: "Enviar o convite" }).at(-1) as HTMLElement);
    await waitFor(() => expect(fake.heard("invite_seat")).toMatchObject([{ name: "Manhã", login: "rita", scopes: JOBS.manager }]));
    hub.close();
  });

  it("is changed and ended", async () => {
    const { fake, hub, visit } = begin();
    fake.answers("seats", () => ({ type: "seat_states", seats: [ACTIVE] }));
    fake.answers("change_seat", () => ({ type: "seat_state", seat: ACTIVE }));
    fake.answers("end_seat", () => ({ type: "seat_state", seat: { ...ACTIVE, state: "ended" } }));
    show(visit, Staff);
    await userEvent.click(await screen.findByRole("button", { name: "Mudar" }));
    await userEvent.click((await screen.findAllByText("Contabilidade")).at(-1) as HTMLElement);
    await userEvent.click(screen.getByRole("button", { name: "Salvar" }));
    await waitFor(() => expect(fake.heard("change_seat")).toMatchObject([{ seat: "s2", scopes: JOBS.bookkeeper }]));
    // The sheet is gone before the page can be touched again.
    await waitFor(() => expect(document.body.style.pointerEvents).not.toBe("none"));
    await userEvent.click(await screen.findByRole("button", { name: "Encerrar" }));
    expect(await screen.findByText("Encerrar o acesso de Rita Alves?")).toBeTruthy();
    await userEvent.click(screen.getAllByRole("button", { name: "Encerrar" }).at(-1) as HTMLElement);
    await waitFor(() => expect(fake.heard("end_seat")).toMatchObject([{ seat: "s2" }]));
    hub.close();
  });

  it("has jobs that give nothing away", () => {
    expect(jobOf([...JOBS.cashier].reverse())).toBe("cashier");
    expect(jobOf(["charges:read"])).toBeUndefined();
    for (const job of ["cashier", "bookkeeper"] as const) {
      expect(JOBS[job].filter((scope) => scope === "payments:write" || scope === "refunds:write")).toEqual([]);
    }
  });
});

describe("somebody's teams", () => {
  it("are accepted, acted for, and left", async () => {
    const { fake, hub, visit } = begin();
    const turnTo = vi.fn();
    Object.assign(visit, { turnTo });
    let state = "invited";
    fake.answers("own_seats", () => ({ type: "own_seat_states", seats: state === "over" ? [] : [{ ...INVITED, state }] }));
    fake.answers("accept_seat", () => ({ type: "own_seat_state", seat: { ...INVITED, state: (state = "held") } }));
    fake.answers("leave_seat", () => ({ type: "own_seat_state", seat: { ...INVITED, state: (state = "over") } }));
    show(visit, Teams);
    await userEvent.click(await screen.findByRole("button", { name: "Aceitar" }));
    await userEvent.click((await screen.findAllByRole("button", { name: "Aceitar" })).at(-1) as HTMLElement);
    await userEvent.click(await screen.findByRole("button", { name: "Agir por ela" }));
    expect(turnTo).toHaveBeenCalledWith(expect.objectContaining({ seat: "s1", merchant: "m", name: "Café da Praça" }));
    await userEvent.click(screen.getByRole("button", { name: "Sair" }));
    await userEvent.click((await screen.findAllByRole("button", { name: "Sair" })).at(-1) as HTMLElement);
    await screen.findByText("Nenhuma equipe ainda");
    hub.close();
  });
});
