"""What numbers in columns mean, for whoever is told them. A number without a name here is a quantity."""

from enum import IntEnum
from typing import Final

from core.bulk.bulks import BulkStatus
from core.notices.deliveries import Road
from core.notices.deliveries import State as DeliveryState
from core.notices.kinds import NoticeKind
from core.notices.ladder import Rung
from core.nouns import AccountStatus, Action, ChargeStatus, Kind, Measure, PaymentStatus
from core.payments.calendar import Closed, Rule
from core.payments.dispute_case import DisputeStatus, Side
from core.payments.dispute_profiles import Reason
from core.payments.schedules import IfUnpaid, ScheduleStatus
from core.people.factors import Kind as FactorKind
from core.people.fields import Kind as FieldKind
from core.people.persons import PersonStatus, Role
from core.privacy.states import ErasureStatus, ExportStatus, Form, RequestStatus, Right
from core.webhooks.states import State as WebhookState


class Listing(IntEnum):
    """Whom an account's owner allowed or denied. Stored in payees.listing."""

    ALLOWED = 1
    DENIED = 2


NAMES: Final[dict[tuple[str, str], type[IntEnum]]] = {
    ("persons", "role"): Role,
    ("persons", "status"): PersonStatus,
    ("accounts", "status"): AccountStatus,
    ("factors", "kind"): FactorKind,
    ("person_fields", "field"): FieldKind,
    ("held_fields", "field"): FieldKind,
    ("contact_codes", "field"): FieldKind,
    ("notices", "kind"): NoticeKind,
    ("notices", "field"): FieldKind,
    ("notices", "rung"): Rung,
    ("push_devices", "provider"): Road,
    ("deliveries", "road"): Road,
    ("deliveries", "kind"): NoticeKind,
    ("deliveries", "state"): DeliveryState,
    ("deliveries", "field"): FieldKind,
    ("webhooks", "state"): WebhookState,
    ("role_requests", "role"): Role,
    ("payments", "kind"): Kind,
    ("payments", "status"): PaymentStatus,
    ("decisions", "action"): Action,
    ("decisions", "measure"): Measure,
    ("own_limits", "measure"): Measure,
    ("payees", "listing"): Listing,
    ("charges", "status"): ChargeStatus,
    ("schedules", "status"): ScheduleStatus,
    ("schedules", "rule"): Rule,
    ("schedules", "on_closed"): Closed,
    ("schedules", "if_unpaid"): IfUnpaid,
    ("schedule_outcomes", "status"): PaymentStatus,
    ("disputes", "status"): DisputeStatus,
    ("disputes", "reason"): Reason,
    ("dispute_evidence", "side"): Side,
    ("bulks", "status"): BulkStatus,
    ("privacy_exports", "status"): ExportStatus,
    ("privacy_export_pieces", "form"): Form,
    ("erasures", "status"): ErasureStatus,
    ("privacy_requests", "status"): RequestStatus,
    ("privacy_requests", "what"): Right,
}


def name_of(table: str, column: str, value: object) -> object:
    """A value as it is told: a number's name, where it has one."""
    names = NAMES.get((table, column))
    if names is None or not isinstance(value, int):
        return value
    return names(value).name.lower() if value in names._value2member_map_ else value
