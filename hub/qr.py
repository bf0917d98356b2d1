"""QR codes: text in, SVG out. The one door to segno. It knows nothing of what the text says."""

import asyncio
import io
from functools import lru_cache

import segno

# Drawing costs 20 ms and a code is looked at again and again. 5 KB each.
DRAWN_MAX = 256
# The quiet zone that readers need: four modules on each side (ISO/IEC 18004, 5.3.8).
BORDER = 4


async def draw(text: str) -> str:
    """The text as an SVG element that fills the box it stands in (ISO/IEC 18004, error correction M).

    Black on white in every colour scheme: many readers cannot read it the other way round.
    """
    # Beside the loop: others do not wait for a picture.
    return await asyncio.to_thread(_draw, text)


@lru_cache(maxsize=DRAWN_MAX)
def _draw(text: str) -> str:
    picture = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        picture, kind="svg", border=BORDER, dark="#000", light="#fff", omitsize=True, xmldecl=False, nl=False
    )
    return picture.getvalue().decode()
