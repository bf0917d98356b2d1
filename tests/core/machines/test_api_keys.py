"""API keys in the database: shown once, traded while they live, and in the trail with every step."""

import asyncio
import datetime
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from core.audit.trail import By, read_trail
from core.database import Pool, acquire, in_tenant
from core.errors import KeysUnavailable, NotFound, Refusal
from core.keys.safe import Safe
from core.machines.api_keys import (
    KEYS_MAX,
    KeyRefused,
    Made,
    Wish,
    list_keys,
    make_key,
    note_refused,
    revoke_key,
    rotate_key,
    trade_key,
)
from core.machines.secret import draw_secret
from core.people.opening import Tenant, open_person
from core.people.persons import PersonStatus, Role
from core.people.roles import set_role
from core.people.sessions import end_session, find_revoked, forget_ended
from tests.core.people.standings import stand

HOUR = datetime.timedelta(hours=1)
ZERO = datetime.timedelta(0)
HERE, NETWORK = "192.0.2.7", "192.0.2.0/24"

MakeKey = Callable[..., Awaitable[Made]]


@pytest_asyncio.fixture
async def shop(keys: Safe, pool: Pool, tenant: Tenant) -> str:
    return (await open_person(pool, keys, tenant.id, Role.MERCHANT, "A shop")).person_id


@pytest.fixture
def make(keys: Safe, pool: Pool, tenant: Tenant, shop: str) -> MakeKey:
    async def make_(**wish: Any) -> Made:
        given = {"name": "Website", "scopes": ["charges:read", "charges:write"], **wish}
        return await make_key(pool, keys, tenant.id, shop, Wish(**given), By(shop, str(uuid.uuid4()), NETWORK))

    return make_


async def refusal(pool: Pool, tenant_id: int, secret: str, host: str | None = HERE) -> KeyRefused:
    with pytest.raises(KeyRefused) as refused:
        await trade_key(pool, tenant_id, secret, host, NETWORK)
    return refused.value


async def whats(pool: Pool, tenant: Tenant, about: str) -> list[str]:
    return [entry.what for entry in reversed(await read_trail(pool, tenant.id, 50, about=about))]


async def test_a_key_is_traded_for_what_it_was_made_for(
    keys: Safe, pool: Pool, tenant: Tenant, shop: str, make: MakeKey
) -> None:
    made = await make(lasts=HOUR, networks=["192.0.2.0/24"])
    trade = await trade_key(pool, tenant.id, made.secret, HERE, NETWORK)
    assert (trade.key_id, trade.person_id, trade.role) == (made.key.id, shop, Role.MERCHANT)
    assert trade.scopes == ["charges:read", "charges:write"]
    assert trade.expires_at == made.key.expires_at
    # Its session is its own, and lives.
    assert await find_revoked(pool, [(tenant.id, made.key.id)]) == []
    (listed,) = await list_keys(pool, keys, tenant.id, shop, By(shop))
    assert (listed.last_used_on, listed.last_used_network) == (datetime.datetime.now(datetime.UTC).date(), NETWORK)
    assert listed.networks == ["192.0.2.0/24"]
    assert listed._replace(last_used_on=None, last_used_network=None) == made.key


async def test_the_secret_is_nowhere_but_in_the_answer(pool: Pool, tenant: Tenant, make: MakeKey) -> None:
    made = await make()
    assert made.secret not in repr(made)
    async with in_tenant(pool, tenant.id) as connection:
        for table in ("api_keys", "sessions", "audit_entries"):
            text = await connection.fetchval(f"select coalesce(string_agg({table}::text, ' '), '') from {table}")
            assert made.secret not in text
            assert made.secret[8:40] not in text
        # What is shown again tells three of its forty-nine characters.
        assert await connection.fetchval("select beginning from api_keys") == made.secret[:7]


async def test_whatever_is_wrong_with_a_key_reads_alike(
    keys: Safe, pool: Pool, tenant: Tenant, other_tenant: Tenant, make: MakeKey
) -> None:
    revoked, over, elsewhere, ended = [
        await make(networks=networks) for networks in (None, None, ["198.51.100.0/24"], None)
    ]
    await revoke_key(pool, keys, tenant.id, revoked.key.id, By())
    await rotate_key(pool, keys, tenant.id, over.key.id, ZERO, None, By())
    async with in_tenant(pool, tenant.id) as connection:
        await end_session(connection, tenant.id, ended.key.id)
    there = await open_person(pool, keys, other_tenant.id, Role.MERCHANT, "There")
    foreign = await make_key(
        pool, keys, other_tenant.id, there.person_id, Wish("x", ["charges:read"]), By(there.person_id)
    )
    refusals = [
        await refusal(pool, tenant.id, secret)
        for secret in (
            revoked.secret,
            over.secret,
            elsewhere.secret,
            ended.secret,
            foreign.secret,
            draw_secret(),
            "phk_nonsense",
            "",
            "\ud800",
        )
    ]
    assert len({(type(one), str(one), one.args) for one in refusals}) == 1
    assert [one.why for one in refusals] == ["over", "over", "network", "over", *[None] * 5]


