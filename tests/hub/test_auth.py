import asyncio
import datetime
import json
import time
import tomllib
import uuid
from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import asyncpg
import jwt
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from core import keyring
from core.database import Connection
from core.errors import Unavailable
from core.keyring import SigningKey
from core.keys.master import Master
from core.people.persons import Role
from hub.auth import LEEWAY_S, TOKEN_LIFETIME_S, Principal, TokenCode, TokenRefused, Tokens
from hub.doors import Door
from tests.hub.token_vectors import (
    ACCEPTED,
    ACT,
    BOUND,
    CLAIMS,
    ED25519,
    GOOD,
    HEADER,
    NOW,
    P256,
    PERSON,
    SESSION,
    START,
    STRANGER,
    THUMBPRINT,
    TOKENS,
    VECTORS,
    encode,
    from_row,
    to_file,
    with_claims,
    with_header,
)

C = TokenCode
# A refusal costs a hub no more than this, whatever was sent.
REFUSAL_S_MAX = 0.001
FILE = json.loads(VECTORS.read_text())
# What no file of vectors can hold.
NO_TEXT: dict[str, object] = {
    "none": None,
    "a number": 7,
    "a list": [GOOD],
    "a lone surrogate": GOOD[:-1] + "\ud800",
}


def issue(tokens: Tokens, now: float, tenant_id: int = 7) -> str:
    return tokens.issue(tenant_id, PERSON, Role.MERCHANT, SESSION, now).token


def test_an_issued_token_verifies_to_what_was_put_in() -> None:
    issued = TOKENS.issue(7, PERSON, Role.MERCHANT, SESSION, NOW + 0.9)
    assert issued.expires_at == NOW + TOKEN_LIFETIME_S
    expected = Principal(7, PERSON, Role.MERCHANT, SESSION, issued.expires_at, Door.NATIVE)
    assert TOKENS.verify(issued.token, NOW + 0.9) == expected
    assert TOKENS.verify(issued.token.encode(), NOW + 0.9) == expected
    assert type(TOKENS.verify(issued.token, NOW).role) is Role
    assert issued.token not in repr(issued)


def test_an_issued_token_is_an_access_token_of_rfc_9068() -> None:
    token = issue(TOKENS, NOW)
    assert jwt.get_unverified_header(token) == HEADER
    claims = jwt.decode(token, options={"verify_signature": False})
    assert {**claims, "jti": CLAIMS["jti"]} == CLAIMS
    assert len(token) < 600


def test_two_tokens_of_one_second_differ() -> None:
    assert issue(TOKENS, NOW) != issue(TOKENS, NOW)


def test_the_file_of_vectors_is_what_the_module_makes() -> None:
    # Others read it: add vectors, and run the module that writes it.
    assert json.loads(json.dumps(to_file())) == FILE
    assert len(FILE["refused"]) >= 40


@pytest.mark.parametrize("row", FILE["accepted"], ids=lambda row: row["name"])
def test_a_good_vector_is_taken_so_that_the_others_are_refused_for_their_fault_alone(row: dict[str, Any]) -> None:
    assert TOKENS.verify(row["token"], NOW).tenant_id == 7


def test_the_keys_in_the_file_are_those_that_sign() -> None:
    keys = {key["kid"]: jwt.PyJWK({name: value for name, value in key.items() if name != "d"}) for key in FILE["keys"]}
    for row in FILE["accepted"]:
        kid = jwt.get_unverified_header(row["token"])["kid"]
        options: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
        jwt.decode(row["token"], keys[kid], audience=FILE["audience"], issuer=FILE["issuer"], options=options)


def test_a_seats_token_says_who_speaks_and_from_which_log_in() -> None:
    actor = ACT["sub"], ACT["sid"]
    issued = TOKENS.issue(7, PERSON, Role.MERCHANT, SESSION, NOW, scopes=["charges:read"], actor=actor)
    principal = TOKENS.verify(issued.token, NOW)
    assert (principal.person_id, principal.actor, principal.login) == (PERSON, *actor)
    assert TOKENS.verify(ACCEPTED["from a seat"], NOW) == principal
    assert TOKENS.verify(ACCEPTED["a machine's"], NOW).actor is None


