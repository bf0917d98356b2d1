/** How a webhook stands, and what that looks like. */
import type { EventName } from "../../../../hub/codes.js";
import type { AttemptState, WebhookState } from "../../../../hub/wire.js";
import { entryWords } from "../../../kit/entry_words.js";

export const TONES: Readonly<Record<WebhookState["state"], "good" | "wait" | "bad" | "calm">> = {
  active: "good",
  stopped: "wait",
  failing: "bad",
  gone: "bad",
  refusing: "bad",
  ended: "calm",
};

/** Whether it can be paused, and otherwise let go on. */
export function isOn({ state }: Pick<WebhookState, "state">): boolean {
  return state === "active";
}

export function hasFailed({ code }: Pick<AttemptState, "code">): boolean {
  return code !== "taken";
}

/** What a merchant's server may be told, with the account's own names for it. */
export function eventNames(): readonly (readonly [EventName, string])[] {
  return (Object.entries(entryWords()) as [EventName, string][]).sort(([, one], [, other]) => one.localeCompare(other));
}

export function nameOf(event: string): string {
  return (entryWords() as Readonly<Record<string, string>>)[event] ?? event;
}
