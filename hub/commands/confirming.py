"""Contacts confirmed by a code."""

from typing import Final

from core.errors import NotFound
from core.people.confirming import confirm, send_code
from core.people.fields import BY_NAME
from hub.commands.context import Context
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.values import time_of
from hub.protocol import people
from hub.protocol.codes import ErrorCode
from hub.session import Session


async def send_confirmation(
    context: Context, session: Session, command: people.SendConfirmation
) -> people.ConfirmationSent:
    """Have a code sent to one of the speaker's contacts."""
    speaker, kind = session.speaker, BY_NAME[command.contact].kind
    try:
        sent = await send_code(context.pool, context.keys, speaker.tenant_id, speaker.person_id, kind, session.by)
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="contact") from None
    return people.ConfirmationSent(command.id, command.contact, time_of(sent.expires_at))


async def confirm_contact(
    context: Context, session: Session, command: people.ConfirmContact
) -> people.ContactConfirmed:
    """Let a contact be the speaker's."""
    speaker, kind = session.speaker, BY_NAME[command.contact].kind
    try:
        since = await confirm(
            context.pool, context.keys, speaker.tenant_id, speaker.person_id, kind, command.code, session.by
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="contact") from None
    return people.ContactConfirmed(command.id, command.contact, time_of(since))


ROWS: Final[tuple[Row, ...]] = (
    Row(people.SendConfirmation, people.ConfirmationSent, send_confirmation, "POST", "/v1/contacts/{contact}/code"),
    Row(people.ConfirmContact, people.ContactConfirmed, confirm_contact, "POST", "/v1/contacts/{contact}/confirm"),
)
