"""What pages say of how they felt: milliseconds and counts, of no person, no payment, no address."""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from hub.protocol.fields import Message

# Ten minutes: what took longer was a tab that slept, not a page that was slow.
MS_MAX: Final = 600_000
# A hundred windows' worth: nothing that anybody looked at.
SHIFT_MAX: Final = 100_000
COUNT_MAX: Final = 10_000
TAPS_MAX: Final = 50

Ms: TypeAlias = Annotated[int, Meta(ge=0, le=MS_MAX, description="Milliseconds.")]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=COUNT_MAX)]


class TellVitals(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """How one visit to a page felt. Needs no log-in and names nobody; pages send it for a sample of visits.

    `lcp`, `inp`, `cls`: Web Vitals (largest contentful paint, interaction to next paint, cumulative layout shift).
    `taps`: from the tap that pays to the hub's answer. `connects`: sockets that were opened, `failures`: that were
    not; `reconnects`: how often a live session had to come back.
    """

    page: Literal["app", "console", "pos"]
    screen: Literal["phone", "desktop"]
    lcp: Ms | UnsetType = UNSET
    inp: Ms | UnsetType = UNSET
    cls: Annotated[int, Meta(ge=0, le=SHIFT_MAX, description="Thousandths.")] | UnsetType = UNSET
    taps: Annotated[list[Ms], Meta(max_length=TAPS_MAX)] | UnsetType = UNSET
    connects: Count | UnsetType = UNSET
    failures: Count | UnsetType = UNSET
    reconnects: Count | UnsetType = UNSET


class VitalsTold(Message, frozen=True, tag="vitals_told", gc=False):
    """Counted."""
