"""Charges at both doors: paid once, by whoever has them, and seen at once; and their page."""

import asyncio
import base64
import hashlib
import re
import uuid
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import httpx2
import pytest
import segno

from core.database import Pool
from core.payments.money import money
from core.people.opening import Tenant, create_tenant
from core.people.persons import Role
from hub.pages import language_of, moment
from tests.hub.conftest import Enter, Hubs, Join, Somebody, StartHub
from tests.hub.stranger import Stranger, Wire


async def create(client: Stranger, payee: Somebody, **fields: Any) -> Wire:
    answer = await client.ask("create_charge", **{"charge": str(uuid.uuid4()), "payee": payee.account} | fields)
    assert answer["type"] == "charge_state", answer
    charge: Wire = answer["charge"]
    return charge


async def test_of_many_who_pay_one_charge_at_once_one_does(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant
) -> None:
    shop = await enter(tenant, Role.MERCHANT)
    payers = [await enter(tenant, funds=100) for _ in range(8)]
    selling = await join(hubs.a, shop)
    clients = [await join((hubs.a, hubs.b)[at % 2], payer) for at, payer in enumerate(payers)]
    charge = await create(selling, shop, amount=100)
    answers = await asyncio.gather(
        *(
            client.pay(payer.account, shop.account, 100, charge=charge["charge"])
            for client, payer in zip(clients, payers, strict=True)
        )
    )
    assert sorted(answer["status"] for answer in answers) == ["charge_closed"] * 7 + ["posted"]
    state = (await selling.ask("charge", charge=charge["charge"]))["charge"]
    assert (state["status"], state["paid_count"], state["paid_amount"]) == ("paid", 1, 100)


async def test_a_charge_is_paid_as_it_says_or_not_at_all(hubs: Hubs, enter: Enter, join: Join, tenant: Tenant) -> None:
    shop, other = await enter(tenant, Role.MERCHANT), await enter(tenant, Role.MERCHANT)
    payer = await enter(tenant, funds=1_000)
    selling, paying = await join(hubs.a, shop), await join(hubs.a, payer)
    charge = (await create(selling, shop, amount=100, expires_in_s=1))["charge"]

    async def pay(payee: Somebody, amount: int, of: str) -> str:
        return str((await paying.pay(payer.account, payee.account, amount, charge=of))["status"])

    assert await pay(shop, 99, charge) == "charge_amount_differs"
    assert await pay(other, 100, charge) == "charge_not_found"
    assert await pay(shop, 100, str(uuid.uuid4())) == "charge_not_found"
    await asyncio.sleep(1.05)
    assert await pay(shop, 100, charge) == "charge_expired"
    assert (await paying.ask("charge", charge=charge))["charge"]["status"] == "expired"
    cancelled = (await create(selling, shop))["charge"]
    await selling.ask("cancel_charge", charge=cancelled)
    assert await pay(shop, 5, cancelled) == "charge_closed"
    poster = (await create(selling, shop, reusable=True))["charge"]
    assert [await pay(shop, amount, poster) for amount in (5, 7)] == ["posted", "posted"]
    state = (await selling.ask("charge", charge=poster))["charge"]
    assert (state["status"], state["paid_count"], state["paid_amount"]) == ("open", 2, 12)


async def test_the_same_charge_again_is_the_same_and_another_body_is_named(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant
) -> None:
    shop = await enter(tenant, Role.MERCHANT)
    client = await join(hubs.a, shop)
    id_ = str(uuid.uuid4())
    body = {"charge": id_, "payee": shop.account, "amount": 5, "description": "Tea"}
    first = await client.ask("create_charge", **body)
    assert (await client.ask("create_charge", **body))["charge"] == first["charge"]
    for field, value in (
        ("amount", 6),
        ("description", "x"),
        ("reference", "1"),
        ("reusable", True),
        ("expires_in_s", 9),
    ):
        answer = await client.ask("create_charge", **body | {field: value})
        assert (answer["code"], answer["field"]) == ("conflict", field)
    somebody = await enter(tenant)
    answer = await (await join(hubs.b, somebody)).ask("create_charge", **body | {"payee": somebody.account})
    assert (answer["code"], answer["field"]) == ("conflict", "charge")


