"""Keys as JWK and signed texts, against the examples of the RFCs and against traps."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from hub import jws
from hub.jws import ED25519_PRIME, SMALL_ORDER_Y, JwsRefused
from tests.hub.tills import Till, encode

# RFC 7638, 3.1; RFC 8037, A.2 and A.3; RFC 9449, 6.1.
RSA_OF_RFC_7638 = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3okn"
    "jhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL"
    "5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}
ED25519_OF_RFC_8037 = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
P256_OF_RFC_9449 = {
    "kty": "EC",
    "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
    "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    "crv": "P-256",
}


@pytest.mark.parametrize(
    ("jwk", "thumbprint", "algorithm"),
    [
        (RSA_OF_RFC_7638, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", "RS256"),
        (ED25519_OF_RFC_8037, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "EdDSA"),
        (P256_OF_RFC_9449, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I", "ES256"),
    ],
)
def test_a_thumbprint_is_what_the_rfcs_say(jwk: dict[str, str], thumbprint: str, algorithm: str) -> None:
    assert jws.read_key(jwk, is_bare=False).algorithm == algorithm
    assert jws.thumbprint(jwk) == thumbprint
    # In whatever order, and whatever else stands there.
    assert jws.thumbprint(dict(reversed([*jwk.items(), ("use", "sig")]))) == thumbprint


def rsa_jwk(bits: int, exponent: int = 65_537) -> dict[str, str]:
    numbers = rsa.generate_private_key(exponent, bits).public_key().public_numbers()
    n, e = (encode(number.to_bytes((number.bit_length() + 7) // 8, "big")) for number in (numbers.n, numbers.e))
    return {"kty": "RSA", "n": n, "e": e}


def small_order() -> dict[str, dict[str, Any]]:
    points = {}
    for at, y in enumerate(sorted(SMALL_ORDER_Y)):
        for sign in (0, 1):
            raw = (y | sign << 255).to_bytes(32, "little")
            points[f"a key of small order, {at}, {sign}"] = {**ED25519_OF_RFC_8037, "x": encode(raw)}
    return points


CURVE = Till(on_curve=True).jwk
BAD_KEYS: dict[str, object] = {
    "nothing": {},
    "none": None,
    "a list": [ED25519_OF_RFC_8037],
    "a text": json.dumps(ED25519_OF_RFC_8037),
    "kty missing": {"crv": "Ed25519", "x": ED25519_OF_RFC_8037["x"]},
    "kty a list": {**ED25519_OF_RFC_8037, "kty": ["OKP"]},
    "kty unknown": {**ED25519_OF_RFC_8037, "kty": "okp"},
    "a secret": {"kty": "oct", "k": "AAAA"},
    "a private key": {**ED25519_OF_RFC_8037, "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"},
    "a private key on the curve": {**CURVE, "d": "AAAA"},
    "a private rsa key's prime": {**RSA_OF_RFC_7638, "p": "AAAA"},
    "another curve": {**CURVE, "crv": "P-384"},
    "the curve of bitcoin": {**CURVE, "crv": "secp256k1"},
    "ed448": {"kty": "OKP", "crv": "Ed448", "x": encode(bytes(57))},
    "x25519": {**ED25519_OF_RFC_8037, "crv": "X25519"},
    "crv a number": {**CURVE, "crv": 256},
    "crv on rsa": {**rsa_jwk(2_048), "crv": "P-256"},
    "x missing": {"kty": "OKP", "crv": "Ed25519"},
    "y missing": {"kty": "EC", "crv": "P-256", "x": CURVE["x"]},
    "x too short": {**ED25519_OF_RFC_8037, "x": encode(bytes(31))},
    "x too long": {**ED25519_OF_RFC_8037, "x": encode(bytes(33))},
    "x padded": {**ED25519_OF_RFC_8037, "x": ED25519_OF_RFC_8037["x"] + "="},
    "x a number": {**ED25519_OF_RFC_8037, "x": 7},
    "x not ascii": {**ED25519_OF_RFC_8037, "x": "é" * 43},
    "x beyond the field": {**ED25519_OF_RFC_8037, "x": encode((ED25519_PRIME + 3).to_bytes(32, "little"))},
    "a point that is not on the curve": {**CURVE, "y": encode(bytes(31) + b"\x05")},
    "the point at infinity": {**CURVE, "x": encode(bytes(32)), "y": encode(bytes(32))},
    "a coordinate without its zeros": {**CURVE, "x": encode(base64.urlsafe_b64decode(CURVE["x"] + "=")[1:])},
    "rsa of 1,024 bits": rsa_jwk(1_024),
    "rsa with an exponent of 3": rsa_jwk(2_048, 3),
    "rsa with an exponent of 1": {**RSA_OF_RFC_7638, "e": "AQ"},
    "rsa with an even exponent": {**RSA_OF_RFC_7638, "e": "AQAA"},
    "rsa of 16,384 bits": {**RSA_OF_RFC_7638, "n": encode(b"\xff" * 2_048)},
    **small_order(),
}


@pytest.mark.parametrize("jwk", BAD_KEYS.values(), ids=BAD_KEYS)
def test_what_is_no_public_key_of_ours_is_refused(jwk: object) -> None:
    with pytest.raises(JwsRefused):
        jws.read_key(jwk, is_bare=False)


def test_a_bare_key_holds_nothing_else() -> None:
    for jwk in (ED25519_OF_RFC_8037, P256_OF_RFC_9449):
        jws.read_key(jwk)
        for more in ("kid", "use", "alg", "x5u", "x5c", "anything"):
            with pytest.raises(JwsRefused):
                jws.read_key({**jwk, more: "x"})


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), st.lists, max_leaves=4))
def test_a_member_of_any_value_is_read_or_refused(value: object) -> None:
    for name in ("kty", "crv", "x"):
        try:
            jws.read_key({**ED25519_OF_RFC_8037, name: value})
        except JwsRefused:
            continue
        assert value == ED25519_OF_RFC_8037[name]


@pytest.mark.parametrize("on_curve", [False, True])
def test_a_signature_of_the_key_holds_and_no_others(on_curve: bool) -> None:
    till, other = Till(on_curve=on_curve), Till(on_curve=on_curve)
    text = till.jws({"alg": till.algorithm}, {"a": 1})
    parts = jws.split(text, 2_048)
    assert jws.read_key(till.jwk).holds(parts)
    assert not jws.read_key(other.jwk).holds(parts)
    assert not jws.read_key(till.jwk).holds(parts._replace(signed=parts.signed + b"x"))
    assert not jws.read_key(till.jwk).holds(parts._replace(signature=parts.signature[:-1]))
    assert jws.read_object(parts.payload) == {"a": 1}


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)))
def test_nothing_but_a_refusal_comes_of_anything(text: str | bytes) -> None:
    with pytest.raises(JwsRefused):
        jws.split(text, 2_048)


def test_keys_of_the_library_are_not_of_small_order() -> None:
    for _ in range(50):
        x = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        jws.read_key({**ED25519_OF_RFC_8037, "x": encode(x)})
        assert isinstance(jws.read_key(Till(on_curve=True).jwk).public_key, ec.EllipticCurvePublicKey)
