"""Examples of hub/protocol/seats.py."""

from hub.protocol import seats
from hub.protocol.fields import Message
from hub.protocol.scopes import Scope

SEAT = "ffffffff-ffff-4fff-bfff-ffffffffffff"
SHOP = "6f1f2a4e-8d5e-4b0a-9a34-2f6f6a1d0c11"
HOLDER = "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b"
AT = "2026-03-01T12:34:56.789012Z"
SCOPES = [Scope.CHARGES_READ, Scope.CHARGES_WRITE]
PENDING = seats.SeatState(SEAT, SHOP, ["charges:read"], "pending", AT, AT, "Caixa da manhã")
ENDED = seats.SeatState(
    SEAT,
    SHOP,
    ["charges:read", "charges:write"],
    "ended",
    AT,
    AT,
    accepted_at=AT,
    holder=HOLDER,
    holder_name="Ana",
    ended_at=AT,
    left=True,
    last_used_on="2026-03-01",
)
INVITED = seats.OwnSeatState(SEAT, SHOP, ["charges:read"], "invited", AT, AT, "Café Aurora")
HELD = seats.OwnSeatState(SEAT, SHOP, ["charges:read"], "held", AT, AT, accepted_at=AT)

EXAMPLES: tuple[Message, ...] = (
    seats.InviteSeat(1, "Caixa da manhã", SCOPES, login="ana"),
    seats.InviteSeat(1, "Caixa", [Scope.ACCOUNTS_READ], account=123456789012, person=SHOP),
    seats.ReadSeats(2),
    seats.ReadSeats(2, person=SHOP),
    seats.ChangeSeat(3, SEAT, name="Caixa da tarde", scopes=SCOPES),
    seats.ChangeSeat(3, SEAT),
    seats.EndSeat(4, SEAT),
    seats.ReadOwnSeats(5),
    seats.AcceptSeat(6, SEAT),
    seats.LeaveSeat(7, SEAT),
    seats.ActInSeat(8, SEAT),
    seats.SeatAnswer(1, PENDING),
    seats.SeatsAnswer(2, [PENDING, ENDED]),
    seats.OwnSeatsAnswer(5, [INVITED, HELD]),
    seats.OwnSeatAnswer(6, HELD),
    seats.SeatToken(8, "eyJhbGciOiJFZERTQSJ9.e30.c2ln", AT, SHOP, ["charges:read"]),
)
