"""Access tokens that must be taken and tokens that must not, and the vectors made of them.

`python -m tests.hub.token_vectors` writes the file. Other languages read it: `keys` has the keys that a verifier knows
(the private halves too, to make more), `accepted` and `refused` have tokens, each to be judged at the moment `now`.
A token stands there as a text, as bytes in hex, or, where it is large, as pieces: each text so many times. The code of
a refused one is ours, in the order of hub/auth.py; another verifier need only refuse it.
"""

import base64
import datetime
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from core.keyring import SigningKey
from hub.auth import LEEWAY_S, TOKEN_BYTES_MAX, TOKEN_LIFETIME_S, TokenCode, Tokens

# Where in a large token its repetition has begun.
PREFIX = 1_000
VECTORS = Path(__file__).parents[1] / "vectors" / "tokens.json"

NOW = 1_900_000_000
START = datetime.datetime.fromtimestamp(NOW - 10_000, datetime.UTC)
PERSON = "6f1f2a4e-8d5e-4b0a-9a34-2f6f6a1d0c11"
SESSION = "0d6c1c3e-5a44-4f64-8b77-5f0b1a6e9c22"

# Keys that everybody knows: never to be used but here.
SEED, CURVE_SECRET = bytes(range(32)), 0x0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF
ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(SEED)
P256 = ec.derive_private_key(CURVE_SECRET, ec.SECP256R1())
STRANGER = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
RSA_P = int(
    "e5d08719c9d2db8f9952adffbe3ba2276868bc24b7ad3b49ee9c2653bf35f1cad1fed11597d1bf9565d543d57eef91fafbfe"
    "09acd87384a035e0d2c9934ebed91ee886439cd5c99de3092b57cc41e81a3e8c61b3cba9338731fea0e4d53eb4bbfe2180c5"
    "f8a44d436acc15e55394569a1c97683bbecd037081ebe1c4db55baad",
    16,
)
RSA_Q = int(
    "bc1f6cc858d191ebf3043a6ef2bbf808c96276729e5093ad14ab82fe1d68511e914759bb9059bc80a9d5d328e88a8c9b289a"
    "8912aecdcf9bf01208cef73d5b9831e9614e2e2a75dde68ff608edd5f6b29460cb7b01ed14de546bfcaec0b8b0997f6aa663"
    "c007be2261061c9b95bbc0175f4c5837562d2d28af3fc7942f451323",
    16,
)


def _rsa() -> rsa.RSAPrivateKey:
    d = rsa.rsa_recover_private_exponent(65_537, RSA_P, RSA_Q)
    return rsa.RSAPrivateNumbers(
        RSA_P,
        RSA_Q,
        d,
        rsa.rsa_crt_dmp1(d, RSA_P),
        rsa.rsa_crt_dmq1(d, RSA_Q),
        rsa.rsa_crt_iqmp(RSA_P, RSA_Q),
        rsa.RSAPublicNumbers(65_537, RSA_P * RSA_Q),
    ).private_key()


RSA = _rsa()
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
    return lambda signed: hmac.digest(secret, signed, "sha256")


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


def curve(signature: bytes | Callable[[bytes], bytes]) -> str:
    sign = (lambda _: signature) if isinstance(signature, bytes) else signature
    return sign_raw(json.dumps({**HEADER, "alg": "ES256", "kid": "curve"}), json.dumps(CLAIMS), sign)


def sign_on_curve(signed: bytes) -> bytes:
    """The same signature each time (RFC 6979), as r and s (RFC 7518, 3.4)."""
    der = P256.sign(signed, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    return b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(der))


GOOD = sign_raw(json.dumps(HEADER), json.dumps(CLAIMS))
THUMBPRINT = encode(hashlib.sha256(b"a till's key").digest())
BOUND: dict[str, Any] = {"scope": "charges:read charges:write", "cnf": {"jkt": THUMBPRINT}}
# Somebody who speaks for a merchant, from a log-in of their own.
ACT: dict[str, Any] = {"sub": str(uuid.UUID(int=21)), "sid": str(uuid.UUID(int=22))}
SEATED: dict[str, Any] = {"role": 1, "scope": "charges:read", "act": ACT}
PAYLOAD = GOOD.split(".")[1]
C = TokenCode

ACCEPTED: dict[str, str] = {
    "a person's": GOOD,
    "signed on the curve": curve(sign_on_curve),
    "with claims that nobody knows": with_claims(memo="unknown claims are ignored", nbf=NOW),
    "a machine's": with_claims(scope="payments:read payments:write"),
    "a machine's, with a scope that is not known yet": with_claims(scope="payments:read tomorrows_things:write"),
    "bound to a key": with_claims(**BOUND),
    "from a seat": with_claims(**SEATED),
    "a clock that is behind": with_claims(iat=NOW + LEEWAY_S, exp=NOW + LEEWAY_S + 60),
    "just over, within the leeway": with_claims(iat=NOW - 300, exp=NOW - LEEWAY_S + 1),
}

