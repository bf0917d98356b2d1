import asyncio
import base64
import datetime
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from core import keyring
from core.database import Connection
from core.errors import Unavailable
from core.keyring import SigningKey
from core.keys.master import Master
from core.people.persons import Role
from hub.auth import LEEWAY_S, TOKEN_BYTES_MAX, TOKEN_LIFETIME_S, Principal, TokenCode, TokenRefused, Tokens
from hub.doors import Door

NOW = 1_900_000_000
START = datetime.datetime.fromtimestamp(NOW - 10_000, datetime.UTC)
PERSON = "6f1f2a4e-8d5e-4b0a-9a34-2f6f6a1d0c11"
SESSION = "0d6c1c3e-5a44-4f64-8b77-5f0b1a6e9c22"

ED25519 = ed25519.Ed25519PrivateKey.generate()
P256 = ec.generate_private_key(ec.SECP256R1())
STRANGER = ed25519.Ed25519PrivateKey.generate()
RSA = rsa.generate_private_key(65537, 2048)
TOKENS = Tokens(
    [
        SigningKey("curve", "ES256", P256, START, START + datetime.timedelta(days=10_000)),
        SigningKey("main", "EdDSA", ED25519, START + datetime.timedelta(seconds=1), None),
    ]
)
CLAIMS: dict[str, Any] = {
    "iss": "payhub",
    "aud": "payhub-native",
    "sub": PERSON,
    "tid": 7,
    "sid": SESSION,
    "role": 1,
    "iat": NOW,
    "exp": NOW + TOKEN_LIFETIME_S,
    "jti": "e1b0c7a2-7a0e-4a7c-bb9e-3f5d1c2b4a33",
}
HEADER: dict[str, Any] = {"alg": "EdDSA", "kid": "main", "typ": "at+jwt"}


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sign_raw(header: str, payload: str, sign: Callable[[bytes], bytes] = ED25519.sign) -> str:
    """A token of exactly these texts, with a good signature unless told otherwise."""
    signed = f"{encode(header.encode())}.{encode(payload.encode())}"
    return f"{signed}.{encode(sign(signed.encode()))}"


def with_header(**changes: Any) -> str:
    return sign_raw(json.dumps({**HEADER, **changes}), json.dumps(CLAIMS))


def without_header(name: str) -> str:
    return sign_raw(json.dumps({k: v for k, v in HEADER.items() if k != name}), json.dumps(CLAIMS))


def with_claims(**changes: Any) -> str:
    return sign_raw(json.dumps(HEADER), json.dumps({**CLAIMS, **changes}))


def without_claim(name: str) -> str:
    return sign_raw(json.dumps(HEADER), json.dumps({k: v for k, v in CLAIMS.items() if k != name}))


def with_literal(name: str, literal: str) -> str:
    """A claim spelled in JSON as Python would not spell it."""
    return sign_raw(json.dumps(HEADER), json.dumps({**CLAIMS, name: "LITERAL"}).replace('"LITERAL"', literal))


def hmac_with(secret: bytes) -> Callable[[bytes], bytes]:
    return lambda signed: jwt.get_algorithm_by_name("HS256").sign(signed, secret)


def spki(key: ed25519.Ed25519PrivateKey, encoding: Encoding) -> bytes:
    return key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def confused(secret: bytes, kid: str = "main") -> str:
    return sign_raw(json.dumps({**HEADER, "alg": "HS256", "kid": kid}), json.dumps(CLAIMS), hmac_with(secret))


def jwk() -> dict[str, str]:
    return {"kty": "OKP", "crv": "Ed25519", "x": encode(STRANGER.public_key().public_bytes_raw())}


def changed(at: int, segment: str) -> str:
    segments = GOOD.split(".")
    segments[at] = segment
    return ".".join(segments)