@pytest.mark.parametrize(
    ("networks", "host", "works"),
    [
        (None, HERE, True),
        (None, None, True),
        (["192.0.2.0/24"], HERE, True),
        (["192.0.2.0/24"], "::ffff:192.0.2.7", True),
        (["192.0.2.8/32", "192.0.2.7/32"], HERE, True),
        (["192.0.2.8/32"], HERE, False),
        (["192.0.2.0/24"], None, False),
        (["192.0.2.0/24"], "unix", False),
        (["2001:db8::/48"], HERE, False),
    ],
)
async def test_a_key_works_from_its_networks_alone(
    pool: Pool, tenant: Tenant, make: MakeKey, networks: list[str] | None, host: str | None, works: bool
) -> None:
    made = await make(networks=networks)
    if works:
        await trade_key(pool, tenant.id, made.secret, host, NETWORK)
    else:
        assert (await refusal(pool, tenant.id, made.secret, host)).why == "network"


async def test_both_keys_work_until_the_overlap_is_over(
    keys: Safe, pool: Pool, tenant: Tenant, shop: str, make: MakeKey
) -> None:
    old = await make(networks=["192.0.2.0/24"], lasts=10 * HOUR)
    new, before = await rotate_key(pool, keys, tenant.id, old.key.id, datetime.timedelta(seconds=1), None, By(shop))
    assert (before.id, before.successor) == (old.key.id, new.key.id)
    assert (new.key.scopes, new.key.networks, new.key.name) == (old.key.scopes, old.key.networks, old.key.name)
    assert new.key.expires_at is not None
    assert old.key.expires_at is not None
    assert new.key.expires_at - new.key.made_at == old.key.expires_at - old.key.made_at
    for one in (old, new):
        assert (await trade_key(pool, tenant.id, one.secret, HERE, NETWORK)).key_id == one.key.id
    assert (await trade_key(pool, tenant.id, old.secret, HERE, NETWORK)).expires_at == before.expires_at
    await asyncio.sleep(1.1)
    assert (await refusal(pool, tenant.id, old.secret)).why == "over"
    await trade_key(pool, tenant.id, new.secret, HERE, NETWORK)
    # The old one's session is over with it, so that its sockets are closed.
    pairs = [(tenant.id, old.key.id), (tenant.id, new.key.id)]
    assert await find_revoked(pool, pairs) == pairs[:1]


async def test_an_overlap_never_makes_a_key_live_longer(keys: Safe, pool: Pool, tenant: Tenant, make: MakeKey) -> None:
    old = await make(lasts=HOUR)
    _, before = await rotate_key(pool, keys, tenant.id, old.key.id, 20 * HOUR, 50 * HOUR, By())
    assert before.expires_at == old.key.expires_at


async def test_a_key_is_rotated_once_and_only_while_it_lives(
    keys: Safe, pool: Pool, tenant: Tenant, make: MakeKey
) -> None:
    rotated, revoked = await make(), await make()
    await rotate_key(pool, keys, tenant.id, rotated.key.id, HOUR, None, By())
    await revoke_key(pool, keys, tenant.id, revoked.key.id, By())
    for one in (rotated, revoked):
        with pytest.raises(Refusal) as refused:
            await rotate_key(pool, keys, tenant.id, one.key.id, HOUR, None, By())
        assert refused.value.code == "key_over"


async def test_of_two_rotations_at_once_one_is_done(keys: Safe, pool: Pool, tenant: Tenant, make: MakeKey) -> None:
    for _ in range(5):
        key = (await make()).key
        answers = await asyncio.gather(
            *(rotate_key(pool, keys, tenant.id, key.id, HOUR, None, By()) for _ in range(4)), return_exceptions=True
        )
        assert sum(isinstance(answer, Refusal) for answer in answers) == 3


async def test_a_revoked_key_is_over_with_its_session_and_stays_so(
    keys: Safe, pool: Pool, tenant: Tenant, make: MakeKey
) -> None:
    made = await make()
    first = await revoke_key(pool, keys, tenant.id, made.key.id, By())
    again = await revoke_key(pool, keys, tenant.id, made.key.id, By())
    assert first.revoked_at == again.revoked_at is not None
    assert await find_revoked(pool, [(tenant.id, made.key.id)]) == [(tenant.id, made.key.id)]
    assert (await whats(pool, tenant, made.key.id)).count("api_key.revoked") == 1


