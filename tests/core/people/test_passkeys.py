"""Passkeys: an honest authenticator is believed, and none of the lies is."""

import copy
import json
import secrets
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from core.database import Pool, in_tenant
from core.errors import Conflict, ProofRefused
from core.people.factors import Credential, read_offer
from core.people.opening import Tenant, open_person
from core.people.passkeys import (
    RelyingParty,
    creation_options,
    note_copied,
    read_assertion,
    read_registration,
    register_passkey,
    relying_party,
    request_options,
    use_passkey,
)
from core.people.persons import Role
from tests.authenticator import BACKED_UP, BACKUP_ELIGIBLE, USER_PRESENT, USER_VERIFIED, Authenticator, Passkey, encode
from tests.conftest import the_keys

PARTY = RelyingParty("pay.example.com", "Payhub", ("https://pay.example.com", "https://app.pay.example.com"))
ORIGIN = "https://app.pay.example.com"
CHALLENGE = bytes(range(48))


class Desk(NamedTuple):
    """Somebody at the counter with an authenticator, and the way to hand over what it answers."""

    pool: Pool
    tenant: Tenant
    person: str
    key: Authenticator

    async def register(self, **lies: Any) -> str:
        options = creation_options(PARTY, CHALLENGE, self.person, "ana", "Ana", ())
        answer = read_registration(self.key.create(options, **lies))
        async with in_tenant(self.pool, self.tenant.id) as connection:
            return await register_passkey(connection, PARTY, self.tenant.id, self.person, "Key", answer)

    async def use(
        self, person: str | None = "own", needs_verification: bool = False, passkey: Passkey | None = None, **lies: Any
    ) -> Any:
        options = request_options(PARTY, CHALLENGE, (), needs_verification=needs_verification)
        answer = read_assertion(self.key.get(options, passkey, **lies))
        async with in_tenant(self.pool, self.tenant.id) as connection:
            return await use_passkey(
                connection,
                PARTY,
                self.tenant.id,
                self.person if person == "own" else person,
                answer,
                needs_verification=needs_verification,
            )


@pytest_asyncio.fixture
async def desk(pool: Pool, tenant: Tenant) -> Desk:
    person = (await open_person(pool, the_keys(), tenant.id, Role.CUSTOMER, "Ana")).person_id
    return Desk(pool, tenant, person, Authenticator(ORIGIN))


async def reason(trying: Awaitable[Any]) -> str:
    with pytest.raises(ProofRefused) as refused:
        await trying
    return refused.value.reason


@pytest.mark.parametrize("is_ed25519", [False, True])
@pytest.mark.parametrize("counts", [False, True])
async def test_an_honest_passkey_is_registered_and_believed(desk: Desk, is_ed25519: bool, counts: bool) -> None:
    desk.key.is_ed25519, desk.key.counts = is_ed25519, counts
    factor = await desk.register()
    for _ in range(3):
        used = await desk.use()
        assert used == (factor, desk.person, True)
        assert (await desk.use(person=None, needs_verification=True)).person_id == desk.person
    offer = await read_offer(desk.pool, desk.tenant.id, desk.person)
    assert offer.passkeys == (Credential(desk.key.passkeys[0].id, ("internal", "hybrid")),)


async def test_what_a_browser_is_asked_for(desk: Desk) -> None:
    known = Credential(b"known", ("usb",))
    options = json.loads(creation_options(PARTY, CHALLENGE, desk.person, "ana", "Ana Souza", [known]))
    assert options["rp"] == {"name": "Payhub", "id": "pay.example.com"}
    assert options["user"] == {"id": encode(uuid.UUID(desk.person).bytes), "name": "ana", "displayName": "Ana Souza"}
    assert options["challenge"] == encode(CHALLENGE)
    assert [one["alg"] for one in options["pubKeyCredParams"]] == [-8, -7, -257]
    assert options["excludeCredentials"] == [{"id": encode(b"known"), "type": "public-key", "transports": ["usb"]}]
    assert options["attestation"] == "none"
    assert options["authenticatorSelection"]["residentKey"] == "preferred"
    asked = json.loads(request_options(PARTY, CHALLENGE, [known], needs_verification=True))
    assert (asked["rpId"], asked["userVerification"]) == ("pay.example.com", "required")