REFUSED: dict[str, tuple[str | bytes, TokenCode]] = {
    # Not a token of ours at all.
    "empty": ("", C.MALFORMED),
    "random bytes": (b"\x00\xff\xfe\x80", C.MALFORMED),
    "a refresh token": ("phr_" + "A" * 43, C.MALFORMED),
    "an api key": ("phk_" + "A" * 49, C.MALFORMED),
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
    "es256 in der": (curve(P256.sign(b"anything", ec.ECDSA(hashes.SHA256(), deterministic_signing=True))), C.SIGNATURE),
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
    # What a machine may do, and the key that a till's token is bound to.
    "scope null": (with_claims(scope=None), C.CLAIMS),
    "scope empty": (with_claims(scope=""), C.CLAIMS),
    "scope a list": (with_claims(scope=["payments:write"]), C.CLAIMS),
    "scope a star": (with_claims(scope="*"), C.CLAIMS),
    "scope twice": (with_claims(scope="payments:read payments:read"), C.CLAIMS),
    "scope with two spaces": (with_claims(scope="payments:read  payments:write"), C.CLAIMS),
    "scope with commas": (with_claims(scope="payments:read,payments:write"), C.CLAIMS),
    "scope in upper case": (with_claims(scope="Payments:Write"), C.CLAIMS),
    "scope with a line": (with_claims(scope="payments:read\n"), C.CLAIMS),
    "scopes without end": (
        with_claims(scope=" ".join(f"{chr(97 + at % 26)}{'_' * (at // 26)}:read" for at in range(41))),
        C.CLAIMS,
    ),
    "cnf null": (with_claims(**{**BOUND, "cnf": None}), C.CLAIMS),
    "cnf empty": (with_claims(**{**BOUND, "cnf": {}}), C.CLAIMS),
    "cnf a text": (with_claims(**{**BOUND, "cnf": THUMBPRINT}), C.CLAIMS),
    "cnf with a jwk": (with_claims(**{**BOUND, "cnf": {"jwk": jwk()}}), C.CLAIMS),
    "cnf with a certificate too": (
        with_claims(**{**BOUND, "cnf": {"jkt": THUMBPRINT, "x5t#S256": THUMBPRINT}}),
        C.CLAIMS,
    ),
    "cnf with a short thumbprint": (with_claims(**{**BOUND, "cnf": {"jkt": THUMBPRINT[:-1]}}), C.CLAIMS),
    "cnf with a padded thumbprint": (with_claims(**{**BOUND, "cnf": {"jkt": THUMBPRINT + "="}}), C.CLAIMS),
    "cnf with a list": (with_claims(**{**BOUND, "cnf": {"jkt": [THUMBPRINT]}}), C.CLAIMS),
    "act null": (with_claims(**{**SEATED, "act": None}), C.CLAIMS),
    "act a text": (with_claims(**{**SEATED, "act": ACT["sub"]}), C.CLAIMS),
    "act without a log-in": (with_claims(**{**SEATED, "act": {"sub": ACT["sub"]}}), C.CLAIMS),
    "act for somebody who acts": (with_claims(**{**SEATED, "act": {**ACT, "act": ACT}}), C.CLAIMS),
    "act of nobody": (with_claims(**{**SEATED, "act": {**ACT, "sub": "*"}}), C.CLAIMS),
    "act in upper case": (with_claims(**{**SEATED, "act": {**ACT, "sid": "A" * 8 + ACT["sid"][8:]}}), C.CLAIMS),
    "act without limits": (with_claims(role=1, act=ACT), C.CLAIMS),
    "act for an operator": (with_claims(**{**SEATED, "role": 2}), C.CLAIMS),
    "a proof of possession": (with_header(typ="dpop+jwt"), C.TYPE),
    "an identity token": (with_header(typ="JWT"), C.TYPE),
}


def to_token(token: str | bytes) -> dict[str, Any]:
    """A text as it is, bytes in hex, what is large in pieces."""
    if isinstance(token, bytes):
        return {"hex": token.hex()}
    if len(token) <= 2 * TOKEN_BYTES_MAX:
        return {"token": token}
    unit = next(size for size in (1, 4) if token[PREFIX : PREFIX + size] == token[PREFIX + size : PREFIX + 2 * size])
    repeated = token[PREFIX : PREFIX + unit]
    times = 0
    while token[PREFIX + times * unit : PREFIX + (times + 1) * unit] == repeated:
        times += 1
    return {"pieces": [[token[:PREFIX], 1], [repeated, times], [token[PREFIX + times * unit :], 1]]}


def from_row(row: dict[str, Any]) -> str | bytes:
    """The token of a row of the file."""
    if "hex" in row:
        return bytes.fromhex(row["hex"])
    if "pieces" in row:
        return "".join(text * times for text, times in row["pieces"])
    return str(row["token"])


def _keys() -> list[dict[str, Any]]:
    numbers = P256.public_key().public_numbers()
    x, y = (encode(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    public = encode(ED25519.public_key().public_bytes_raw())
    curve_secret = encode(CURVE_SECRET.to_bytes(32, "big"))
    return [
        {"kid": "main", "alg": "EdDSA", "kty": "OKP", "crv": "Ed25519", "x": public, "d": encode(SEED)},
        {"kid": "curve", "alg": "ES256", "kty": "EC", "crv": "P-256", "x": x, "y": y, "d": curve_secret},
    ]


def to_file() -> dict[str, Any]:
    """Everything that stands in the file."""
    return {
        "now": NOW,
        "leeway_s": LEEWAY_S,
        "size_max": TOKEN_BYTES_MAX,
        "issuer": CLAIMS["iss"],
        "audience": CLAIMS["aud"],
        "keys": _keys(),
        "accepted": [{"name": name, "token": token} for name, token in ACCEPTED.items()],
        "refused": [{"name": name, "code": code, **to_token(token)} for name, (token, code) in REFUSED.items()],
    }


if __name__ == "__main__":
    VECTORS.write_text(json.dumps(to_file(), indent=1) + "\n")