async def test_charges_stay_within_their_tenant_and_their_owner(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, other_tenant: Tenant
) -> None:
    shop, stranger = await enter(tenant, Role.MERCHANT), await enter(tenant)
    foreigner = await enter(other_tenant, Role.OPERATOR)
    charge = await create(await join(hubs.a, shop), shop, amount=5)
    away, beside = await join(hubs.a, foreigner), await join(hubs.b, stranger)
    for client, type_, fields in (
        (away, "charge", {"charge": charge["charge"]}),
        (away, "cancel_charge", {"charge": charge["charge"]}),
        (away, "read_code", {"code": charge["code"]}),
        (away, "read_code", {"code": charge["link"]}),
        (away, "charges", {"account": shop.account}),
        (beside, "cancel_charge", {"charge": charge["charge"]}),
        (beside, "charges", {"account": shop.account}),
        (beside, "create_charge", {"charge": str(uuid.uuid4()), "payee": shop.account}),
    ):
        answer = await client.ask(type_, **fields)
        if type_ == "charges" and client is away:
            assert answer["charges"] == []  # an operator may ask for any account; there is none
            continue
        assert answer["code"] == "not_found", (type_, answer)


async def test_a_damaged_code_says_so_and_a_strange_one_is_not_there(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant
) -> None:
    shop = await enter(tenant, Role.MERCHANT)
    client = await join(hubs.a, shop)
    code = (await create(client, shop, amount=5))["code"]
    answer = await client.ask("read_code", code=code[:-1] + ("0" if code[-1] != "0" else "1"))
    assert (answer["code"], "Scan" in answer["message"]) == ("code_damaged", True)
    for strange in ("https://evil.example/c/x/y", f"https://x/c/{tenant.slug}/../../etc", "http://[::1]/c/a/b"):
        assert (await client.ask("read_code", code=strange))["code"] == "not_found"


async def test_a_payer_sees_what_it_needs_and_the_payee_sees_the_rest(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant
) -> None:
    shop, payer, operator = await enter(tenant, Role.MERCHANT), await enter(tenant), await enter(tenant, Role.OPERATOR)
    selling, paying, watching = await join(hubs.a, shop), await join(hubs.b, payer), await join(hubs.a, operator)
    made = await create(selling, shop, amount=5, description="Tea", reference="order 17", expires_in_s=60)
    own = {"reference": "order 17", "paid_count": 0, "paid_amount": 0}
    assert made.items() >= own.items()
    seen = (await paying.ask("charge", charge=made["charge"]))["charge"]
    # Each hub here goes by a name of its own.
    away = {"link", "code"}
    assert {key: seen[key] for key in seen.keys() - away} == {
        key: value for key, value in made.items() if key not in own.keys() | away
    }
    assert (await watching.ask("charge", charge=made["charge"]))["charge"] == made
    (listed,) = (await watching.ask("charges", account=shop.account))["charges"]
    assert listed == {key: value for key, value in made.items() if key not in away}


async def test_a_list_says_where_it_goes_on_and_tells_the_expired_from_the_open(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, admin: Pool
) -> None:
    shop = await enter(tenant, Role.MERCHANT)
    client = await join(hubs.a, shop)
    made = [(await create(client, shop, amount=5))["charge"] for _ in range(4)]
    await admin.execute("update charges set expires_at = clock_timestamp() where id = $1", made[1])
    page = await client.ask("charges", account=shop.account, limit=3)
    assert [one["charge"] for one in page["charges"]] == made[:0:-1]
    page = await client.ask("charges", account=shop.account, limit=3, before=page["next"])
    assert ([one["charge"] for one in page["charges"]], "next" in page) == ([made[0]], False)
    page = await client.ask("charges", account=shop.account, status="expired")
    assert [(one["charge"], one["status"]) for one in page["charges"]] == [(made[1], "expired")]
    page = await client.ask("charges", account=shop.account, status="open")
    assert [one["charge"] for one in page["charges"]] == [made[3], made[2], made[0]]


async def test_the_qr_code_is_drawn_for_whoever_may_read_the_charge(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, other_tenant: Tenant, web: httpx2.AsyncClient
) -> None:
    shop, payer, foreigner = await enter(tenant, Role.MERCHANT), await enter(tenant), await enter(other_tenant)
    charge = await create(await join(hubs.a, shop), shop, amount=5)
    url = f"{hubs.a.url}/v1/charges/{charge['charge']}/qr.svg"

    async def draw(url: str, who: Somebody | None) -> httpx2.Response:
        return await web.get(url, headers={} if who is None else {"authorization": f"Bearer {who.token}"})

    picture = await draw(url, payer)
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/svg+xml")
    documented = (await web.get(f"{hubs.a.url}/docs/openapi.json")).json()["paths"]["/v1/charges/{charge}/qr.svg"]
    assert list(documented["get"]["responses"]["200"]["content"]) == ["image/svg+xml"]
    svg = ElementTree.fromstring(picture.text)
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    assert picture.text.count("<path") == 2  # white paper, black modules
    path = svg.findall("{*}path")[-1].attrib["d"]
    assert modules(path) == {
        (x, y) for y, row in enumerate(segno.make(charge["code"], error="m").matrix) for x, one in enumerate(row) if one
    }
    missing = [url.replace(charge["charge"], str(uuid.uuid4())), url]
    refused = [await draw(missing[0], payer), await draw(missing[1], foreigner)]
    assert [(one.status_code, one.json()["code"]) for one in refused] == [(404, "not_found")] * 2
    assert refused[0].json() == refused[1].json()
    assert (await draw(url, None)).status_code == 401
    assert (await draw(url.replace(charge["charge"], "x"), payer)).status_code == 422


