"""Webhooks of merchants: made, listed, changed, tried, replayed, removed, by the merchant or an operator."""

import uuid
from datetime import UTC, datetime
from typing import Final

from msgspec import UNSET, UnsetType

from core.errors import NotFound
from core.nouns import EventName
from core.outside import OutsideRefused, OutsideUnavailable
from core.webhooks import replaying
from core.webhooks import webhooks as core_webhooks
from core.webhooks.messages import test_message
from core.webhooks.sending import Sent, bring, check_url
from core.webhooks.states import Code
from core.webhooks.webhooks import Change, Webhook, Wish
from hub.commands.context import Context
from hub.commands.keying import merchant_of, whose
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.values import from_time, given, or_unset, time_of, time_or_unset, to_datetime
from hub.protocol import webhooks
from hub.protocol.codes import ErrorCode
from hub.protocol.webhooks import WebhookState
from hub.session import Session

# A person is waiting, and not the ledger's books.
TEST_TIMEOUT_S: Final = 5.0
PAGE_LENGTH: Final = 50
ONE_WAY: Final = "Say from where: an account and a number, or a moment."


async def create_webhook(context: Context, session: Session, command: webhooks.CreateWebhook) -> webhooks.WebhookMade:
    """Make a webhook."""
    merchant = merchant_of(session, command.person)
    await check_url(context.webhooks, command.url)
    wish = Wish(
        command.url,
        given(command.description),
        _names(command.events) or None,
        _accounts(command.accounts) or None,
    )
    try:
        made = await core_webhooks.make_webhook(
            context.pool, context.keys, session.speaker.tenant_id, merchant, wish, session.by
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="person") from None
    return webhooks.WebhookMade(command.id, _to_state(made.webhook), made.secret)


async def list_webhooks(context: Context, session: Session, command: webhooks.ReadWebhooks) -> webhooks.WebhooksAnswer:
    """A merchant's webhooks."""
    merchant = merchant_of(session, command.person)
    tenant_id = session.speaker.tenant_id
    found = await core_webhooks.list_webhooks(context.pool, context.keys, tenant_id, merchant, session.by)
    return webhooks.WebhooksAnswer(command.id, [_to_state(one) for one in found])


async def change_webhook(context: Context, session: Session, command: webhooks.ChangeWebhook) -> webhooks.WebhookAnswer:
    """Change a webhook."""
    url = given(command.url)
    if url is not None:
        await check_url(context.webhooks, url)
    change = Change(
        url, given(command.description), _names(command.events), _accounts(command.accounts), given(command.active)
    )
    try:
        found = await core_webhooks.change_webhook(
            context.pool,
            context.keys,
            session.speaker.tenant_id,
            command.webhook,
            change,
            session.by,
            whose=whose(session),
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="webhook") from None
    return webhooks.WebhookAnswer(command.id, _to_state(found))


async def rotate_webhook_secret(
    context: Context, session: Session, command: webhooks.RotateWebhookSecret
) -> webhooks.WebhookMade:
    """Give a webhook a new secret."""
    try:
        made = await core_webhooks.rotate_secret(
            context.pool, context.keys, session.speaker.tenant_id, command.webhook, session.by, whose=whose(session)
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="webhook") from None
    return webhooks.WebhookMade(command.id, _to_state(made.webhook), made.secret)


async def delete_webhook(context: Context, session: Session, command: webhooks.DeleteWebhook) -> webhooks.WebhookAnswer:
    """Remove a webhook."""
    try:
        found = await core_webhooks.remove_webhook(
            context.pool, context.keys, session.speaker.tenant_id, command.webhook, session.by, whose=whose(session)
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="webhook") from None
    return webhooks.WebhookAnswer(command.id, _to_state(found))


async def test_webhook(context: Context, session: Session, command: webhooks.TestWebhook) -> webhooks.WebhookTested:
    """Send something there now."""
    at, event = datetime.fromtimestamp(context.now(), UTC), str(uuid.uuid4())
    try:
        opened = await core_webhooks.open_webhook(
            context.pool, context.keys, session.speaker.tenant_id, command.webhook, at, whose=whose(session)
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="webhook") from None
    try:
        async with context.webhooks.open(opened.url, TEST_TIMEOUT_S) as way:
            sent = await bring(way, opened.secrets, event, test_message(command.webhook, at), at)
    except OutsideRefused:
        sent = Sent(Code.ADDRESS_REFUSED, 0)
    except OutsideUnavailable as error:
        sent = Sent(Code(error.code), 0)
    return webhooks.WebhookTested(command.id, event, sent.code, sent.took_ms, or_unset(sent.status))


