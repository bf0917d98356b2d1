"""The ladder, whole: real sockets to real hubs, HTTP/2 to push services, SMTP to a relay.

Whoever's page is open and acknowledges hears of their money there alone; whoever closed it hears on their phone and in
their browser; and whoever looks at neither gets the mail. A tap ends it everywhere.
"""

import asyncio
import email
import email.policy
import json
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import httpx2
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from config.settings import Settings
from core.database import Pool
from core.keys.safe import Safe
from core.notices.deliveries import Road
from core.notices.kinds import NoticeKind
from core.notices.phones import register_phone
from core.notices.targets import address_of, read_target, to_text
from core.people.opening import Opened, Tenant
from core.people.persons import Role
from core.proof.notary import Signer
from loadtest.services.apple import AppleService
from loadtest.services.certificates import Certificates
from loadtest.services.http2 import Request
from loadtest.services.mail import MailServer
from loadtest.services.web_push import Browser, WebPushService
from tests.conftest import Books, Database, seal_all
from tests.core.notices.reaching import give_mailbox
from tests.hub.conftest import Enter, Hubs, Join, Somebody
from tests.workers.test_delivering import until
from workers.reaching import open_roads
from workers.rounds import go_round

TOPIC = "com.example.pay"
# Nobody else's: other tests' people have phones here, too.
TOKEN = secrets.token_hex(32)


class Outer(NamedTuple):
    """The outside world, and how a worker reaches it."""

    apple: AppleService
    web: WebPushService
    relay: MailServer
    settings: Settings


@pytest_asyncio.fixture
async def outer(database: Database, tmp_path: Path) -> AsyncIterator[Outer]:
    certificates = Certificates(tmp_path)
    key = ec.generate_private_key(ec.SECP256R1())
    apple = AppleService(certificates.server_context(), {("TEAM", "KEY"): key.public_key()}, frozenset({TOPIC}))
    web = WebPushService(certificates.server_context())
    await apple.server.start()
    await web.server.start()
    (tmp_path / "apple.p8").touch(0o600)
    (tmp_path / "apple.p8").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    at = f"https://localhost:{apple.server.port}"
    apple_road = {"key_file": "apple.p8", "key_id": "KEY", "team_id": "TEAM", "topics": [TOPIC]}
    roads = {
        "apple": {**apple_road, "url": at, "sandbox_url": at},
        "web": {"subject": "mailto:push@example.com"},
    }
    (tmp_path / "push.json").write_text(json.dumps({"default": roads}))
    async with MailServer(keeps=True) as relay:
        settings = Settings.from_environment(
            {
                "PAYHUB_DATABASE_URL": database.app_url,
                "PAYHUB_KEYS_DATABASE_URL": database.keys_url,
                "PAYHUB_SMTP_URL": f"smtp://127.0.0.1:{relay.port}?starttls=never",
                "PAYHUB_PUBLIC_URL": "https://pay.example",
                "PAYHUB_PUSH_FILE": str(tmp_path / "push.json"),
                "PAYHUB_PUSH_HOSTS": f"localhost:{web.server.port}",
                "PAYHUB_PUSH_CA_FILE": str(certificates.ca_file),
                "PAYHUB_INTERNAL_NETWORKS": "127.0.0.0/8,::1/128",
                "PAYHUB_DATA_DIR": str(tmp_path),
            }
        )
        yield Outer(apple, web, relay, settings)
    await apple.server.stop()
    await web.server.stop()


@asynccontextmanager
async def working(outer: Outer, pool: Pool, keys: Safe) -> AsyncIterator[None]:
    """What a worker does to reach people."""
    roads = await open_roads(outer.settings, pool, keys)
    tasks = [*roads.tasks(), *(asyncio.create_task(go_round(one)) for one in roads.rounds(pool))]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def climb_fast(admin: Pool, tenant: Tenant, push_s: int) -> None:
    await admin.execute(
        "insert into ladders (tenant_id, kind, socket_s, push_s, has_push, has_mail) values ($1, $2, 2, $3, true, true)",
        tenant.id,
        NoticeKind.PAYMENT_RECEIVED,
        push_s,
    )


async def mailbox_of(somebody: Somebody, pool: Pool, keys: Safe) -> str:
    books = Books(somebody.tenant, [Opened(somebody.person, somebody.account)], pool, keys)
    return await give_mailbox(books, 0)


def pushed(outer: Outer) -> list[Request]:
    """What came to Bruno's phone."""
    return [request for request in outer.apple.requests if request.path.endswith(TOKEN)]


def mails_to(outer: Outer, address: str) -> list[bytes]:
    return [content for _, to, content in outer.relay.mails if to.decode() == address]


def pushes(outer: Outer) -> list[dict[str, object]]:
    return [json.loads(request.body) for request in pushed(outer)]


async def _true(condition: Callable[[], bool]) -> bool:
    return condition()


def when(condition: Callable[[], bool]) -> Awaitable[None]:
    return until(lambda: _true(condition), 12.0)


