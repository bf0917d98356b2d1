/** Who may see what here: as hub/commands/rights.py has it. What somebody may not do is not shown to them. */
import type { Visit } from "../app/visit.svelte.js";

export type Staff = "operator" | "auditor" | "support";
export type Page = "now" | "payments" | "reviews" | "disputes" | "holds" | "notices" | "people" | "audit" | "connections" | "tenant";

const PAGES: Readonly<Record<Staff, ReadonlySet<Page>>> = {
  operator: new Set(["now", "payments", "reviews", "disputes", "holds", "notices", "people", "audit", "connections", "tenant"]),
  auditor: new Set(["now", "payments", "reviews", "disputes", "holds", "notices", "audit", "connections", "tenant"]),
  support: new Set(["people", "audit"]),
};

/** Undefined: they do not work here. Staff who are not active are customers to the hub. */
export function staffOf(visit: Visit): Staff | undefined {
  const { role, standing } = visit.session;
  if (standing !== "active") return undefined;
  return role === "operator" || role === "auditor" || role === "support" ? role : undefined;
}

export function maySee(visit: Visit, page: Page): boolean {
  const staff = staffOf(visit);
  return staff !== undefined && PAGES[staff].has(page);
}

/** Whether they may change anything: decide, move, set. */
export function mayAct(visit: Visit): boolean {
  return staffOf(visit) === "operator";
}

/** Whether what they look at in people's files takes a reason, and is masked. */
export function isSupport(visit: Visit): boolean {
  return staffOf(visit) === "support";
}