def test_a_machines_token_carries_its_scopes_and_its_key() -> None:
    issued = TOKENS.issue(
        7, PERSON, Role.MERCHANT, SESSION, NOW, scopes=BOUND["scope"].split(), thumbprint=THUMBPRINT, until=NOW + 20.9
    )
    principal = TOKENS.verify(issued.token, NOW)
    assert principal.scopes == frozenset({"charges:read", "charges:write"})
    assert (principal.thumbprint, principal.expires_at) == (THUMBPRINT, NOW + 20)
    assert TOKENS.verify(ACCEPTED["a person's"], NOW).scopes is None
    # One that has ended already is not issued for longer than it takes to say so.
    assert TOKENS.issue(7, PERSON, Role.MERCHANT, SESSION, NOW, until=NOW - 5).expires_at == NOW + 1


def test_the_library_below_has_no_known_hole() -> None:
    assert tuple(map(int, version("pyjwt").split(".")[:2])) >= (2, 13)
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    (floor,) = (one.split(">=")[1].split(",")[0] for one in project["dependencies"] if one.startswith("pyjwt"))
    assert tuple(map(int, floor.split("."))) >= (2, 13)


def test_es256_tokens_verify_under_their_own_key() -> None:
    tokens = Tokens([SigningKey("curve", "ES256", P256, START, None)])
    token = issue(tokens, NOW)
    assert jwt.get_unverified_header(token)["alg"] == "ES256"
    assert tokens.verify(token, NOW) == TOKENS.verify(token, NOW)


REFUSED_ROWS = [*((row["name"], from_row(row), row["code"]) for row in FILE["refused"])] + [
    (name, token, C.MALFORMED.value) for name, token in NO_TEXT.items()
]


@pytest.mark.parametrize(("name", "token", "code"), REFUSED_ROWS, ids=[row[0] for row in REFUSED_ROWS])
def test_refused(name: str, token: Any, code: str) -> None:
    quickest = float("inf")
    for _ in range(5):
        started = time.perf_counter()
        with pytest.raises(TokenRefused) as refused:
            TOKENS.verify(token, NOW)
        quickest = min(quickest, time.perf_counter() - started)
    assert refused.value.code.value == code == str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None or refused.value.__suppress_context__
    assert quickest < REFUSAL_S_MAX, f"{name} takes {quickest * 1e3:.2f} ms"


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300)))
def test_nothing_but_a_refusal_comes_of_anything(token: str | bytes) -> None:
    with pytest.raises(TokenRefused):
        TOKENS.verify(token, NOW)


@given(st.binary(max_size=120), st.binary(max_size=120), st.binary(max_size=70))
def test_nothing_but_a_refusal_comes_of_three_segments(header: bytes, payload: bytes, signature: bytes) -> None:
    with pytest.raises(TokenRefused):
        TOKENS.verify(f"{encode(header)}.{encode(payload)}.{encode(signature)}", NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(CLAIMS)), JSON)
def test_a_signed_claim_of_any_value_is_read_or_refused(name: str, value: object) -> None:
    try:
        principal = TOKENS.verify(with_claims(**{name: value}), NOW)
    except TokenRefused:
        return
    assert type(principal.tenant_id) is int
    assert isinstance(principal.role, Role)
    assert str(uuid.UUID(principal.person_id)) == principal.person_id


@given(st.sampled_from(["alg", "kid", "typ", "crit", "jku"]), JSON)
def test_a_header_parameter_of_any_value_is_refused(name: str, value: object) -> None:
    if HEADER.get(name) == value:
        return
    with pytest.raises(TokenRefused):
        TOKENS.verify(with_header(**{name: value}), NOW)


@given(st.integers(0, len(GOOD) - 1), st.sampled_from("AZaz09-_."))
def test_no_character_of_a_token_can_be_changed(at: int, character: str) -> None:
    if GOOD[at] == character:
        return
    with pytest.raises(TokenRefused):
        TOKENS.verify(GOOD[:at] + character + GOOD[at + 1 :], NOW)


def test_a_token_lives_five_minutes_and_a_leeway() -> None:
    token, end = TOKENS.issue(7, PERSON, Role.CUSTOMER, SESSION, NOW)
    TOKENS.verify(token, NOW - LEEWAY_S)
    TOKENS.verify(token, end + LEEWAY_S - 0.01)
    for moment, code in ((NOW - LEEWAY_S - 0.01, C.NOT_YET_VALID), (end + LEEWAY_S, C.EXPIRED)):
        with pytest.raises(TokenRefused) as refused:
            TOKENS.verify(token, moment)
        assert refused.value.code is code


def test_a_lifetime_out_of_bounds_is_refused() -> None:
    for lifetime_s in (0, -1, 3_601):
        with pytest.raises(ValueError, match="lives"):
            Tokens([], lifetime_s=lifetime_s)
    assert (
        Tokens([SigningKey("main", "EdDSA", ED25519, START, None)], lifetime_s=2)
        .issue(7, PERSON, Role.CUSTOMER, SESSION, NOW)
        .expires_at
        == NOW + 2
    )