async def test_a_closed_page_then_the_phone_then_the_mail_and_a_tap_ends_it(
    hubs: Hubs,
    enter: Enter,
    join: Join,
    tenant: Tenant,
    pool: Pool,
    keys: Safe,
    admin: Pool,
    signer: Signer,
    web: httpx2.AsyncClient,
    outer: Outer,
) -> None:
    ana, bruno = await enter(tenant, funds=10_000), await enter(tenant)
    await climb_fast(admin, tenant, push_s=3)
    address = await mailbox_of(bruno, pool, keys)
    paying, page = await join(hubs.a, ana), await join(hubs.b, bruno)
    registered = await page.ask("register_phone", provider="apple", address=TOKEN.upper(), topic=TOPIC, language="pt")
    assert registered["type"] == "phone_registered", registered
    # A browser of his, at a push service of this test.
    browser = Browser(f"https://localhost:{outer.web.server.port}")
    target = read_target(
        Road.WEB,
        endpoint=browser.endpoint,
        p256dh=browser.p256dh,
        auth=browser.auth,
        hosts=[f"localhost:{outer.web.server.port}"],
    )
    await register_phone(
        pool, keys, tenant.id, bruno.person, bruno.session, Road.WEB, address_of(target), to_text(target), "en"
    )
    assert len((await page.ask("phones"))["phones"]) == 2
    key = (await page.ask("push_key"))["key"]
    follow = await page.ask("follow", account=bruno.account)
    assert follow["type"] == "following"

    async def pay(amount: int, *, is_logged: bool = True) -> str:
        payment = str(uuid.uuid4())
        answer = await paying.ask(
            "pay", payment=payment, payer=ana.account, payee=bruno.account, amount=amount, description="zq-canary lunch"
        )
        assert answer["status"] == "posted", answer
        if is_logged:
            await seal_all(pool, signer)
        return payment

    async with working(outer, pool, keys):
        # The page is open, sees it, and says so: nothing rings.
        await pay(1_000, is_logged=False)
        event = await page.hear("event")
        await page.send({"type": "ack", "account": bruno.account, "number": event["number"]})
        # Hubs write what was acknowledged once a second; on a busy machine that is not within the ladder's two.
        await asyncio.sleep(3.0)
        await seal_all(pool, signer)
        await asyncio.sleep(1.5)
        assert pushed(outer) == []
        # It is closed: the phone and the browser are told, without a name or an amount.
        await page.connection.close()
        paid = time.monotonic()
        payment = await pay(2_345)
        await when(lambda: len(pushed(outer)) == 1 and bool(outer.web.requests))
        assert 1.5 < time.monotonic() - paid < 6.0
        # Push services know the worker by the key that the hub gave browsers.
        assert outer.web.senders == {key}
        (push,), (seen_by_browser,) = pushes(outer), [browser.open(outer.web.requests[0].body)]
        for told in (json.dumps(push), json.dumps(seen_by_browser)):
            for private in ("23,45", "2345", "zq-canary", "Ana", "Bruno", payment, ana.person):
                assert private not in told
        assert pushed(outer)[0].headers["apns-collapse-id"] == "payment_received"
        # He looks at neither: the mail.
        await when(lambda: bool(mails_to(outer, address)))
        (content,) = mails_to(outer, address)
        mail = email.message_from_bytes(content, policy=email.policy.default)
        body = mail.get_body(("plain",))
        assert body is not None
        assert "23,45" in body.get_content()
        # Another one, and this time he taps the push: no mail, and it is taken off the phone.
        before = len(mails_to(outer, address))
        await pay(99)
        await when(lambda: len(pushed(outer)) == 2)
        token = pushes(outer)[1]["seen"]
        assert (await web.post(f"{hubs.a.url}/v1/seen", json={"seen": token})).status_code == 200
        # What the mail told he has not said he saw: the phone still shows it, as one.
        await asyncio.sleep(4.5)
        assert len(mails_to(outer, address)) == before


async def test_a_log_out_takes_the_phone_with_it(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, pool: Pool, admin: Pool
) -> None:
    ana = await enter(tenant)
    client = await join(hubs.a, ana)
    for at in range(2):
        more = {"provider": "apple", "address": f"{at}a" * 32, "topic": TOPIC, "language": "en"}
        assert (await client.ask("register_phone", **more))["type"] == "phone_registered"
    (first, second) = (await client.ask("phones"))["phones"]
    assert (await client.ask("forget_phone", phone=first["phone"]))["type"] == "phone_forgotten"
    assert (await client.ask("forget_phone", phone=first["phone"]))["code"] == "not_found"
    stranger = await join(hubs.a, await enter(tenant))
    assert (await stranger.ask("forget_phone", phone=second["phone"]))["code"] == "not_found"
    assert (await client.ask("end_session", session=ana.session))["type"] == "sessions_ended"
    back = await join(hubs.b, await enter(tenant, again=ana))
    assert (await back.ask("phones"))["phones"] == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"provider": "apple", "address": "xyz", "topic": TOPIC}, "address"),
        ({"provider": "apple", "address": TOKEN, "topic": "../x"}, "topic"),
        ({"provider": "apple", "topic": TOPIC}, "address"),
        ({"provider": "firebase", "address": "a b"}, "address"),
        ({"provider": "web", "endpoint": "https://127.0.0.1/x", "p256dh": "x", "auth": "y"}, "endpoint"),
        ({"provider": "web", "endpoint": "http://fcm.googleapis.com/x", "p256dh": "x", "auth": "y"}, "endpoint"),
        ({"provider": "web", "endpoint": "https://fcm.googleapis.com.evil.example/x"}, "endpoint"),
    ],
)
async def test_what_is_no_phone_is_refused_with_its_field(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, given: dict[str, str], field: str
) -> None:
    client = await join(hubs.a, await enter(tenant, Role.MERCHANT))
    refused = await client.ask("register_phone", language="pt", **given)
    assert (refused["type"], refused["code"], refused["field"]) == ("error", "invalid_field", field)
    assert (await client.ask("phones"))["phones"] == []
