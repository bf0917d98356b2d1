/** A payment's life as one list of moments: what was asked and done, by whom, who was told, what runs out when. Pure. */
import type {
  DecisionState,
  DisputeFileAnswer,
  EvidenceState,
  HandedState,
  HookedState,
  LifeAnswer,
  PaymentExplained,
  PaymentProof,
  SideEntry,
  TakenState,
  ToldState,
  TrailEntry,
} from "../../../hub/wire.js";

export interface Known {
  readonly life: LifeAnswer;
  readonly explained: PaymentExplained;
  readonly disputes: readonly DisputeFileAnswer[];
  readonly proof?: PaymentProof | undefined;
  readonly trail: readonly TrailEntry[];
}

export type Act = "opened" | "answered" | "decided" | "claimed" | "closed";
export type Clock = "hold" | "review" | "answer" | "decision" | "claim" | "refund";

/** What happened, with all that is shown of it. `at`: when. */
export type Moment = { readonly key: string; readonly at: string } & (
  | {
      readonly what: "step";
      readonly step: TakenState;
      /** Whether it is the payment itself. */
      readonly isFirst: boolean;
      readonly entries: readonly SideEntry[];
      readonly decision: DecisionState | undefined;
    }
  | { readonly what: "dispute"; readonly act: Act; readonly file: DisputeFileAnswer }
  | { readonly what: "evidence"; readonly file: DisputeFileAnswer; readonly evidence: EvidenceState }
  | { readonly what: "told"; readonly told: ToldState }
  | { readonly what: "heard"; readonly told: ToldState }
  | { readonly what: "handed"; readonly told: ToldState; readonly handed: HandedState }
  | { readonly what: "hooked"; readonly hooked: HookedState }
  | { readonly what: "sealed"; readonly proof: PaymentProof }
  | { readonly what: "trail"; readonly entry: TrailEntry }
  /** Still ahead: a clock that runs. */
  | { readonly what: "clock"; readonly clock: Clock; readonly dispute?: string }
);

export type What = Moment["what"];

/** What readers may leave out, by the groups that they know. */
export const GROUPS: Readonly<Record<"money" | "dispute" | "told" | "audit", readonly What[]>> = {
  money: ["step", "sealed", "clock"],
  dispute: ["dispute", "evidence"],
  told: ["told", "heard", "handed", "hooked"],
  audit: ["trail"],
};

/** The institution's own accounts have the first numbers. */
const SYSTEM_MAX = 4;

/** Of what happens at one moment, the cause comes before what follows from it. */
const ORDER: readonly What[] = ["step", "dispute", "evidence", "told", "hooked", "handed", "heard", "sealed", "trail", "clock"];

export function storyOf({ life, explained, disputes, proof, trail }: Known): readonly Moment[] {
  const moments: Moment[] = [];
  explained.taken.forEach((step, at) => {
    moments.push({
      what: "step",
      key: step.payment,
      at: step.at,
      step,
      isFirst: at === 0,
      entries: inOrder(explained.entries.filter(({ entry }) => entry.payment === step.payment)),
      decision: explained.decisions.find(({ payment }) => payment === step.payment),
    });
  });
  for (const file of disputes) moments.push(...disputed(file));
  explained.told.forEach((told, at) => moments.push(...toldOf(told, at)));
  for (const hooked of explained.hooked) {
    moments.push({ what: "hooked", key: `hook ${hooked.webhook} ${hooked.event} ${hooked.tries} ${hooked.at}`, at: hooked.at, hooked });
  }
  if (proof?.log !== undefined) {
    moments.push({ what: "sealed", key: "sealed", at: new Date(proof.log.head.at_us / 1_000).toISOString(), proof });
  }
  // That somebody looked at the trail itself is no part of a payment's life.
  for (const entry of trail) moments.push({ what: "trail", key: entry.entry, at: entry.at, entry });
  moments.push(...clocks(life, disputes));
  return moments.sort((one, other) => compare(one, other));
}

/** Who gave before who got, and the institution's own share at the end. */
function inOrder(entries: readonly SideEntry[]): readonly SideEntry[] {
  const rank = ({ account, entry }: SideEntry): number => (account <= SYSTEM_MAX ? 2 : entry.amount < 0 || entry.held !== undefined ? 0 : 1);
  return [...entries].sort((one, other) => rank(one) - rank(other));
}

function compare(one: Moment, other: Moment): number {
  const isAhead = Number(one.what === "clock") - Number(other.what === "clock");
  if (isAhead !== 0) return isAhead;
  const apart = Date.parse(one.at) - Date.parse(other.at);
  // Times are exact to the microsecond, and Date is not: a text of one form sorts the rest.
  if (apart !== 0) return apart;
  return one.at === other.at ? ORDER.indexOf(one.what) - ORDER.indexOf(other.what) : one.at < other.at ? -1 : 1;
}

function disputed(file: DisputeFileAnswer): Moment[] {
  const { dispute, evidence } = file;
  const acts: readonly (readonly [Act, string | undefined])[] = [
    ["opened", dispute.opened_at],
    ["answered", dispute.answered_at],
    ["decided", dispute.decided_at],
    ["claimed", dispute.claimed_at],
    ["closed", dispute.closed_at],
  ];
  return [
    ...acts.flatMap(([act, at]): Moment[] => (at === undefined ? [] : [{ what: "dispute", key: `${dispute.dispute} ${act}`, at, act, file }])),
    ...evidence.map((one): Moment => ({ what: "evidence", key: one.evidence, at: one.at, file, evidence: one })),
  ];
}

function toldOf(told: ToldState, number: number): Moment[] {
  const key = `told ${number}`;
  return [
    { what: "told", key, at: told.at, told },
    ...(told.heard_at === undefined ? [] : [{ what: "heard", key: `${key} heard`, at: told.heard_at, told } as const]),
    ...(told.handed ?? []).map((handed, at): Moment => ({ what: "handed", key: `${key} ${at}`, at: handed.ended_at ?? handed.made_at, told, handed })),
  ];
}

function clocks({ life }: LifeAnswer, disputes: readonly DisputeFileAnswer[]): Moment[] {
  const running: [Clock, string | undefined, string?][] = [];
  if (life.in_review) running.push(["review", life.expires_at]);
  else if ((life.held ?? 0) > 0) running.push(["hold", life.expires_at]);
  for (const { dispute } of disputes) {
    if (dispute.closed_at !== undefined) continue;
    if (dispute.status === "open") running.push(["answer", dispute.answer_due_at, dispute.dispute]);
    if (dispute.decided_at === undefined) running.push(["decision", dispute.decision_due_at, dispute.dispute]);
    else if (dispute.claimed_at === undefined && dispute.claim_due_at !== undefined) running.push(["claim", dispute.claim_due_at, dispute.dispute]);
    else if (dispute.owed > 0) running.push(["refund", dispute.refund_due_at, dispute.dispute]);
  }
  return running.flatMap(([clock, at, dispute]): Moment[] =>
    at === undefined ? [] : [{ what: "clock", key: `${clock} ${dispute ?? ""}`, at, clock, ...(dispute !== undefined && { dispute }) }],
  );
}