async def test_a_revoked_key_stays_refused_when_its_session_has_been_forgotten(
    keys: Safe, pool: Pool, tenant: Tenant, shop: str, make: MakeKey
) -> None:
    made = await make()
    await revoke_key(pool, keys, tenant.id, made.key.id, By())
    await forget_ended(pool, datetime.timedelta(0), 10_000)
    await refusal(pool, tenant.id, made.secret)
    assert [key.revoked_at is None for key in await list_keys(pool, keys, tenant.id, shop, By(shop))] == [False]


async def test_a_merchant_has_so_many_keys_and_no_more(
    keys: Safe, pool: Pool, tenant: Tenant, shop: str, make: MakeKey
) -> None:
    answers = await asyncio.gather(*(make() for _ in range(KEYS_MAX + 6)), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    assert (len(refused), {one.code for one in refused}) == (6, {"too_many_keys"})
    # Each of them can be rotated all the same, but not again and again.
    own = [key.id for key in await list_keys(pool, keys, tenant.id, shop, By(shop))]
    for key in own:
        await rotate_key(pool, keys, tenant.id, key, HOUR, None, By(shop))
    newest = (await list_keys(pool, keys, tenant.id, shop, By(shop)))[0].id
    with pytest.raises(Refusal) as too_many:
        await rotate_key(pool, keys, tenant.id, newest, HOUR, None, By(shop))
    assert too_many.value.code == "too_many_keys"
    await revoke_key(pool, keys, tenant.id, own[0], By(shop))
    await rotate_key(pool, keys, tenant.id, newest, HOUR, None, By(shop))


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.OPERATOR])
async def test_nobody_but_a_merchant_has_keys(keys: Safe, pool: Pool, tenant: Tenant, role: Role) -> None:
    person = (await open_person(pool, keys, tenant.id, role, "Somebody")).person_id
    with pytest.raises(NotFound):
        await make_key(pool, keys, tenant.id, person, Wish("x", ["charges:read"]), By(person))


@pytest.mark.parametrize("status", [PersonStatus.PENDING, PersonStatus.BLOCKED])
async def test_a_key_is_silent_while_its_merchant_is_not_active(
    pool: Pool, tenant: Tenant, shop: str, make: MakeKey, status: PersonStatus
) -> None:
    made = await make()
    assert (await stand(pool, tenant.id, shop, status)).ended == [made.key.id]
    assert (await refusal(pool, tenant.id, made.secret)).why == "person"
    assert await find_revoked(pool, [(tenant.id, made.key.id)]) == [(tenant.id, made.key.id)]
    await stand(pool, tenant.id, shop, PersonStatus.ACTIVE)
    assert await find_revoked(pool, [(tenant.id, made.key.id)]) == []
    assert (await trade_key(pool, tenant.id, made.secret, HERE, NETWORK)).key_id == made.key.id


async def test_a_key_ends_with_its_merchant_and_with_being_one(
    keys: Safe, pool: Pool, tenant: Tenant, shop: str, make: MakeKey
) -> None:
    made = await make()
    operator = (await open_person(pool, keys, tenant.id, Role.OPERATOR, "Olívia")).person_id
    assert (await set_role(pool, tenant.id, shop, Role.CUSTOMER, By(operator))).ended == [made.key.id]
    assert (await refusal(pool, tenant.id, made.secret)).why == "over"
    # Being a merchant again brings no key back.
    await set_role(pool, tenant.id, shop, Role.MERCHANT, By(operator))
    assert (await refusal(pool, tenant.id, made.secret)).why == "over"
    closed = await make()
    assert (await stand(pool, tenant.id, shop, PersonStatus.CLOSED)).ended == [closed.key.id]
    assert (await refusal(pool, tenant.id, closed.secret)).why == "over"
    assert all(key.revoked_at is not None for key in await list_keys(pool, keys, tenant.id, shop, By(shop)))


async def test_what_others_are_shown_of_keys_is_written_down(
    keys: Safe, pool: Pool, tenant: Tenant, shop: str, make: MakeKey
) -> None:
    operator = str(uuid.uuid4())
    await list_keys(pool, keys, tenant.id, shop, By(operator))
    await make()
    await list_keys(pool, keys, tenant.id, shop, By(shop))
    assert await read_trail(pool, tenant.id, 50, what="personal_data.read") == []
    await list_keys(pool, keys, tenant.id, shop, By(operator))
    (entry,) = await read_trail(pool, tenant.id, 50, what="personal_data.read")
    assert (entry.who, entry.about, entry.details) == (operator, shop, {"api_keys": 1})


