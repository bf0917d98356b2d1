"""Examples of hub/protocol/webhooks.py."""

from core.nouns import EventName
from hub.protocol import webhooks
from hub.protocol.fields import Message

WEBHOOK = "ffffffff-ffff-4fff-bfff-ffffffffffff"
EVENT = "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b"
PERSON = "6f1f2a4e-8d5e-4b0a-9a34-2f6f6a1d0c11"
AT = "2026-03-01T12:34:56.789012Z"
ACCOUNT = 123456789012
# Nobody's.
SECRET = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
URL = "https://hooks.example.com/payhub"
NEW = webhooks.WebhookState(WEBHOOK, PERSON, "active", AT, 0, 0, URL)
OLD = webhooks.WebhookState(
    WEBHOOK,
    PERSON,
    "failing",
    AT,
    12,
    1,
    URL,
    "The shop's server",
    ["charge.paid", "refund.sent"],
    [ACCOUNT],
    old_secret_until=AT,
    failing_since=AT,
    last_taken_at=AT,
)

EXAMPLES: tuple[Message, ...] = (
    webhooks.CreateWebhook(
        1,
        URL,
        "The shop's server",
        [EventName.CHARGE_PAID, EventName.REFUND_SENT],
        [ACCOUNT],
        person=PERSON,
    ),
    webhooks.CreateWebhook(1, URL),
    webhooks.ReadWebhooks(2, person=PERSON),
    webhooks.ReadWebhooks(2),
    webhooks.ChangeWebhook(3, WEBHOOK, URL, "Another server", [], [], active=True),
    webhooks.ChangeWebhook(3, WEBHOOK, active=False),
    webhooks.RotateWebhookSecret(4, WEBHOOK),
    webhooks.TestWebhook(5, WEBHOOK),
    webhooks.ReadWebhookAttempts(6, WEBHOOK, before=77, limit=200),
    webhooks.ReadWebhookAttempts(6, WEBHOOK),
    webhooks.ReplayWebhook(7, WEBHOOK, account=ACCOUNT, number=3),
    webhooks.ReplayWebhook(7, WEBHOOK, account=ACCOUNT, number=3, only=True),
    webhooks.ReplayWebhook(7, WEBHOOK, since=AT),
    webhooks.DeleteWebhook(8, WEBHOOK),
    webhooks.WebhookMade(1, NEW, SECRET),
    webhooks.WebhooksAnswer(2, [NEW, OLD]),
    webhooks.WebhookAnswer(3, OLD),
    webhooks.WebhookTested(5, EVENT, "taken", 12, 204),
    webhooks.WebhookTested(5, EVENT, "timeout", 5_000),
    webhooks.WebhookAttempts(
        6,
        [
            webhooks.AttemptState(9, ACCOUNT, 3, EVENT, "charge.paid", AT, 12, "taken", 2, 200),
            webhooks.AttemptState(8, ACCOUNT, 3, EVENT, "charge.paid", AT, 15_000, "timeout", 1),
        ],
        [webhooks.AsideState(ACCOUNT, 2, AT, "refused")],
        8,
    ),
    webhooks.WebhookAttempts(6, [], []),
    webhooks.WebhookReplayed(7, [webhooks.ReplayedFrom(ACCOUNT, 3)]),
    webhooks.WebhookReplayed(7, []),
)
