"""A person with words of theirs in every place that a person's words can be: what an erasure has to find."""

import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time
from typing import NamedTuple

from core.audit.trail import By
from core.bulk.bulks import Order as BulkOrder
from core.bulk.bulks import approve_bulk, create_bulk
from core.bulk.lines import Ground
from core.bulk.posting import Ahead, post_some
from core.bulk.receiving import FORMATS, receive_file
from core.database import Pool, in_tenant
from core.keys.safe import Safe
from core.ledger.posting import post_payments
from core.ledger.recalling import set_account_metadata
from core.machines.api_keys import Wish, make_key
from core.machines.pairing import Proven, Wanted, make_code, pair_terminal
from core.machines.seats import Offer, invite
from core.notices.deliveries import Road
from core.notices.phones import register_phone
from core.nouns import Payment, PaymentStatus, SystemAccount
from core.payments.calendar import Plan, Rule
from core.payments.charges import Asked, create_charge
from core.payments.dispute_case import Actor
from core.payments.dispute_evidence import File, add_evidence
from core.payments.dispute_profiles import Reason
from core.payments.disputes import Opening, answer_dispute, decide_dispute, open_dispute
from core.payments.schedules import IfUnpaid, Order, cancel_schedule, create_schedule
from core.people.confirming import send_code
from core.people.external import link
from core.people.fields import Kind
from core.people.opening import Opened, Tenant, open_person
from core.people.persons import Role
from core.people.profiles import edit_profile
from core.people.providers import Provider, set_provider
from core.people.recovery import draw_codes
from core.people.sessions import Arrival, start_session
from core.people.sightings import name_session
from core.people.totp import begin_totp
from core.privacy.consents import Text, give, set_purpose
from core.privacy.requests import ask, respond
from core.privacy.states import RequestStatus, Right
from core.webhooks.webhooks import Wish as HookWish
from core.webhooks.webhooks import make_webhook

CANARY = "zq-canary"


class Words(NamedTuple):
    """What each side of a dispute says."""

    payers: str
    payees: str


class Planted(NamedTuple):
    """The person, whom they paid, and an operator."""

    person: Opened
    other: Opened
    operator: Opened
    session: str


async def plant(pool: Pool, keys: Safe, tenant: Tenant, mark: str) -> Planted:
    """A merchant who did everything that leaves words behind, and whose account is empty at the end."""
    name = f"{CANARY} {mark}"
    person = await open_person(pool, keys, tenant.id, Role.MERCHANT, name, f"{CANARY}.{mark}", "a long enough password")
    other = await open_person(pool, keys, tenant.id, Role.MERCHANT, f"Other {mark}")
    operator = await open_person(pool, keys, tenant.id, Role.OPERATOR, f"Operator {mark}")
    session = (await start_session(pool, tenant.id, person.person_id, Arrival("payhub-web", "192.0.2.0/24"))).session_id
    by = By(person.person_id, session, "192.0.2.0/24")
    await name_session(pool, tenant.id, person.person_id, session, name)
    await doors(pool, keys, tenant, person, name, by)
    said = {"trade_name": name, "email": f"{CANARY}.{mark}@example.com"}
    await edit_profile(pool, keys, tenant.id, person.person_id, said, [], By(operator.person_id))
    await send_code(pool, keys, tenant.id, person.person_id, Kind.EMAIL, by)
    await register_phone(pool, keys, tenant.id, person.person_id, session, Road.WEB, name, name, "pt")
    paid = str(uuid.uuid4())
    await pay(pool, tenant, SystemAccount.CASH_IN, person.account_id, 1_000, operator.person_id)
    await pay(pool, tenant, person.account_id, other.account_id, 300, person.person_id, paid, name, keys)
    await set_account_metadata(pool, tenant.id, person.account_id, json.dumps({"nickname": name}))
    await create_charge(
        pool,
        keys,
        tenant.id,
        person.person_id,
        Asked(str(uuid.uuid4()), person.account_id, 5, name, name, is_reusable=False, lasts_s=None),
    )
    order = Order(
        str(uuid.uuid4()),
        person.account_id,
        other.account_id,
        5,
        name,
        Plan(Rule.ONCE, date(2090, 1, 2), time(9)),
        1,
        3_600,
        IfUnpaid.SKIP,
    )
    await create_schedule(pool, keys, tenant.id, person.person_id, order)
    await cancel_schedule(pool, keys, tenant.id, order.id)
    await dispute(pool, keys, tenant, person, other, operator, paid, Words(name, "not theirs"))
    # The other way round: the person is the payee, and answers.
    received = str(uuid.uuid4())
    await pay(pool, tenant, other.account_id, person.account_id, 100, other.person_id, received)
    await dispute(pool, keys, tenant, other, person, operator, received, Words("not theirs", name))
    await bulk(pool, keys, tenant, person, other, operator, name)
    await set_purpose(pool, tenant.id, "marketing", Text("Ofertas", "Podemos?", "Offers", "May we?"), by)
    await give(pool, tenant.id, person.person_id, "marketing", 1, by, "web")
    asked = await ask(pool, keys, tenant.id, person.person_id, str(uuid.uuid4()), Right.OTHER, None, name, by)
    staff = By(operator.person_id)
    await respond(pool, keys, tenant.id, asked.id, RequestStatus.GRANTED, name, staff)
    await empty(pool, tenant, person, other)
    return Planted(person, other, operator, session)