def modules(path: str) -> set[tuple[int, int]]:
    """The black modules that an SVG path of horizontal strokes covers, without the quiet zone."""
    found, x, y = set(), 0.0, 0.0
    for kind, arguments in re.findall("([Mmh])([^Mmh]*)", path):
        numbers = [float(one) for one in re.findall(r"-?[0-9]*\.?[0-9]+", arguments)]
        if kind == "h":
            found |= {(int(x) + step - 4, int(y) - 4) for step in range(int(numbers[0]))}
            x += numbers[0]
        else:
            x, y = (numbers[0], numbers[1]) if kind == "M" else (x + numbers[0], y + numbers[1])
    return found


def path_of(charge: Wire) -> str:
    return re.sub("^https?://[^/]+", "", str(charge["link"]))


async def test_the_page_shows_what_to_pay_in_the_readers_language(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, web: httpx2.AsyncClient
) -> None:
    shop = await enter(tenant, Role.MERCHANT)
    client = await join(hubs.a, shop)
    charge = await create(client, shop, amount=123_456, description="<script>alert(1)</script>", reference="secret 17")
    for language, amount, word in (
        ("pt-BR", "R$\u00a01.234,56", "Pagar para"),
        ("en-GB,en;q=0.9", "R$1,234.56", "Pay to"),
    ):
        page = await web.get(hubs.a.url + path_of(charge), headers={"accept-language": language})
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        for there in (amount, word, "&lt;script&gt;alert", charge["code"], "<svg", "zq-canary MERCHANT"):
            assert there in page.text, there
        for nowhere in ("<script>alert", "secret 17", 'src="', 'href="', "url(", "@import", " style="):
            assert nowhere not in page.text, nowhere
        # No request leaves the page, and nothing runs in it but what it was made with.
        assert set(re.findall("https?://[^/]+", page.text)) <= {"http://www.w3.org"}