async def read_webhook_attempts(
    context: Context, session: Session, command: webhooks.ReadWebhookAttempts
) -> webhooks.WebhookAttempts:
    """What was tried."""
    limit = given(command.limit, PAGE_LENGTH)
    try:
        attempts, asides = await replaying.read_attempts(
            context.pool,
            session.speaker.tenant_id,
            command.webhook,
            given(command.before),
            limit,
            whose=whose(session),
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="webhook") from None
    return webhooks.WebhookAttempts(
        command.id,
        [
            webhooks.AttemptState(
                one.id,
                one.account,
                one.number,
                one.event_id,
                one.event,
                time_of(one.at),
                one.took_ms,
                one.code,
                one.tries,
                or_unset(one.status),
            )
            for one in attempts
        ],
        [webhooks.AsideState(one.account, one.number, time_of(one.at), one.code) for one in asides],
        attempts[-1].id if len(attempts) == limit else UNSET,
    )


async def replay_webhook(
    context: Context, session: Session, command: webhooks.ReplayWebhook
) -> webhooks.WebhookReplayed:
    """Tell events again."""
    account, number, since = given(command.account), given(command.number), given(command.since)
    if (number is None) == (since is None) or (number is not None and account is None):
        raise CommandRefused(ErrorCode.INVALID_FIELD, ONE_WAY, field="number")
    if given(command.only) and number is None:
        raise CommandRefused(ErrorCode.INVALID_FIELD, "One event has a number.", field="only")
    tenant_id, mine = session.speaker.tenant_id, whose(session)
    moment = None if since is None else to_datetime(from_time(since))
    try:
        if given(command.only) and account is not None and number is not None:
            told = await replaying.replay_one(
                context.pool, tenant_id, command.webhook, account, number, session.by, whose=mine
            )
        else:
            told = await replaying.replay_from(
                context.pool,
                tenant_id,
                command.webhook,
                session.by,
                account=account,
                number=number,
                since=moment,
                whose=mine,
            )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="webhook") from None
    return webhooks.WebhookReplayed(command.id, [webhooks.ReplayedFrom(*one) for one in told])


def _names(events: list[EventName] | UnsetType) -> list[EventName] | None:
    return None if isinstance(events, UnsetType) else list(dict.fromkeys(events))


def _accounts(accounts: list[int] | UnsetType) -> list[int] | None:
    return None if isinstance(accounts, UnsetType) else list(dict.fromkeys(accounts))


def _to_state(webhook: Webhook) -> WebhookState:
    return WebhookState(
        webhook.id,
        webhook.person_id,
        webhook.state.name.lower(),  # type: ignore[arg-type]  # the names are the words
        time_of(webhook.made_at),
        webhook.behind,
        webhook.asides,
        or_unset(webhook.url),
        or_unset(webhook.description),
        UNSET if webhook.events is None else [*webhook.events],
        UNSET if webhook.accounts is None else [*webhook.accounts],
        time_or_unset(webhook.old_secret_until),
        time_or_unset(webhook.failing_since),
        time_or_unset(webhook.last_taken_at),
    )


ROWS: Final[tuple[Row, ...]] = (
    Row(webhooks.CreateWebhook, webhooks.WebhookMade, create_webhook, "POST", "/v1/webhooks", 201),
    Row(webhooks.ReadWebhooks, webhooks.WebhooksAnswer, list_webhooks, "GET", "/v1/webhooks"),
    Row(webhooks.ChangeWebhook, webhooks.WebhookAnswer, change_webhook, "PATCH", "/v1/webhooks/{webhook}"),
    Row(
        webhooks.RotateWebhookSecret,
        webhooks.WebhookMade,
        rotate_webhook_secret,
        "POST",
        "/v1/webhooks/{webhook}/secret",
    ),
    Row(webhooks.TestWebhook, webhooks.WebhookTested, test_webhook, "POST", "/v1/webhooks/{webhook}/test"),
    Row(
        webhooks.ReadWebhookAttempts,
        webhooks.WebhookAttempts,
        read_webhook_attempts,
        "GET",
        "/v1/webhooks/{webhook}/attempts",
    ),
    Row(webhooks.ReplayWebhook, webhooks.WebhookReplayed, replay_webhook, "POST", "/v1/webhooks/{webhook}/replay"),
    Row(webhooks.DeleteWebhook, webhooks.WebhookAnswer, delete_webhook, "DELETE", "/v1/webhooks/{webhook}"),
)
