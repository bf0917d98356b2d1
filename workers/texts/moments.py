"""A moment as people read it, in their tenant's time zone. Pure."""

from datetime import datetime, tzinfo
from typing import Final

_PORTUGUESE: Final = "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro"
_ENGLISH: Final = "January February March April May June July August September October November December"
MONTHS: Final = {"pt": tuple(_PORTUGUESE.split(" ")), "en": tuple(_ENGLISH.split(" "))}


def moment(at: datetime, zone: tzinfo, language: str) -> str:
    """Like "25 de novembro de 2026, 14:30 (GMT-3)": with the zone, for whoever reads it far from home."""
    local = at.astimezone(zone)
    of = " de " if language == "pt" else " "
    day = f"{local.day}{of}{MONTHS[language][local.month - 1]}{of}{local.year}"
    offset = local.utcoffset()
    assert offset is not None
    minutes = round(offset.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    away = f"{sign}{hours}" + (f":{rest:02d}" if rest else "") if minutes else ""
    return f"{day}, {local:%H:%M} (GMT{away})"