async def doors(pool: Pool, keys: Safe, tenant: Tenant, person: Opened, name: str, by: By) -> None:
    """Everything that lets somebody in as this person, or speaks for them."""
    async with in_tenant(pool, tenant.id) as connection:
        cipher = await keys.one(tenant.id, person.person_id)
        await begin_totp(connection, cipher, tenant.id, person.person_id, name, tenant.name, name)
        await draw_codes(connection, tenant.id, person.person_id)
    provider = Provider("bank", "https://id.bank.example", "payhub", "sub", False, ["ES256"], False, False)
    await set_provider(pool, tenant.id, provider, by)
    await link(pool, keys, tenant.id, provider, person.person_id, name, by)
    await make_key(pool, keys, tenant.id, person.person_id, Wish(name, ["charges:read"]), by)
    url = f"https://{CANARY}.example/{by.session_id}"
    await make_webhook(pool, keys, tenant.id, person.person_id, HookWish(url, name, accounts=[person.account_id]), by)
    wanted = Wanted(person.account_id, name, may_refund=False)
    code = await make_code(pool, keys, tenant.id, person.person_id, wanted, by)
    proven = Proven(uuid.uuid4().hex + "x" * 11, "EdDSA", [str(uuid.uuid4())], datetime.now(UTC).timestamp() + 60)
    await pair_terminal(pool, keys, tenant.id, code.code, proven, None)
    await invite(pool, keys, tenant.id, person.person_id, Offer(name, ["charges:read"], login="nobody"), by)


async def pay(
    pool: Pool,
    tenant: Tenant,
    payer: int,
    payee: int,
    amount: int,
    asked_by: str,
    payment: str | None = None,
    words: str | None = None,
    keys: Safe | None = None,
) -> None:
    async with pool.acquire() as connection:
        one = Payment(tenant.id, payment or str(uuid.uuid4()), payer, payee, amount, asked_by, words)
        (posting,) = await post_payments(connection, [one], keys)
    assert posting.status == PaymentStatus.POSTED, posting


async def empty(pool: Pool, tenant: Tenant, person: Opened, other: Opened) -> None:
    """Pay everything out."""
    async with pool.acquire() as connection:
        left = await connection.fetchval("select balance from read_account($1, $2)", tenant.id, person.account_id)
    if left:
        await pay(pool, tenant, person.account_id, other.account_id, left, person.person_id)


async def dispute(
    pool: Pool, keys: Safe, tenant: Tenant, payer: Opened, payee: Opened, operator: Opened, payment: str, words: Words
) -> None:
    """A dispute that is argued about, and rejected. An operator's note is about the payer."""
    id_ = str(uuid.uuid4())
    paying, paid = Actor(payer.person_id, [payer.account_id]), Actor(payee.person_id, [payee.account_id])
    deciding = Actor(operator.person_id, [], is_operator=True)
    await open_dispute(pool, keys, tenant.id, paying, Opening(id_, payment, Reason.FRAUD, words.payers))
    for side, text in ((paying, words.payers), (paid, words.payees)):
        file = File(f"{text}.txt", "text/plain", text.encode())
        await add_evidence(pool, keys, tenant.id, side, id_, str(uuid.uuid4()), text, file)
    await answer_dispute(pool, keys, tenant.id, paid, id_, 0, words.payees)
    await decide_dispute(pool, keys, tenant.id, deciding, id_, 0, words.payers)


async def bulk(
    pool: Pool, keys: Safe, tenant: Tenant, person: Opened, other: Opened, operator: Opened, words: str
) -> None:
    """A file of payments with words in a line that is not posted: what is posted keeps its own."""
    order = BulkOrder(str(uuid.uuid4()), person.account_id, is_atomic=False)
    made = await create_bulk(pool, tenant.id, order, person.person_id)
    ground = Ground(person.account_id, False, tenant.currency, date(2026, 3, 1))
    text = f"payee,amount,description,reference\n{other.account_id},1,,\n5,1,{words},{words}\n"

    async def pieces() -> AsyncIterator[bytes]:
        yield text.encode()

    await receive_file(pool, keys, tenant.id, made, FORMATS["text/csv"], ground, pieces())
    await approve_bulk(pool, tenant.id, made.id, operator.person_id)
    ahead = Ahead(keys)
    while await post_some(pool, ahead=ahead, keys=keys):
        pass
