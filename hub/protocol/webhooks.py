"""Webhooks: a merchant's own servers are told what happens on the merchant's accounts, in order and signed.

What is sent there is a POST of {type, timestamp, data} with the headers of Standard Webhooks (`webhook-id`,
`webhook-timestamp`, `webhook-signature`). `data` is the event as a socket is told it, without its description. Any 2xx
within 15 seconds takes it; until then, nothing later of the same account is sent. An event that was answered with 4xx
five times is set aside, and the next one carries `"after_gap": true`; one that is replayed by itself carries
`"out_of_order": true`. The same event has the same id, however often it is sent: remember ids for a week.
"""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from core.nouns import EventName
from hub.protocol.fields import FREE, PLAIN_TEXT_PATTERN, UUID_PATTERN, AccountId, Command, Message, Time

# core.outside.URL_LENGTH_MAX
URL_LENGTH_MAX = 500
ACCOUNTS_MAX = 100
# core.webhooks.replaying.ATTEMPTS_SHOWN_MAX
ATTEMPTS_MAX = 200
NUMBER_MAX = 2**53 - 1

WebhookId: TypeAlias = Annotated[str, Meta(pattern=UUID_PATTERN, min_length=36, max_length=36)]
MerchantId: TypeAlias = Annotated[
    str,
    Meta(pattern=UUID_PATTERN, min_length=36, max_length=36, description="Operators: the merchant whose it is."),
]
Url: TypeAlias = Annotated[
    str,
    Meta(
        min_length=9,
        max_length=URL_LENGTH_MAX,
        pattern=r"^https?://[!-~]+$",
        description="https, of a public server, on port 443 or above 1023; without a user's name or a fragment.",
    ),
]
About: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=140, pattern=PLAIN_TEXT_PATTERN, description="For you to read.", extra=FREE)
]
Events: TypeAlias = Annotated[list[EventName], Meta(max_length=len(EventName), description="Which; empty: all.")]
Accounts: TypeAlias = Annotated[
    list[AccountId], Meta(max_length=ACCOUNTS_MAX, description="Whose events; empty: all accounts, later ones too.")
]
EventNumber: TypeAlias = Annotated[int, Meta(ge=1, le=NUMBER_MAX, description="Of an event of the account.")]


class CreateWebhook(Command, frozen=True, tag="create_webhook", gc=False):
    """Merchants: have a server told what happens from now on. Its secret is in the answer and is never shown again."""

    url: Url
    description: About | UnsetType = UNSET
    events: Events | UnsetType = UNSET
    accounts: Accounts | UnsetType = UNSET
    person: MerchantId | UnsetType = UNSET


class ReadWebhooks(Command, frozen=True, tag="webhooks", gc=False):
    """A merchant's webhooks, newest first."""

    person: MerchantId | UnsetType = UNSET


class ChangeWebhook(Command, frozen=True, tag="change_webhook", gc=False):
    """Change what is given and leave the rest. `active`: false stops it; true lets it go on where it stopped."""

    webhook: WebhookId
    url: Url | UnsetType = UNSET
    description: About | UnsetType = UNSET
    events: Events | UnsetType = UNSET
    accounts: Accounts | UnsetType = UNSET
    active: bool | UnsetType = UNSET


class RotateWebhookSecret(Command, frozen=True, tag="rotate_webhook_secret", gc=False):
    """A new secret, shown once. For a day both sign; then the new one alone."""

    webhook: WebhookId


class DeleteWebhook(Command, frozen=True, tag="delete_webhook", gc=False):
    """Remove a webhook, with what was tried there."""

    webhook: WebhookId


class TestWebhook(Command, frozen=True, tag="test_webhook", gc=False):
    """Send a signed `webhook.test` there now, and be told what came back."""

    webhook: WebhookId


class ReadWebhookAttempts(Command, frozen=True, tag="webhook_attempts", gc=False):
    """What was tried in the last seven days, newest first, a thousand at most; and what was set aside."""

    webhook: WebhookId
    before: Annotated[int, Meta(ge=1, le=NUMBER_MAX, description="Those before this attempt.")] | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=ATTEMPTS_MAX)] | UnsetType = UNSET


