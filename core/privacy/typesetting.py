"""Sets a volume: values in JSON on standard input, a PDF on standard output. A process of its own (see paper.py)."""

import sys
from pathlib import Path
from typing import Final

import typst

TEMPLATE: Final = Path(__file__).parent / "templates" / "person.typ"


def set_pages(values: bytes) -> bytes:
    """The pages.

    Only the fonts that Typst brings: the same pages on every machine. Without tags, which weigh ten times the text.
    """
    return typst.compile(
        TEMPLATE.read_bytes(),
        format="pdf",
        sys_inputs={"values": values.decode()},
        ignore_system_fonts=True,
        pdf_tags=False,
    )


if __name__ == "__main__":
    sys.stdout.buffer.write(set_pages(sys.stdin.buffer.read()))