async def test_the_pages_policy_allows_its_own_style_and_script_and_nothing_else(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, web: httpx2.AsyncClient
) -> None:
    shop = await enter(tenant, Role.MERCHANT)
    charge = await create(await join(hubs.a, shop), shop)
    page = await web.get(hubs.a.url + path_of(charge))
    (style,), (script,) = (re.findall(f"<{tag}>(.*?)</{tag}>", page.text, re.DOTALL) for tag in ("style", "script"))

    def sha256(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "style-src": sha256(style),
        "script-src": sha256(script),
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    assert (page.headers["referrer-policy"], page.headers["cache-control"]) == ("no-referrer", "no-store")
    assert page.headers["x-content-type-options"] == "nosniff"


async def test_every_address_that_leads_nowhere_shows_the_same_page(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, other_tenant: Tenant, web: httpx2.AsyncClient
) -> None:
    shop = await enter(tenant, Role.MERCHANT)
    charge = await create(await join(hubs.a, shop), shop)
    missing = [
        f"/c/{tenant.slug}/{uuid.uuid4()}",
        f"/c/nobody-here/{charge['charge']}",
        f"/c/{other_tenant.slug}/{charge['charge']}",
        f"/c/{tenant.slug}/nonsense",
        f"/c/{tenant.slug}/{charge['charge'].upper()}",
        f"/c/{tenant.slug}/{charge['charge']}%0a",
        f"/c/%00/{charge['charge']}",
        f"/c/%c3%a9/{charge['charge']}",
    ]
    pages = [await web.get(hubs.a.url + one) for one in missing]
    assert {(page.status_code, page.text) for page in pages} == {(404, pages[0].text)}
    assert {tuple((key, page.headers[key]) for key in page.headers if key != "x-trace-id") for page in pages} == {
        tuple((key, pages[0].headers[key]) for key in pages[0].headers if key != "x-trace-id")
    }


async def test_a_page_of_a_charge_that_is_over_shows_no_code(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, web: httpx2.AsyncClient, admin: Pool
) -> None:
    shop, payer = await enter(tenant, Role.MERCHANT), await enter(tenant, funds=100)
    selling, paying = await join(hubs.a, shop), await join(hubs.a, payer)
    paid, cancelled, expired = [await create(selling, shop, amount=5, expires_in_s=60) for _ in range(3)]
    english = {"accept-language": "en"}
    assert "Valid until" in (await web.get(hubs.a.url + path_of(expired), headers=english)).text
    assert (await paying.pay(payer.account, shop.account, 5, charge=paid["charge"]))["status"] == "posted"
    await selling.ask("cancel_charge", charge=cancelled["charge"])
    await admin.execute("update charges set expires_at = clock_timestamp() where id = $1", expired["charge"])
    for charge, word in ((paid, "has been made"), (cancelled, "was cancelled"), (expired, "has expired")):
        page = await web.get(hubs.a.url + path_of(charge), headers=english)
        assert page.status_code == 200
        assert word in page.text
        assert "<svg" not in page.text
        assert charge["code"] not in page.text


async def test_where_the_money_is_no_real_the_code_is_the_link(
    hubs: Hubs, enter: Enter, join: Join, admin: Pool, web: httpx2.AsyncClient
) -> None:
    tenant = await create_tenant(admin, f"y{uuid.uuid4().hex[:12]}", "Yen", "JPY", "Asia/Tokyo", "JP")
    shop, payer = await enter(tenant, Role.MERCHANT), await enter(tenant)
    charge = await create(await join(hubs.a, shop), shop, amount=1_500, expires_in_s=60)
    assert charge["code"] == charge["link"]
    seen = await (await join(hubs.a, payer)).ask("read_code", code=charge["code"])
    assert seen["charge"]["charge"] == charge["charge"]
    page = await web.get(hubs.a.url + path_of(charge), headers={"accept-language": "en"})
    assert "JPY\u00a01,500<" in page.text
    assert "(GMT+9)" in page.text


async def test_whoever_opens_pages_without_end_is_told_to_wait(
    start_hub: StartHub, tenant: Tenant, web: httpx2.AsyncClient
) -> None:
    hub = await start_hub("pages")
    for _ in range(60):
        pages = await asyncio.gather(*(web.get(f"{hub.url}/c/{tenant.slug}/x") for _ in range(20)))
        late = [page for page in pages if page.status_code == 429]
        if late:
            break
    assert int(late[0].headers["retry-after"]) >= 1
    assert "<main>" in late[0].text


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "pt"),
        ("en", "en"),
        ("EN-us", "en"),
        ("pt-PT, en;q=0.8", "pt"),
        ("en;q=0.4, pt;q=0.5", "pt"),
        ("fr, de;q=0.9, en;q=0.1", "en"),
        ("fr", "pt"),
        ("en;q=0", "pt"),
        ("en;q=nan, en;q=9, eng, enx-US", "pt"),
        ("*", "pt"),
        ("fr," * 5_000 + "en", "pt"),
    ],
)
def test_a_page_is_portuguese_unless_english_is_preferred(header: str, language: str) -> None:
    assert language_of(header) == language


@pytest.mark.parametrize(
    ("amount", "currency", "portuguese", "english"),
    [
        (1, "BRL", "R$\u00a00,01", "R$0.01"),
        (10**13, "BRL", "R$\u00a0100.000.000.000,00", "R$100,000,000,000.00"),
        (1_500, "JPY", "JPY\u00a01.500", "JPY\u00a01,500"),
        (1_500, "KWD", "KWD\u00a01,500", "KWD\u00a01.500"),
        (1_500, "CHF", "CHF\u00a015,00", "CHF\u00a015.00"),
    ],
)
def test_money_is_written_as_the_reader_writes_it(amount: int, currency: str, portuguese: str, english: str) -> None:
    assert (money(amount, currency, "pt"), money(amount, currency, "en")) == (portuguese, english)


def test_a_moment_is_told_on_the_tenants_clocks() -> None:
    at = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)
    assert moment(at, "America/Sao_Paulo", "pt") == "28/02/2026, 23:30 (GMT-3)"
    assert moment(at, "Asia/Kolkata", "en") == "01 Mar 2026, 08:00 (GMT+5:30)"
    assert moment(at, "UTC", "en") == "01 Mar 2026, 02:30 (GMT)"


@pytest.mark.parametrize("field", ["amount", "expires_in_s"])
@pytest.mark.parametrize("bad", [0, -1, 1.5, "5", True, 10**16, None])
async def test_a_charge_asks_for_whole_numbers_in_range(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, field: str, bad: Any
) -> None:
    shop = await enter(tenant, Role.MERCHANT)
    client = await join(hubs.a, shop)
    answer = await client.ask("create_charge", charge=str(uuid.uuid4()), payee=shop.account, **{field: bad})
    assert (answer["code"], answer["field"]) == ("invalid_field", field)
