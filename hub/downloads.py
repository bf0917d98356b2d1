"""What is handed out as files: what is held about a person, to that person; what the institution has to show.

Each file is written as it is sent, and nobody on the way keeps it. Who may have it, and after which proof of who they
are, the commands say (hub/commands/exporting.py, reporting.py, stepping_up.py).
"""

from collections.abc import AsyncIterator
from typing import Final

import msgspec
from msgspec import UnsetType
from starlette.responses import Response, StreamingResponse

from core.privacy.record import to_markdown
from core.privacy.states import Form
from hub.commands import exporting, reporting, stepping_up
from hub.commands.rights import OVERSEES, READS
from hub.endpoint import Call, Endpoint, Nothing
from hub.protocol import incidents, privacy

CSV: Final = "text/csv"
JSON: Final = "application/json"
PDF: Final = "application/pdf"
MARKDOWN: Final = "text/markdown"
NOT_KEPT: Final = {"cache-control": "no-store"}


async def fetch_json(call: Call) -> Response:
    """What is held about the speaker, as JSON, opened piece by piece."""
    body: privacy.FetchJson = call.body
    await stepping_up.require(call.context, call.session, stepping_up.ALWAYS, body)
    pieces = await exporting.fetch(call.context, call.session, body.export, Form.JSON)
    return _download(pieces, JSON, f"person-{body.export}.json")


async def fetch_pdf(call: Call) -> Response:
    """The same as a PDF."""
    body: privacy.FetchPdf = call.body
    await stepping_up.require(call.context, call.session, stepping_up.ALWAYS, body)
    volume = 1 if isinstance(body.volume, UnsetType) else body.volume
    pieces = await exporting.fetch(call.context, call.session, body.export, Form.PDF, volume - 1)
    return _download(pieces, PDF, f"person-{body.export}-{volume}.pdf")


async def read_record_json(call: Call) -> Response:
    """The record of processing."""
    record = await reporting.record_of_processing(call.context, call.session, call.body.language)
    return Response(msgspec.json.encode(record), headers=NOT_KEPT, media_type=JSON)


async def read_record_page(call: Call) -> Response:
    """The record of processing, for people."""
    record = await reporting.record_of_processing(call.context, call.session, call.body.language)
    return Response(to_markdown(record), headers=NOT_KEPT, media_type=MARKDOWN)


async def fetch_authority_draft(call: Call) -> Response:
    """What the authority is to be told."""
    text = await reporting.draft(call.context, call.session, call.body.incident, to_persons=False)
    return Response(text, headers=NOT_KEPT, media_type=MARKDOWN)


async def fetch_persons_draft(call: Call) -> Response:
    """What the people concerned are to be told."""
    text = await reporting.draft(call.context, call.session, call.body.incident, to_persons=True)
    return Response(text, headers=NOT_KEPT, media_type=MARKDOWN)


async def fetch_persons_list(call: Call) -> Response:
    """Whom an incident concerns."""
    pieces = await reporting.persons_csv(call.context, call.session, call.body.incident)
    return _download(pieces, CSV, f"incident-{call.body.incident}-persons.csv")


def _download(pieces: AsyncIterator[bytes], media_type: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"', **NOT_KEPT}
    return StreamingResponse(pieces, headers=headers, media_type=media_type)


EXPORT: Final = "/v1/privacy/exports/{export}"
INCIDENT: Final = "/v1/privacy/incidents/{incident}"
ENDPOINTS: Final = (
    Endpoint("GET", f"{EXPORT}/person.json", privacy.FetchJson, Nothing, fetch_json, right=READS, produces=JSON),
    Endpoint("GET", f"{EXPORT}/person.pdf", privacy.FetchPdf, Nothing, fetch_pdf, right=READS, produces=PDF),
    *(
        Endpoint("GET", path, takes, Nothing, handle, right=OVERSEES, produces=kind)
        for path, takes, handle, kind in (
            ("/v1/privacy/record.json", privacy.ReadRecordJson, read_record_json, JSON),
            ("/v1/privacy/record.md", privacy.ReadRecordPage, read_record_page, MARKDOWN),
            (f"{INCIDENT}/authority.md", incidents.FetchAuthorityDraft, fetch_authority_draft, MARKDOWN),
            (f"{INCIDENT}/persons.md", incidents.FetchPersonsDraft, fetch_persons_draft, MARKDOWN),
            (f"{INCIDENT}/persons.csv", incidents.FetchPersonsList, fetch_persons_list, CSV),
        )
    ),
)