class ReplayWebhook(Command, frozen=True, tag="replay_webhook", gc=False):
    """Send events again: from `number` of the `account` on, or from a moment (`since`) on, of it or of all accounts.

    `only`: this one event alone, beside what comes in order.
    """

    webhook: WebhookId
    account: AccountId | UnsetType = UNSET
    number: EventNumber | UnsetType = UNSET
    since: Time | UnsetType = UNSET
    only: bool | UnsetType = UNSET


class WebhookState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A webhook as it stands. `state`, if it is not active: `stopped` by somebody; by itself, because nobody took
    anything until the tries were used up (`failing`), it answered 410 (`gone`) or refused every event (`refusing`);
    `ended`, because its merchant is none any more.

    `behind`: events of its accounts that it was not told yet. `set_aside`: events that were refused too often.
    `failing_since`: nothing was taken since. `old_secret_until`: two secrets sign until then. `url` is left out while
    it cannot be read.
    """

    webhook: str
    person: str
    state: Literal["active", "stopped", "failing", "gone", "refusing", "ended"]
    made_at: str
    behind: int
    set_aside: int
    url: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    events: list[str] | UnsetType = UNSET
    accounts: list[int] | UnsetType = UNSET
    old_secret_until: str | UnsetType = UNSET
    failing_since: str | UnsetType = UNSET
    last_taken_at: str | UnsetType = UNSET


class AttemptState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A try. `event`: the `webhook-id`. `tries`: which of its event's it was. `status`: of HTTP, if anybody answered.

    `code`: taken, refused, gone, busy, error, redirect, not_there, timeout, connection_failed, no_address,
    address_refused.
    """

    attempt: int
    account: int
    number: int
    event: str
    what: str
    at: str
    took_ms: int
    code: str
    tries: int
    status: int | UnsetType = UNSET


class AsideState(Struct, frozen=True, gc=False):
    """An event that was refused too often. `replay_webhook` with `only` sends it again."""

    account: int
    number: int
    at: str
    code: str


class ReplayedFrom(Struct, frozen=True, gc=False):
    """From which event on an account is told again."""

    account: int
    number: int


class WebhookMade(Message, frozen=True, tag="webhook_made", gc=False):
    """A webhook with a new secret, which is shown here and never again."""

    id: int
    webhook: WebhookState
    secret: str

    def __repr__(self) -> str:
        return f"WebhookMade(id={self.id}, webhook={self.webhook.webhook!r}, secret=…)"


class WebhookAnswer(Message, frozen=True, tag="webhook_state", gc=False):
    """One webhook."""

    id: int
    webhook: WebhookState


class WebhooksAnswer(Message, frozen=True, tag="webhook_states", gc=False):
    """A merchant's webhooks, newest first."""

    id: int
    webhooks: list[WebhookState]


class WebhookTested(Message, frozen=True, tag="webhook_tested", gc=False):
    """What came back. `code` as in attempts."""

    id: int
    event: str
    code: str
    took_ms: int
    status: int | UnsetType = UNSET


class WebhookAttempts(Message, frozen=True, tag="webhook_attempts_page", gc=False):
    """What was tried, newest first; `before` of the next page, if there may be one; and what was set aside."""

    id: int
    attempts: list[AttemptState]
    set_aside: list[AsideState]
    before: int | UnsetType = UNSET


class WebhookReplayed(Message, frozen=True, tag="webhook_replayed", gc=False):
    """What will be told again; empty: there is nothing after that moment that was told."""

    id: int
    replayed: list[ReplayedFrom]


FROM_CLIENT: Final[tuple[type[Message], ...]] = (
    CreateWebhook,
    ReadWebhooks,
    ChangeWebhook,
    RotateWebhookSecret,
    DeleteWebhook,
    TestWebhook,
    ReadWebhookAttempts,
    ReplayWebhook,
)
FROM_HUB: Final[tuple[type[Message], ...]] = (
    WebhookMade,
    WebhookAnswer,
    WebhooksAnswer,
    WebhookTested,
    WebhookAttempts,
    WebhookReplayed,
)