async def test_another_merchants_key_is_like_none(
    keys: Safe, pool: Pool, tenant: Tenant, other_tenant: Tenant, make: MakeKey
) -> None:
    made = await make()
    somebody = str(uuid.uuid4())
    for tenant_id, key_id, whose in (
        (tenant.id, made.key.id, somebody),
        (tenant.id, str(uuid.uuid4()), None),
        (other_tenant.id, made.key.id, None),
    ):
        with pytest.raises(NotFound):
            await revoke_key(pool, keys, tenant_id, key_id, By(), whose=whose)
        with pytest.raises(NotFound):
            await rotate_key(pool, keys, tenant_id, key_id, HOUR, None, By(), whose=whose)
    await trade_key(pool, tenant.id, made.secret, HERE, NETWORK)


async def test_every_step_is_in_the_trail_and_none_tells_a_secret(
    keys: Safe, pool: Pool, tenant: Tenant, shop: str, make: MakeKey
) -> None:
    made = await make(name="zq-canary name")
    for _ in range(2):
        await trade_key(pool, tenant.id, made.secret, HERE, NETWORK)
    new, _ = await rotate_key(pool, keys, tenant.id, made.key.id, HOUR, None, By(shop))
    await revoke_key(pool, keys, tenant.id, made.key.id, By(shop))
    await note_refused(pool, tenant.id, await refusal(pool, tenant.id, made.secret), NETWORK)
    await note_refused(pool, tenant.id, await refusal(pool, tenant.id, draw_secret()), NETWORK)
    assert await whats(pool, tenant, made.key.id) == [
        "api_key.made",
        "api_key.used",
        "api_key.used",
        "api_key.rotated",
        "api_key.revoked",
        "api_key.refused",
    ]
    entries = await read_trail(pool, tenant.id, 50)
    assert len(entries) == 6
    used = next(entry for entry in entries if entry.what == "api_key.used")
    assert (used.who, used.session_id, used.network) == (shop, made.key.id, NETWORK)
    rotated = next(entry for entry in entries if entry.what == "api_key.rotated")
    assert rotated.details is not None
    assert rotated.details["successor"] == new.key.id
    assert "zq-canary" not in str(entries)
    assert "phk_" not in str(entries)


async def test_the_serving_role_cannot_widen_a_key(pool: Pool, tenant: Tenant, make: MakeKey) -> None:
    await make()
    for change in ("scopes = '{payments:write}'", "networks = null", "person_id = made_by", "hash = ''"):
        with pytest.raises(Exception, match="permission denied"):
            async with acquire(pool) as connection:
                await connection.execute(f"update api_keys set {change}")


async def test_a_leaked_key_is_revoked_while_no_name_can_be_read(
    keys: Safe, pool: Pool, tenant: Tenant, shop: str, make: MakeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await make(name="Website")
    assert [key.name for key in await list_keys(pool, keys, tenant.id, shop, By(shop))] == ["Website"]

    async def away(*_: object, **__: object) -> None:
        raise KeysUnavailable

    monkeypatch.setattr(keys, "of", away)
    assert [key.name for key in await list_keys(pool, keys, tenant.id, shop, By(shop))] == [None]
    await trade_key(pool, tenant.id, made.secret, HERE, NETWORK)
    assert (await revoke_key(pool, keys, tenant.id, made.key.id, By(shop))).revoked_at is not None
    await refusal(pool, tenant.id, made.secret)
    # A new one would have a name that nobody could seal.
    with pytest.raises(KeysUnavailable):
        await make()
    with pytest.raises(KeysUnavailable):
        await rotate_key(pool, keys, tenant.id, made.key.id, HOUR, None, By(shop))


async def test_a_name_is_sealed_where_it_lies_and_a_successor_has_it_too(
    keys: Safe, pool: Pool, tenant: Tenant, shop: str, make: MakeKey
) -> None:
    made = await make(name="zq-canary name")
    new, old = await rotate_key(pool, keys, tenant.id, made.key.id, HOUR, None, By(shop))
    assert new.key.name == old.name == "zq-canary name"
    assert [key.name for key in await list_keys(pool, keys, tenant.id, shop, By(shop))] == ["zq-canary name"] * 2
    async with in_tenant(pool, tenant.id) as connection:
        text = await connection.fetchval("select string_agg(api_keys::text, ' ') from api_keys")
    assert b"zq-canary".hex() not in text
    assert "zq-canary" not in text