LIES: dict[str, dict[str, Any]] = {
    "another origin": {"origin": "https://evil.example"},
    "an origin that begins alike": {"origin": "https://pay.example.com.evil.example"},
    "an origin of another scheme": {"origin": "http://pay.example.com"},
    "an origin of another port": {"origin": "https://pay.example.com:8443"},
    "a subdomain that is not on the list": {"origin": "https://other.pay.example.com"},
    "no origin": {"origin": None},
    "another relying party": {"rp_id": "evil.example"},
    "another challenge": {"challenge": encode(b"x" * 48)},
    "nobody there": {"flags": 0x40},
    "a challenge that is no text": {"challenge": 7},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
async def test_no_lie_is_registered(desk: Desk, lie: dict[str, Any]) -> None:
    options = creation_options(PARTY, CHALLENGE, desk.person, "ana", "Ana", ())

    async def register() -> None:
        answer = read_registration(desk.key.create(options, **lie))
        async with in_tenant(desk.pool, desk.tenant.id) as connection:
            await register_passkey(
                connection, PARTY, desk.tenant.id, desk.person, "Key", answer._replace(challenge=CHALLENGE)
            )

    assert await reason(register()) in {"registration_refused", "answer_unreadable"}
    assert (await read_offer(desk.pool, desk.tenant.id, desk.person)).is_empty


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
async def test_no_lie_is_believed(desk: Desk, lie: dict[str, Any]) -> None:
    await desk.register()
    flags = {"flags": 0} if "flags" in lie else {}
    options = request_options(PARTY, CHALLENGE, (), needs_verification=False)

    async def use() -> None:
        answer = read_assertion(desk.key.get(options, **{**lie, **flags}))
        async with in_tenant(desk.pool, desk.tenant.id) as connection:
            await use_passkey(connection, PARTY, desk.tenant.id, desk.person, answer._replace(challenge=CHALLENGE))

    assert await reason(use()) in {"passkey_refused", "answer_unreadable"}
    assert (await desk.use()).person_id == desk.person


async def test_an_answer_from_within_another_page_is_refused(desk: Desk) -> None:
    assert await reason(desk.register(cross_origin=True)) == "answer_from_a_frame"
    await desk.register()
    assert await reason(desk.use(cross_origin=True)) == "answer_from_a_frame"


async def test_an_answer_to_the_other_question_is_refused(desk: Desk) -> None:
    assert await reason(desk.register(kind="webauthn.get")) == "registration_refused"
    await desk.register()
    assert await reason(desk.use(kind="webauthn.create")) == "passkey_refused"


async def test_an_attestation_that_does_not_hold_is_refused(desk: Desk) -> None:
    for statement in (
        {"fmt": "packed", "attStmt": {"alg": -7, "sig": b"x" * 70}},
        {"fmt": "none", "attStmt": {"alg": -7}},
        {"fmt": "invented", "attStmt": {}},
    ):
        assert await reason(desk.register(attestation=statement)) == "registration_refused"


async def test_a_signature_of_another_key_or_over_other_words_is_refused(desk: Desk) -> None:
    await desk.register()
    mine = desk.key.passkeys[-1]
    forged = copy.copy(mine)
    forged.key = another_key()
    assert await reason(desk.use(passkey=forged)) == "passkey_refused"
    for signature in (b"", b"\0" * 64, secrets.token_bytes(70)):
        assert await reason(desk.use(signature=signature)) == "passkey_refused"


def another_key() -> Any:
    other = Authenticator(ORIGIN)
    other.create(creation_options(PARTY, CHALLENGE, str(uuid.uuid4()), "x", "x", ()))
    return other.passkeys[0].key


async def test_verification_that_is_needed_and_missing_is_refused(desk: Desk) -> None:
    await desk.register()
    desk.key.verifies = False
    assert await reason(desk.use(person=None, needs_verification=True)) == "passkey_refused"
    assert (await desk.use()).is_verified is False


async def test_another_persons_passkey_proves_nothing(desk: Desk, pool: Pool, tenant: Tenant) -> None:
    rui = Desk(
        pool,
        tenant,
        (await open_person(pool, the_keys(), tenant.id, Role.CUSTOMER, "Rui")).person_id,
        Authenticator(ORIGIN),
    )
    await desk.register()
    await rui.register()
    # Rui's key under Ana's name, Ana's id under Rui's key, and Rui's key that says it is Ana's.
    assert await reason(rui.use(person=desk.person)) == "no_such_factor"
    assert await reason(rui.use(person=desk.person, claims=desk.key.passkeys[0], user=desk.key.passkeys[0].user)) == (
        "passkey_refused"
    )
    for person in (None, rui.person):
        assert await reason(rui.use(person=person, user=desk.key.passkeys[0].user)) == "passkey_of_another"
    assert await reason(rui.use(person=None, user=None)) == "passkey_of_another"
    # As a second factor a key need not say whose it is.
    assert (await rui.use(user=None)).person_id == rui.person


async def test_another_tenants_passkey_proves_nothing(desk: Desk, pool: Pool, other_tenant: Tenant) -> None:
    await desk.register()
    there = desk._replace(tenant=other_tenant)
    for person in (None, desk.person):
        assert await reason(there.use(person=person)) == "no_such_factor"


async def test_a_copy_is_found_out_when_the_count_falls(desk: Desk, pool: Pool, tenant: Tenant) -> None:
    factor = await desk.register()
    copied = copy.copy(desk.key.passkeys[0])
    for _ in range(3):
        await desk.use()
    with pytest.raises(ProofRefused) as refused:
        await desk.use(passkey=copied)
    assert (refused.value.reason, refused.value.factor_id) == ("passkey_copied", factor)
    async with in_tenant(pool, tenant.id) as connection:
        assert await note_copied(connection, tenant.id, factor) == desk.person
    # The same count again is no better; and a count that only a forged signature says counts for nothing.
    copied.count = desk.key.passkeys[0].count - 1
    assert await reason(desk.use(passkey=copied)) == "passkey_copied"
    copied.count = 0
    assert await reason(desk.use(passkey=copied, signature=b"\0" * 64)) == "passkey_refused"
    assert (await desk.use()).factor_id == factor


async def test_a_key_that_stops_counting_is_no_better_than_a_copy(desk: Desk) -> None:
    await desk.register()
    await desk.use()
    desk.key.counts = False
    desk.key.passkeys[0].count = 0
    assert await reason(desk.use()) == "passkey_copied"


async def test_a_passkey_is_registered_once(desk: Desk, pool: Pool, tenant: Tenant) -> None:
    await desk.register()
    with pytest.raises(Conflict):
        await desk.register(passkey=desk.key.passkeys[0])
    rui = Desk(pool, tenant, (await open_person(pool, the_keys(), tenant.id, Role.CUSTOMER, "Rui")).person_id, desk.key)
    with pytest.raises(Conflict):
        await rui.register(passkey=desk.key.passkeys[0])


async def test_whether_a_passkey_lives_on_several_devices_is_kept(desk: Desk, pool: Pool, tenant: Tenant) -> None:
    factor = await desk.register()
    flags = USER_PRESENT | USER_VERIFIED | BACKUP_ELIGIBLE | BACKED_UP
    await desk.use(flags=flags)
    async with in_tenant(pool, tenant.id) as connection:
        assert await connection.fetchval("select is_synced from factors where id = $1", factor)


UNREADABLE = [
    "",
    "{}",
    "[]",
    "null",
    "7",
    '"x"',
    "{" * 10_000,
    "\ud800",
    json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": {}}),
    json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": {"clientDataJSON": "////"}}),
    json.dumps(
        {
            "id": "AA",
            "rawId": "AA",
            "type": "public-key",
            "response": {
                "clientDataJSON": encode(b"\xff"),
                "attestationObject": "AA",
                "authenticatorData": "AA",
                "signature": "AA",
            },
        }
    ),
]


@pytest.mark.parametrize("text", UNREADABLE, ids=range(len(UNREADABLE)))
@pytest.mark.parametrize("read", [read_registration, read_assertion])
def test_what_is_no_answer_is_refused(read: Callable[[str], Any], text: str) -> None:
    with pytest.raises(ProofRefused):
        read(text)


async def test_bytes_of_all_kinds_in_place_of_cbor_are_refused(desk: Desk, pool: Pool) -> None:
    options = creation_options(PARTY, CHALLENGE, desk.person, "ana", "Ana", ())
    honest = json.loads(desk.key.create(options))
    good = honest["response"]["attestationObject"]
    for at in range(0, len(good), 3):
        honest["response"]["attestationObject"] = good[:at] + "_" + good[at + 1 :]
        try:
            answer = read_registration(json.dumps(honest))
            async with in_tenant(pool, desk.tenant.id) as connection:
                await register_passkey(connection, PARTY, desk.tenant.id, desk.person, "Key", answer)
                # Without attestation nothing vouches for the key itself: another key is another key.
                raise ProofRefused("rolled back")
        except ProofRefused:
            pass
    for text in ("", "oA", encode(b"\x9f" * 1_000), encode(b"\xbb" + b"\xff" * 8), encode(b"\x5b" + b"\x7f" * 8)):
        honest["response"]["attestationObject"] = text
        answer = read_registration(json.dumps(honest))
        async with in_tenant(pool, desk.tenant.id) as connection:
            with pytest.raises(ProofRefused):
                await register_passkey(connection, PARTY, desk.tenant.id, desk.person, "Key", answer)


@pytest.mark.parametrize(
    ("public_url", "origins", "expected"),
    [
        ("https://pay.example.com", ["https://app.example.com"], ("pay.example.com", ("https://pay.example.com",))),
        (
            "https://example.com",
            ["https://app.example.com", "https://evilexample.com", "https://example.com"],
            ("example.com", ("https://example.com", "https://app.example.com")),
        ),
        (
            "http://127.0.0.1:8080",
            ["http://localhost:8080", "http://127.0.0.1:8080"],
            ("localhost", ("http://localhost:8080",)),
        ),
        (
            "http://[::1]:8080",
            ["http://localhost:5173"],
            ("localhost", ("http://localhost:8080", "http://localhost:5173")),
        ),
        ("https://192.0.2.7", ["https://pay.example.com"], None),
        ("", ["https://pay.example.com"], None),
    ],
)
def test_the_relying_party_is_where_people_reach_the_hub(
    public_url: str, origins: list[str], expected: tuple[str, tuple[str, ...]] | None
) -> None:
    party = relying_party(public_url, origins)
    assert (None if party is None else (party.id, party.origins)) == expected
