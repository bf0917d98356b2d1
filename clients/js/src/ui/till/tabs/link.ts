/** The address behind a tab's code: the customer's wallet opens it and asks whether to reserve. */
import type { TabRecord } from "../../../till/index.js";
import type { Paired } from "../../../till/index.js";

export function linkOf(tab: TabRecord, paired: Paired): string {
  const link = new URL(`/app/tab/${tab.hold}`, location.origin);
  link.search = new URLSearchParams({
    tenant: paired.tenant,
    to: String(paired.account),
    sum: String(tab.amount),
    lasts: String(tab.lasts_s),
  }).toString();
  return link.href;
}
