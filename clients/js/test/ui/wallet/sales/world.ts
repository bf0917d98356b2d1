/** A page within a visit, against the scripted hub of test/fake_hub.ts. Time is real here; frames take a millisecond. */
import { render } from "@testing-library/svelte";
import type { Component } from "svelte";

import type { Asked, CommandName } from "../../../../src/hub/commands.js";
import { Hub } from "../../../../src/hub/hub.js";
import { State } from "../../../../src/state/state.js";
import { StepUp } from "../../../../src/ui/app/step_up.svelte.js";
import type { Visit } from "../../../../src/ui/app/visit.svelte.js";
import { FakeHub, PERSON } from "../../../fake_hub.js";
import Within from "./Within.svelte";

export const SHOP = 1;

export function begin(): { fake: FakeHub; hub: Hub; visit: Visit } {
  const fake = new FakeHub();
  fake.answers("history", () => ({ type: "entries", account: SHOP, entries: [] }));
  fake.answers("payee", ({ account }) => ({ type: "payee_state", account, name: "Ana Souza" }));
  const hub = new Hub(fake.options);
  const ask = <Name extends CommandName>(type: Name, fields: Asked<Name>) => hub.ask(type, fields);
  const stepUp = new StepUp(ask);
  // Only what pages read of it; the rest is the wallet's frame's.
  const visit = {
    tenant: "demo",
    hub,
    state: new State(hub),
    ask,
    stepUp,
    guarded: (work: (token?: string) => Promise<unknown>) => stepUp.guarded(work),
    names: { of: () => "Ana Souza" },
    session: { person: PERSON, name: "Café da Praça", role: "merchant", line: "live" },
    accounts: fake.accounts,
    account: fake.accounts[0],
    currency: "BRL",
    isLive: true,
    may: () => true,
  } as unknown as Visit;
  hub.connect();
  return { fake, hub, visit };
}

export function show<Props extends Record<string, unknown>>(visit: Visit, page: Component<Props>, props: Props = {} as Props): void {
  render(Within, { props: { visit, page: page as Component<Record<string, unknown>>, of: props } });
}
