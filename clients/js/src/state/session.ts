/** Who is here and how the line stands, in one value. */
import type { Hub } from "../hub/hub.js";
import type { LineState } from "../hub/line.js";
import type { StatusChanged, Welcome } from "../hub/wire.js";
import { Store } from "./store.js";

export interface Session {
  readonly line: LineState["name"];
  /** While waiting: when the hub is tried again, milliseconds since the epoch. */
  readonly retryAt?: number;
  /** While waiting, or ended: why the last connection did. */
  readonly why?: string;
  /** Whoever was welcomed last; still there while the line is down. */
  readonly person?: string;
  readonly name?: string;
  readonly role?: string;
  readonly tenant?: string;
  readonly currency?: string;
  /** How they stand with the tenant. */
  readonly standing: "pending" | "active" | "blocked" | "closed";
}

export function sessionOf(hub: Hub): Store<Session> {
  const store = new Store<Session>({ line: hub.state.name, standing: "active" });
  hub.on("state", (line) => store.update((session) => turned(session, line)));
  hub.on("welcome", (welcome) => store.update((session) => welcomed(session, welcome)));
  hub.on("status_changed", ({ status }: StatusChanged) => store.update((session) => ({ ...session, standing: status })));
  return store;
}

function turned({ retryAt: _, why: __, ...session }: Session, line: LineState): Session {
  const waits = line.name === "waiting" ? { retryAt: line.until, why: line.why } : {};
  const ended = line.name === "ended" ? { why: line.why } : {};
  return { ...session, ...waits, ...ended, line: line.name };
}

function welcomed(session: Session, welcome: Welcome): Session {
  const { person, name, role, tenant, currency, status = "active" } = welcome;
  return { ...session, person, name, role, tenant, currency, standing: status as Session["standing"] };
}
