/** Which reasons fit which status: as core/people/standing.py has it, and set_person_status says in its words. */
import type { SetPersonStatus } from "../../../hub/wire.js";

export const FITTING: Readonly<Record<SetPersonStatus["status"], readonly SetPersonStatus["reason"][]>> = {
  active: ["identified", "cleared", "own_wish", "court_order"],
  pending: ["under_review", "not_identified"],
  blocked: ["suspected_fraud", "under_review", "access_lost", "own_wish", "court_order", "terms_broken", "deceased"],
  closed: ["own_wish", "duplicate", "not_identified", "suspected_fraud", "court_order", "terms_broken", "deceased"],
};
