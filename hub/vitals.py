"""Real-user metrics: what pages say of how they felt becomes histograms. Whoever lies to it lies about nobody.

It is public and believes nothing: sums are bounded by what one message may say and by how many one address may send.
"""

from typing import Final

from msgspec import UNSET, UnsetType
from prometheus_client import Counter, Histogram

from hub.endpoint import Call, Endpoint, address_of, spend
from hub.limits import ADDRESS_VITALS
from hub.protocol.vitals import TellVitals, VitalsTold

PAGE: Final = ["page", "screen"]
# Around what Web Vitals call good and poor, and what we promise.
PAINT_S: Final = (0.25, 0.5, 1, 1.5, 2, 2.5, 4, 6, 10)
ANSWER_S: Final = (0.016, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2)
SHIFT: Final = (0.01, 0.05, 0.1, 0.15, 0.25, 0.5)
TAP_S: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 15, 60)

paints = Histogram("payhub_page_lcp_seconds", "Until a page's main content was there.", PAGE, buckets=PAINT_S)
interactions = Histogram("payhub_page_inp_seconds", "From an input to what it shows.", PAGE, buckets=ANSWER_S)
shifts = Histogram("payhub_page_cls", "How far a page's content jumped (cumulative layout shift).", PAGE, buckets=SHIFT)
taps = Histogram("payhub_page_tap_seconds", "From the tap that pays to the hub's answer.", PAGE, buckets=TAP_S)
connects = Counter("payhub_page_connects", "Sockets that pages tried to open, by outcome.", [*PAGE, "outcome"])
reconnects = Counter("payhub_page_reconnects", "Times that a page's live session had to come back.", PAGE)


async def tell_vitals(call: Call) -> VitalsTold:
    """Count what one visit felt like."""
    spend(call.context, "address-vitals", 0, address_of(call.request), ADDRESS_VITALS)
    told: TellVitals = call.body
    page = (told.page, told.screen)
    for histogram, ms in ((paints, told.lcp), (interactions, told.inp)):
        if not isinstance(ms, UnsetType):
            histogram.labels(*page).observe(ms / 1000)
    if not isinstance(told.cls, UnsetType):
        shifts.labels(*page).observe(told.cls / 1000)
    for ms in told.taps if told.taps is not UNSET else ():
        taps.labels(*page).observe(ms / 1000)
    for outcome, count in (("opened", told.connects), ("failed", told.failures)):
        connects.labels(*page, outcome).inc(count or 0)
    reconnects.labels(*page).inc(told.reconnects or 0)
    return VitalsTold()


ENDPOINTS: Final = (Endpoint("POST", "/v1/vitals", TellVitals, VitalsTold, tell_vitals, public=True),)
