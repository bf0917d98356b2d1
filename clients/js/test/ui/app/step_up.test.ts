/** What is refused until somebody has shown that it is them is done once they have, and only then. */
import { render, screen } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { tick } from "svelte";
import { describe, expect, it, type Mock, vi } from "vitest";

import { CommandRefused } from "../../../src/hub/refused.js";
import type { ErrorCode } from "../../../src/hub/codes.js";
import { StepUp } from "../../../src/ui/app/step_up.svelte.js";
import Sheet from "../../../src/ui/app/StepUp.svelte";

const refused = (code: ErrorCode): CommandRefused => new CommandRefused({ code, message: code });

type Work = (token?: string) => Promise<string>;

/** A hub that wants a password, and knows one. */
function begin(password = "right"): { stepUp: StepUp; asked: [string, object][]; work: Mock<Work> } {
  const asked: [string, object][] = [];
  let isProved = false;
  const stepUp = new StepUp((type, fields) => {
    asked.push([type, fields]);
    if (type === "ask_step_up") return Promise.resolve({ type: "step_up_options", id: 1, factors: ["password"] } as never);
    if (type === "renew") {
      isProved = true;
      return Promise.resolve({ type: "renewed", id: 1, expires_at: "" } as never);
    }
    if ((fields as { password?: string }).password !== password) return Promise.reject(refused("proof_refused"));
    return Promise.resolve({ type: "stepped_up", id: 1, access_token: "fresh", expires_at: "" } as never);
  });
  const work = vi.fn<Work>((token) => (isProved ? Promise.resolve(token ?? "done") : Promise.reject(refused("step_up_required"))));
  return { stepUp, asked, work };
}

describe("stepping up", () => {
  it("asks, renews the session, and does it again with the fresh token", async () => {
    const { stepUp, asked, work } = begin();
    render(Sheet, { stepUp });
    const done = stepUp.guarded(work);
    await userEvent.type(await screen.findByLabelText("Senha"), "right");
    await userEvent.click(screen.getByRole("button", { name: "Confirmar" }));
    await expect(done).resolves.toBe("fresh");
    expect(asked.map(([type]) => type)).toEqual(["ask_step_up", "step_up", "renew"]);
    expect(work).toHaveBeenCalledTimes(2);
    await tick();
    expect(stepUp.offer).toBeUndefined();
  });

  it("stays when the proof is none, and says so", async () => {
    const { stepUp, work } = begin();
    render(Sheet, { stepUp });
    const done = stepUp.guarded(work);
    done.catch(() => undefined);
    await userEvent.type(await screen.findByLabelText("Senha"), "wrong");
    await userEvent.click(screen.getByRole("button", { name: "Confirmar" }));
    expect((await screen.findByRole("alert")).textContent).toContain("não é a sua senha");
    expect(work).toHaveBeenCalledTimes(1);
    stepUp.leave();
    await expect(done).rejects.toMatchObject({ code: "step_up_required" });
    expect(work).toHaveBeenCalledTimes(1);
  });

  it("is one question for two who ask at once", async () => {
    const { stepUp, asked, work } = begin();
    const both = Promise.all([stepUp.guarded(work), stepUp.guarded(work)]);
    await vi.waitFor(() => expect(stepUp.offer).toBeDefined());
    await stepUp.bring({ password: "right" });
    await both;
    expect(asked.filter(([type]) => type === "ask_step_up")).toHaveLength(1);
  });

  it("lets everything else through as it is", async () => {
    const { stepUp } = begin();
    await expect(stepUp.guarded(() => Promise.resolve(7))).resolves.toBe(7);
    await expect(stepUp.guarded(() => Promise.reject(refused("forbidden")))).rejects.toMatchObject({ code: "forbidden" });
  });
});