def test_without_a_key_nothing_is_issued_and_nothing_verifies() -> None:
    tokens = Tokens([SigningKey("later", "EdDSA", ED25519, START + datetime.timedelta(days=9_999), None)])
    with pytest.raises(Unavailable):
        issue(tokens, NOW)
    with pytest.raises(TokenRefused):
        Tokens([]).verify(GOOD, NOW)


def test_a_retired_key_verifies_until_its_last_token_is_over() -> None:
    retires = NOW + 100
    until = datetime.datetime.fromtimestamp(retires, datetime.UTC)
    tokens = Tokens(
        [
            SigningKey("old", "EdDSA", ED25519, START, until),
            SigningKey("new", "EdDSA", STRANGER, until, None),
        ]
    )
    last = issue(tokens, retires - 0.5)
    first = issue(tokens, retires)
    assert [jwt.get_unverified_header(token)["kid"] for token in (last, first)] == ["old", "new"]
    over = retires + TOKEN_LIFETIME_S + LEEWAY_S
    tokens.verify(last, over - 1 - LEEWAY_S)
    # Whoever has the old private key can sign what they like: after that it is worth nothing.
    forged = with_claims(iat=over - 10, exp=over + 100).replace(
        encode(json.dumps(HEADER).encode()), encode(json.dumps({**HEADER, "kid": "old"}).encode())
    )
    with pytest.raises(TokenRefused) as refused:
        tokens.verify(forged, over)
    assert refused.value.code is C.KEY_UNKNOWN


def test_a_key_that_was_taken_away_verifies_no_more() -> None:
    tokens = Tokens([SigningKey("main", "EdDSA", ED25519, START, None)])
    tokens.verify(GOOD, NOW)
    tokens.replace_keys([SigningKey("next", "EdDSA", STRANGER, START, None)])
    with pytest.raises(TokenRefused):
        tokens.verify(GOOD, NOW)


@pytest_asyncio.fixture
async def keyless(database: Any) -> AsyncIterator[Connection]:
    """The administrator in a transaction without keys that is rolled back: keys are the whole instance's."""
    connection: Connection = await asyncpg.connect(database.admin_url)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("delete from payhub.signing_keys")
    yield connection
    await transaction.rollback()
    await connection.close()


async def test_three_rotations_refuse_no_valid_token_and_keep_no_old_one(keyless: Connection, master: Master) -> None:
    """Two hubs that reload their keys at different moments, on a clock that is moved by hand."""
    await keyring.create_key(keyless, master, signs_from=datetime.datetime.fromtimestamp(NOW, datetime.UTC))
    hubs = [Tokens(await keyring.load_keys(keyless, master)) for _ in range(2)]
    clock, kids, verified = float(NOW), set(), 0
    live: list[tuple[str, int]] = []

    async def verify_all(hub: Tokens) -> int:
        for at, (token, _) in enumerate(live):
            assert hub.verify(token, clock).tenant_id == 7
            if at % 50 == 0:
                await asyncio.sleep(0)
        return len(live)

    for second in range(0, 1_200, 5):
        clock = NOW + second
        moment = datetime.datetime.fromtimestamp(clock, datetime.UTC)
        if second in (30, 50, 70):  # three within a minute
            await keyring.rotate(keyless, master, "ES256" if second == 50 else "EdDSA", now=moment)
        for at, hub in enumerate(hubs):
            if (second + 10 * at) % 20 == 0:
                hub.replace_keys(await keyring.load_keys(keyless, master))
            token, expires_at = hub.issue(7, PERSON, Role.CUSTOMER, SESSION, clock)
            live.append((token, expires_at))
            kids.add(jwt.get_unverified_header(token)["kid"])
        live = [one for one in live if one[1] + LEEWAY_S > clock]
        if second < 400 or second % 100 == 0:
            verified += sum(await asyncio.gather(*map(verify_all, hubs)))
    assert len(kids) == 4
    assert verified > 5_000
    newest = max(await keyring.load_keys(keyless, master), key=lambda key: key.signs_from)
    assert {jwt.get_unverified_header(token)["kid"] for token, _ in live} == {newest.kid}
    for key in await keyring.load_keys(keyless, master):
        if key.kid != newest.kid:
            lone = Tokens([key._replace(signs_until=None)])
            with pytest.raises(TokenRefused) as refused:
                hubs[0].verify(issue(lone, clock), clock)
            assert refused.value.code is C.KEY_UNKNOWN