def other_spelling(token: str) -> str:
    """The same signature bytes: of the last character's six bits, four say nothing."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


def curve(signature: bytes) -> str:
    return sign_raw(json.dumps({**HEADER, "alg": "ES256", "kid": "curve"}), json.dumps(CLAIMS), lambda _: signature)


GOOD = sign_raw(json.dumps(HEADER), json.dumps(CLAIMS))
PAYLOAD = GOOD.split(".")[1]
C = TokenCode

REFUSED: dict[str, tuple[object, TokenCode]] = {
    # Not a token of ours at all.
    "empty": ("", C.MALFORMED),
    "none": (None, C.MALFORMED),
    "a number": (7, C.MALFORMED),
    "a list": ([GOOD], C.MALFORMED),
    "random bytes": (b"\x00\xff\xfe\x80", C.MALFORMED),
    "a refresh token": ("phr_" + "A" * 43, C.MALFORMED),
    "two segments": (GOOD.rsplit(".", 1)[0], C.MALFORMED),
    "four segments": (GOOD + ".AAAA", C.MALFORMED),
    "five segments, encrypted": ("e30.e30.e30.e30.e30", C.MALFORMED),
    "only dots": ("..", C.MALFORMED),
    "bearer in front": ("Bearer " + GOOD, C.MALFORMED),
    "a space behind": (GOOD + " ", C.MALFORMED),
    "a line behind": (GOOD + "\n", C.MALFORMED),
    "a space inside": (GOOD[:10] + " " + GOOD[10:], C.MALFORMED),
    "padding": (GOOD + "==", C.MALFORMED),
    "another spelling of the signature": (other_spelling(GOOD), C.MALFORMED),
    "the standard alphabet": (changed(2, "+/+/"), C.MALFORMED),
    "one character of base64": (changed(2, "A"), C.MALFORMED),
    "not ascii": (GOOD[:-1] + "é", C.MALFORMED),
    "a lone surrogate": (GOOD[:-1] + "\ud800", C.MALFORMED),
    "full-width digits": (GOOD[:-1] + "\uff11", C.MALFORMED),
    "a megabyte": ("A" * 1_000_000, C.TOO_LARGE),
    "a megabyte of dots": ("." * 1_000_000, C.TOO_LARGE),
    "a megabyte of claims": (with_claims(memo="x" * 1_000_000), C.TOO_LARGE),
    "one byte too many": ("A" * (TOKEN_BYTES_MAX + 1), C.TOO_LARGE),
    "a header that is no json": (sign_raw("{", json.dumps(CLAIMS)), C.MALFORMED),
    "a header that is a list": (sign_raw("[]", json.dumps(CLAIMS)), C.MALFORMED),
    "a header that is a string": (sign_raw('"alg"', json.dumps(CLAIMS)), C.MALFORMED),
    "a header in utf-16": (
        f"{encode(json.dumps(HEADER).encode('utf-16'))}.{PAYLOAD}.AAAA",
        C.MALFORMED,
    ),
    "a header that is not utf-8": (f"{encode(bytes([0xFF, 0xFE]))}.{PAYLOAD}.AAAA", C.MALFORMED),
    "a header a thousand deep": (sign_raw("[" * 1_400, "{}"), C.MALFORMED),
    "a header of objects, deep": (sign_raw('{"a":' * 250, "{}"), C.MALFORMED),
    "a header with alg twice": (
        sign_raw('{"alg":"none","kid":"main","typ":"at+jwt","alg":"EdDSA"}', json.dumps(CLAIMS)),
        C.MALFORMED,
    ),
    # Algorithms.
    "alg none": (with_header(alg="none"), C.ALGORITHM),
    "alg none, unsigned": (
        f"{encode(json.dumps({**HEADER, 'alg': 'none'}).encode())}.{PAYLOAD}.",
        C.ALGORITHM,
    ),
    "alg None": (with_header(alg="None"), C.ALGORITHM),
    "alg nOnE": (with_header(alg="nOnE"), C.ALGORITHM),
    "alg eddsa": (with_header(alg="eddsa"), C.ALGORITHM),
    "alg Ed25519": (with_header(alg="Ed25519"), C.ALGORITHM),
    "alg null": (with_header(alg=None), C.ALGORITHM),
    "alg a list": (with_header(alg=["EdDSA"]), C.ALGORITHM),
    "alg missing": (without_header("alg"), C.HEADER),
    "hs256 with the public key in pem": (confused(spki(ED25519, Encoding.PEM)), C.ALGORITHM),
    "hs256 with the public key in der": (confused(spki(ED25519, Encoding.DER)), C.ALGORITHM),
    "hs256 with the raw public key": (confused(ED25519.public_key().public_bytes_raw()), C.ALGORITHM),
    "hs256 with the public jwk": (confused(json.dumps(jwk()).encode()), C.ALGORITHM),
    "hs256 with an empty secret": (confused(b""), C.ALGORITHM),
    "rs256 of a stranger": (
        sign_raw(
            json.dumps({**HEADER, "alg": "RS256"}),
            json.dumps(CLAIMS),
            lambda signed: RSA.sign(signed, padding.PKCS1v15(), hashes.SHA256()),
        ),
        C.ALGORITHM,
    ),
    "the other key's algorithm": (with_header(alg="ES256"), C.ALGORITHM),
    "eddsa under the curve's kid": (with_header(kid="curve"), C.ALGORITHM),
    # Keys and other header parameters.
    "kid missing": (without_header("kid"), C.HEADER),
    "kid unknown": (with_header(kid="other"), C.KEY_UNKNOWN),
    "kid empty": (with_header(kid=""), C.KEY_UNKNOWN),
    "kid in other case": (with_header(kid="MAIN"), C.KEY_UNKNOWN),
    "kid a path": (with_header(kid="../../../../dev/null"), C.KEY_UNKNOWN),
    "kid sql": (with_header(kid="x' union select 'AAAA' --"), C.KEY_UNKNOWN),
    "kid a url": (with_header(kid="https://evil.example/key.pem"), C.KEY_UNKNOWN),
    "kid with nul": (with_header(kid="main\x00"), C.KEY_UNKNOWN),
    "kid a number": (with_header(kid=1), C.KEY_UNKNOWN),
    "kid null": (with_header(kid=None), C.KEY_UNKNOWN),
    "kid a list": (with_header(kid=["main"]), C.KEY_UNKNOWN),
    "kid an object": (with_header(kid={"main": 1}), C.KEY_UNKNOWN),
    "typ missing": (without_header("typ"), C.HEADER),
    "typ jwt": (with_header(typ="JWT"), C.TYPE),
    "typ refresh": (with_header(typ="rt+jwt"), C.TYPE),
    "typ upper case": (with_header(typ="AT+JWT"), C.TYPE),
    "typ a list": (with_header(typ=["at+jwt"]), C.TYPE),
    "crit unknown": (with_header(crit=["x-payhub"]), C.HEADER),
    "crit known": (with_header(crit=["b64"], b64=False), C.HEADER),
    "crit empty": (with_header(crit=[]), C.HEADER),
    "b64 false": (with_header(b64=False), C.HEADER),
    "jku": (with_header(jku="https://evil.example/jwks.json"), C.HEADER),
    "x5u": (with_header(x5u="https://evil.example/chain.pem"), C.HEADER),
    "x5c": (with_header(x5c=["AAAA"]), C.HEADER),
    "jwk, self-signed": (
        sign_raw(json.dumps({**HEADER, "jwk": jwk()}), json.dumps(CLAIMS), STRANGER.sign),
        C.HEADER,
    ),
    "zip": (with_header(zip="DEF"), C.HEADER),
    "cty, nested": (with_header(cty="JWT"), C.HEADER),
    # Signatures.
    "a stranger's signature": (sign_raw(json.dumps(HEADER), json.dumps(CLAIMS), STRANGER.sign), C.SIGNATURE),
    "no signature": (changed(2, ""), C.SIGNATURE),
    "half a signature": (changed(2, encode(bytes(32))), C.SIGNATURE),
    "a signature of zeros": (changed(2, encode(bytes(64))), C.SIGNATURE),
    "a signature too long": (changed(2, encode(bytes(65))), C.SIGNATURE),
    "another tenant put in": (
        changed(1, encode(json.dumps({**CLAIMS, "tid": 8}).encode())),
        C.SIGNATURE,
    ),
    "another token's signature": (changed(2, with_claims(tid=8).rsplit(".", 1)[1]), C.SIGNATURE),
    "es256 with r and s of zero": (curve(bytes(64)), C.SIGNATURE),
    "es256 with r and s of n": (
        curve(
            bytes.fromhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551") * 2,
        ),
        C.SIGNATURE,
    ),
    "es256 in der": (curve(P256.sign(b"anything", ec.ECDSA(hashes.SHA256()))), C.SIGNATURE),
    "es256 empty": (curve(b""), C.SIGNATURE),
    # Claims, under a good signature.
    "claims that are a list": (sign_raw(json.dumps(HEADER), "[]"), C.MALFORMED),
    "claims that are no json": (sign_raw(json.dumps(HEADER), "tid=7"), C.MALFORMED),
    "claims that are a token": (sign_raw(json.dumps(HEADER), json.dumps(GOOD)), C.MALFORMED),
    "claims without any": (sign_raw(json.dumps(HEADER), "{}"), C.ISSUER),
    "a claim twice": (
        sign_raw(json.dumps(HEADER), json.dumps(CLAIMS)[:-1] + ', "tid": 8}'),
        C.MALFORMED,
    ),
    "a claim twice, deep": (with_literal("memo", '{"a": 1, "a": 2}'), C.MALFORMED),
    "a claim twice, escaped": (
        sign_raw(json.dumps(HEADER), json.dumps(CLAIMS)[:-1] + ', "\\u0074id": 8}'),
        C.MALFORMED,
    ),
    "iss missing": (without_claim("iss"), C.ISSUER),
    "iss a prefix": (with_claims(iss="payhub.evil.example"), C.ISSUER),
    "iss cut": (with_claims(iss="payhu"), C.ISSUER),
    "iss a list": (with_claims(iss=["payhub"]), C.ISSUER),
    "aud missing": (without_claim("aud"), C.AUDIENCE),
    "aud another": (with_claims(aud="payhub-workers"), C.AUDIENCE),
    "aud a list with it": (with_claims(aud=["payhub-native"]), C.AUDIENCE),
    "aud a list of two": (with_claims(aud=["evil", "payhub-native"]), C.AUDIENCE),
    "aud an object": (with_claims(aud={"payhub-native": True}), C.AUDIENCE),
    "aud a prefix of it": (with_claims(aud="payhub"), C.AUDIENCE),
    "aud null": (with_claims(aud=None), C.AUDIENCE),
    "exp missing": (without_claim("exp"), C.CLAIMS),
    "exp a string": (with_claims(exp=str(NOW + 60)), C.CLAIMS),
    "exp a float": (with_claims(exp=NOW + 60.0), C.CLAIMS),
    "exp 1e30": (with_literal("exp", "1e30"), C.CLAIMS),
    "exp 1e400": (with_literal("exp", "1e400"), C.CLAIMS),
    "exp nan": (with_literal("exp", "NaN"), C.MALFORMED),
    "exp infinity": (with_literal("exp", "Infinity"), C.MALFORMED),
    "exp of a thousand digits": (with_literal("exp", "9" * 1_000), C.CLAIMS),
    "exp negative": (with_claims(exp=-1), C.CLAIMS),
    "exp true": (with_claims(exp=True), C.CLAIMS),
    "exp null": (with_claims(exp=None), C.CLAIMS),
    "exp a year away": (with_claims(exp=NOW + 31_536_000), C.CLAIMS),
    "exp before iat": (with_claims(exp=NOW - 1), C.CLAIMS),
    "expired": (
        with_claims(iat=NOW - TOKEN_LIFETIME_S - LEEWAY_S, exp=NOW - LEEWAY_S),
        C.EXPIRED,
    ),
    "iat missing": (without_claim("iat"), C.CLAIMS),
    "iat a float": (with_claims(iat=NOW + 0.5), C.CLAIMS),
    "iat zero": (with_claims(iat=0), C.CLAIMS),
    "issued tomorrow": (with_claims(iat=NOW + 86_400, exp=NOW + 86_700), C.NOT_YET_VALID),
    "nbf ahead": (with_claims(nbf=NOW + LEEWAY_S + 1), C.NOT_YET_VALID),
    "nbf a string": (with_claims(nbf=str(NOW)), C.CLAIMS),
    "nbf null": (with_claims(nbf=None), C.CLAIMS),
    "sub missing": (without_claim("sub"), C.CLAIMS),
    "sub a name": (with_claims(sub="admin"), C.CLAIMS),
    "sub upper case": (with_claims(sub=PERSON.upper()), C.CLAIMS),
    "sub in braces": (with_claims(sub="{" + PERSON + "}"), C.CLAIMS),
    "sub with a line": (with_claims(sub=PERSON + "\n"), C.CLAIMS),
    "sub a list": (with_claims(sub=[PERSON]), C.CLAIMS),
    "sid missing": (without_claim("sid"), C.CLAIMS),
    "sid without dashes": (with_claims(sid=SESSION.replace("-", "")), C.CLAIMS),
    "tid missing": (without_claim("tid"), C.CLAIMS),
    "tid zero": (with_claims(tid=0), C.CLAIMS),
    "tid negative": (with_claims(tid=-1), C.CLAIMS),
    "tid true": (with_claims(tid=True), C.CLAIMS),
    "tid a string": (with_claims(tid="7"), C.CLAIMS),
    "tid a float": (with_claims(tid=7.0), C.CLAIMS),
    "tid beyond the column": (with_claims(tid=2**31), C.CLAIMS),
    "tid a star": (with_claims(tid="*"), C.CLAIMS),
    "role missing": (without_claim("role"), C.CLAIMS),
    "role unknown": (with_claims(role=9), C.CLAIMS),
    "role negative": (with_claims(role=-1), C.CLAIMS),
    "role a name": (with_claims(role="operator"), C.CLAIMS),
    "role true": (with_claims(role=True), C.CLAIMS),
    "jti missing": (without_claim("jti"), C.CLAIMS),
    "jti a number": (with_claims(jti=1), C.CLAIMS),
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


def test_the_vectors_are_refused_for_their_fault_alone() -> None:
    assert TOKENS.verify(GOOD, NOW).tenant_id == 7
    assert TOKENS.verify(with_claims(memo="unknown claims are ignored", nbf=NOW), NOW).tenant_id == 7
    assert len(REFUSED) >= 40


def test_es256_tokens_verify_under_their_own_key() -> None:
    tokens = Tokens([SigningKey("curve", "ES256", P256, START, None)])
    token = issue(tokens, NOW)
    assert jwt.get_unverified_header(token)["alg"] == "ES256"
    assert tokens.verify(token, NOW) == TOKENS.verify(token, NOW)


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    token, code = REFUSED[name]
    quickest = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        with pytest.raises(TokenRefused) as refused:
            TOKENS.verify(token, NOW)  # type: ignore[arg-type]
        quickest = min(quickest, time.perf_counter() - started)
    assert refused.value.code is code
    assert str(refused.value) == code.value
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None or refused.value.__suppress_context__
    assert quickest < 0.005


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
