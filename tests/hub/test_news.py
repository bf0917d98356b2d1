"""News over the wire: told to whoever agreed, for as long as they do, and to nobody twice."""

import uuid

import httpx2

from core.audit.trail import read_trail
from core.database import Pool, in_tenant
from core.keys.safe import Safe
from core.notices.news import SECRET, read_unsubscribe, spread, unsubscribe_token
from core.people.opening import Tenant
from core.people.persons import Role
from tests.hub.conftest import Enter, Hubs, Join
from tests.hub.known import bearer
from tests.hub.stranger import Stranger

WORDS = {"title_pt": "Ofertas", "text_pt": "Podemos?", "title_en": "Offers", "text_en": "May we?"}
SENT = {"purpose": "offers", "title": "Pix no caixa", "text": "Agora dá.\n\nÉ só pedir."}


async def agree(client: Stranger) -> None:
    assert (await client.ask("give_consent", purpose="offers", version=1))["purpose"]["given"] is True


async def spread_all(pool: Pool, tenant: Tenant) -> None:
    """As workers do, two people at a time."""
    async with in_tenant(pool, tenant.id) as connection:
        while await connection.fetchval("select exists (select from news where ended_at is null)"):
            await spread(pool, 2)


async def heard_of(client: Stranger) -> list[str]:
    """The titles of the news that somebody has in their list."""
    return [one["title"] for one in (await client.ask("notices"))["notices"] if one["kind"] == "news"]


async def test_news_reach_those_who_agreed_once_each_and_an_operator_sees_how_far_they_are(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, other_tenant: Tenant, pool: Pool, web: httpx2.AsyncClient
) -> None:
    somebody = await enter(tenant, Role.OPERATOR, proved=True)
    operator = await join(hubs.a, somebody)
    refused = await operator.ask("send_news", news=str(uuid.uuid4()), **SENT)
    assert (refused["code"], refused["field"]) == ("not_found", "purpose")
    await operator.ask("set_consent_purpose", purpose="offers", **WORDS)
    people = [await join(hubs.a, await enter(tenant)) for _ in range(6)]
    for one in people[:5]:
        await agree(one)
    await people[1].ask("set_notice_settings", muted=["news"])
    await people[2].ask("revoke_consent", purpose="offers")

    news = str(uuid.uuid4())
    sent = (await operator.ask("send_news", news=news, **SENT))["news"]
    assert (sent["told"], sent["sent_by"], "ended_at" in sent) == (0, somebody.person, False)
    await spread_all(pool, tenant)
    again = (await operator.ask("send_news", news=news, **SENT))["news"]
    assert (again["told"], "ended_at" in again) == (3, True)
    await spread_all(pool, tenant)
    assert [await heard_of(one) for one in people] == [[SENT["title"]], [], [], [SENT["title"]], [SENT["title"]], []]
    (told,) = (await people[0].ask("notices"))["notices"]
    assert (told["subject"], told["text"]) == (news, SENT["text"])
    changed = await operator.ask("send_news", news=news, **{**SENT, "title": "Outra"})
    assert changed["code"] == "conflict"

    page = await web.get(f"{hubs.b.url}/v1/news", headers=bearer(somebody.token))
    assert [one["news"] for one in page.json()["news"]] == [news]
    (entry,) = await read_trail(pool, tenant.id, 10, what="news.sent")
    assert (entry.who, entry.about, entry.details) == (somebody.person, news, {"purpose": "offers"})
    stranger = await join(hubs.a, await enter(other_tenant, Role.OPERATOR, proved=True))
    assert (await stranger.ask("news"))["news"] == []


async def test_who_sends_news_is_an_operator_who_proved_it_lately_and_does_not_do_it_all_day(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant
) -> None:
    operator = await join(hubs.a, await enter(tenant, Role.OPERATOR, proved=True))
    await operator.ask("set_consent_purpose", purpose="offers", **WORDS)
    for role in (Role.CUSTOMER, Role.MERCHANT, Role.AUDITOR, Role.SUPPORT):
        client = await join(hubs.a, await enter(tenant, role, proved=True))
        assert (await client.ask("send_news", news=str(uuid.uuid4()), **SENT))["code"] == "forbidden"
    card = await operator.ask("send_news", news=str(uuid.uuid4()), **{**SENT, "text": "4111 1111 1111 1111"})
    assert (card["code"], card["field"]) == ("card_data_in_text", "text")
    for _ in range(3):
        assert (await operator.ask("send_news", news=str(uuid.uuid4()), **SENT))["type"] == "news_sent"
    fourth = await operator.ask("send_news", news=str(uuid.uuid4()), **SENT)
    assert fourth["code"] == "rate_limited" and fourth["retry_after_ms"] > 23 * 3_600_000
    first = (await operator.ask("news", limit=2))["news"]
    rest = await operator.ask("news", limit=2, before=first[-1]["sent_at"])
    assert (len(first), len(rest["news"]), "next_before" in rest) == (2, 1, False)


async def test_the_link_of_news_takes_the_consent_back_when_somebody_presses_the_button(
    hubs: Hubs,
    enter: Enter,
    join: Join,
    tenant: Tenant,
    pool: Pool,
    keys: Safe,
    admin: Pool,
    web: httpx2.AsyncClient,
) -> None:
    operator = await join(hubs.a, await enter(tenant, Role.OPERATOR, proved=True))
    await operator.ask("set_consent_purpose", purpose="offers", **WORDS)
    ana = await enter(tenant)
    client = await join(hubs.a, ana)
    await agree(client)
    news = str(uuid.uuid4())
    await operator.ask("send_news", news=news, **SENT)
    await spread_all(pool, tenant)
    key = await keys.secret(SECRET)
    link = f"{hubs.b.url}/u/{unsubscribe_token(key, tenant.id, news, ana.person)}"

    async def stands() -> tuple[bool, int]:
        (purpose,) = (await client.ask("consent_purposes"))["purposes"]
        waits = "select count(*) from notices where person_id = $1 and kind = 50 and heard_at is null"
        return purpose["given"], await admin.fetchval(waits, uuid.UUID(ana.person))

    # Who scans mails follows links.
    page = await web.get(link, headers={"accept-language": "en"})
    assert (page.status_code, "I want no more of them" in page.text) == (200, True)
    assert await stands() == (True, 1)
    # As RFC 8058 has it: no cookie, no log-in, no second question.
    done = await web.post(link, data={"List-Unsubscribe": "One-Click"}, headers={"accept-language": "en"})
    assert (done.status_code, "Done" in done.text) == (200, True)
    assert await stands() == (False, 0)
    (change, *_) = (await client.ask("consents"))["changes"]
    assert (change["given"], change["door"]) == (False, "mail")
    # Again, made up, or another's: the same answer.
    for token in (link.rpartition("/")[2], "A" * 64, "x", unsubscribe_token(b"k" * 32, tenant.id, news, ana.person)):
        again = await web.post(f"{hubs.a.url}/u/{token}", headers={"accept-language": "en"})
        assert (again.status_code, again.text) == (200, done.text)


def test_a_link_names_what_it_was_made_for_and_nothing_else_is_read() -> None:
    key, news, person = b"k" * 32, str(uuid.uuid4()), str(uuid.uuid4())
    token = unsubscribe_token(key, 2**31, news, person)
    assert read_unsubscribe(key, token) == (2**31, news, person)
    for other in (token[:-1], token + "A", "B" + token[1:], "é" * 64, "*" * 64, ""):
        assert read_unsubscribe(key, other) is None
    assert read_unsubscribe(b"x" * 32, token) is None
