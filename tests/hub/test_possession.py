"""Proofs of possession: taken for what they were made for, and for nothing else."""

import hmac
import json
import time
import uuid
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import given
from hypothesis import strategies as st

from hub.doors import Door
from hub.jws import hash_of
from hub.possession import PROOF_BYTES_MAX, SKEW_S, ProofCode, ProofRefused, check_socket_proof, read_request_proof
from tests.hub.test_jws import BAD_KEYS, P256_OF_RFC_9449, RSA_OF_RFC_7638
from tests.hub.tills import Till, encode
from tests.hub.token_vectors import GOOD, RSA

NOW = 1_900_000_000.0
ADDRESS = "https://pay.example.com/v1/charges"
NONCE = "a-nonce-that-the-hub-gave"
TOKEN, OTHER_TOKEN = GOOD, GOOD + "x"
TILL, STRANGER = Till(), Till(on_curve=True)
C = ProofCode

HEADER: dict[str, Any] = {"typ": "dpop+jwt", "alg": "EdDSA", "jwk": TILL.jwk}
CLAIMS: dict[str, Any] = {
    "htm": "POST",
    "htu": ADDRESS,
    "iat": int(NOW),
    "jti": str(uuid.uuid4()),
    "ath": hash_of(TOKEN),
    "nonce": NONCE,
}
SOCKET_HEADER = {**HEADER, "typ": "payhub-socket+jwt"}
SOCKET_CLAIMS: dict[str, Any] = {
    "nonce": NONCE,
    "ath": hash_of(TOKEN),
    "aud": "payhub-native",
    "tenant": "demo",
    "iat": int(NOW),
}


def without(what: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in what.items() if key != name}


def with_header(**changed: Any) -> str:
    return TILL.jws({**HEADER, **changed}, CLAIMS)


def with_claims(**changed: Any) -> str:
    return TILL.jws(HEADER, {**CLAIMS, **changed})


def signed_by(header: dict[str, Any], sign: Any) -> str:
    signed = f"{encode(json.dumps(header).encode())}.{encode(json.dumps(CLAIMS).encode())}"
    return f"{signed}.{encode(sign(signed.encode()))}"


def read(text: str, token: str | None = TOKEN, method: str = "POST", address: str = ADDRESS) -> Any:
    return read_request_proof(text, method=method, address=address, token=token, now=NOW)


def test_the_example_of_the_rfc_is_a_proof() -> None:
    # RFC 9449, 4.1.
    text = (
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJo"
        "RjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJq"
        "dGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxN"
        "TYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
    )
    address, at = "https://server.example.com/token", 1_562_262_616
    proof = read_request_proof(text, method="POST", address=address, token=None, now=at + 5)
    assert (proof.thumbprint, proof.algorithm) == ("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I", "ES256")
    assert (proof.nonce, proof.jti) == ("", "-BwC3ESc6acc2lTc")
    assert P256_OF_RFC_9449["crv"] == "P-256"


@pytest.mark.parametrize("till", [TILL, STRANGER], ids=["Ed25519", "P-256"])
def test_a_good_proof_says_which_key_it_was(till: Till) -> None:
    text = till.jws({**HEADER, "alg": till.algorithm, "jwk": till.jwk}, CLAIMS)
    proof = read(text)
    assert (proof.algorithm, proof.nonce, proof.jti) == (till.algorithm, NONCE, CLAIMS["jti"])
    assert len(proof.thumbprint) == 43
    assert len(text) < PROOF_BYTES_MAX / 2


def test_the_vectors_are_refused_for_their_fault_alone() -> None:
    read(TILL.jws(HEADER, CLAIMS))
    read(with_claims(exp=1, anything="else"))
    read(TILL.jws(HEADER, without(CLAIMS, "ath")), token=None)
    check(TILL.jws(SOCKET_HEADER, SOCKET_CLAIMS))


REFUSED: dict[str, tuple[str, ProofCode]] = {
    "empty": ("", C.MALFORMED),
    "a token": (GOOD, C.HEADER),
    "two segments": (with_claims().rsplit(".", 1)[0], C.MALFORMED),
    "a megabyte": ("A" * 1_000_000, C.TOO_LARGE),
    "a megabyte of claims": (with_claims(memo="x" * 1_000_000), C.TOO_LARGE),
    "alg none": (with_header(alg="none"), C.ALGORITHM),
    "alg none, unsigned": (with_header(alg="none").rsplit(".", 1)[0] + ".", C.ALGORITHM),
    "hs256 with the public key": (
        signed_by({**HEADER, "alg": "HS256"}, lambda signed: hmac.digest(TILL.jwk["x"].encode(), signed, "sha256")),
        C.ALGORITHM,
    ),
    "hs256 with a secret in the header": (
        signed_by(
            {**HEADER, "alg": "HS256", "jwk": {"kty": "oct", "k": encode(b"secret")}},
            lambda signed: hmac.digest(b"secret", signed, "sha256"),
        ),
        C.ALGORITHM,
    ),
    "a secret under the name of a key": (with_header(jwk={"kty": "oct", "k": encode(b"secret")}), C.KEY),
    "rs256": (
        signed_by(
            {**HEADER, "alg": "RS256", "jwk": without(without(RSA_OF_RFC_7638, "alg"), "kid")},
            lambda signed: RSA.sign(signed, padding.PKCS1v15(), hashes.SHA256()),
        ),
        C.ALGORITHM,
    ),
    "es256 with the other kind of key": (with_header(alg="ES256"), C.ALGORITHM),
    "alg in small letters": (with_header(alg="eddsa"), C.ALGORITHM),
    "alg a list": (with_header(alg=["EdDSA"]), C.ALGORITHM),
    "a private key in the header": (with_header(jwk={**TILL.jwk, "d": encode(bytes(32))}), C.KEY),
    "more than the key in the header": (with_header(jwk={**TILL.jwk, "kid": "1"}), C.KEY),
    "another key in the header": (with_header(alg="ES256", jwk=STRANGER.jwk), C.SIGNATURE),
    "jwk missing": (TILL.jws(without(HEADER, "jwk"), CLAIMS), C.HEADER),
    "jwk a url": (with_header(jwk="https://evil.example/key.json"), C.KEY),
    "jku": (with_header(jku="https://evil.example/jwks.json"), C.HEADER),
    "kid": (with_header(kid="main"), C.HEADER),
    "crit": (with_header(crit=["b64"], b64=False), C.HEADER),
    "typ missing": (TILL.jws(without(HEADER, "typ"), CLAIMS), C.HEADER),
    "typ jwt": (with_header(typ="JWT"), C.TYPE),
    "typ of an access token": (with_header(typ="at+jwt"), C.TYPE),
    "typ of a socket's proof": (with_header(typ="payhub-socket+jwt"), C.TYPE),
    "no signature": (with_claims().rsplit(".", 1)[0] + ".", C.SIGNATURE),
    "another proof's signature": (
        with_claims().rsplit(".", 1)[0] + "." + with_claims(iat=1).rsplit(".", 1)[1],
        C.SIGNATURE,
    ),
    "claims that are a list": (
        signed_by(HEADER, TILL.sign).replace(encode(json.dumps(CLAIMS).encode()), "W10"),
        C.SIGNATURE,
    ),
    "jti missing": (TILL.jws(HEADER, without(CLAIMS, "jti")), C.CLAIMS),
    "jti short": (with_claims(jti="1"), C.CLAIMS),
    "jti long": (with_claims(jti="x" * 101), C.CLAIMS),
    "jti a number": (with_claims(jti=10**20), C.CLAIMS),
    "jti with a line": (with_claims(jti="x" * 20 + "\n"), C.CLAIMS),
    "nonce a number": (with_claims(nonce=7), C.CLAIMS),
    "nonce null": (with_claims(nonce=None), C.CLAIMS),
    "nonce long": (with_claims(nonce="x" * 201), C.CLAIMS),
    "htm missing": (TILL.jws(HEADER, without(CLAIMS, "htm")), C.METHOD),
    "another method": (with_claims(htm="GET"), C.METHOD),
    "a method in small letters": (with_claims(htm="post"), C.METHOD),
    "htu missing": (TILL.jws(HEADER, without(CLAIMS, "htu")), C.ADDRESS),
    "another path": (with_claims(htu="https://pay.example.com/v1/payments"), C.ADDRESS),
    "a longer path": (with_claims(htu=ADDRESS + "/"), C.ADDRESS),
    "a path in capitals": (with_claims(htu="https://pay.example.com/V1/charges"), C.ADDRESS),
    "another host": (with_claims(htu="https://pay.example.com.evil.io/v1/charges"), C.ADDRESS),
    "another port": (with_claims(htu="https://pay.example.com:8443/v1/charges"), C.ADDRESS),
    "without tls": (with_claims(htu="http://pay.example.com/v1/charges"), C.ADDRESS),
    "a user in front": (with_claims(htu="https://pay.example.com@evil.io/v1/charges"), C.ADDRESS),
    "a path alone": (with_claims(htu="/v1/charges"), C.ADDRESS),
    "a port that is none": (with_claims(htu="https://pay.example.com:99999/v1/charges"), C.ADDRESS),
    "brackets that are not closed": (with_claims(htu="https://[::1/v1/charges"), C.ADDRESS),
    "htu a list": (with_claims(htu=[ADDRESS]), C.ADDRESS),
    "ath missing": (TILL.jws(HEADER, without(CLAIMS, "ath")), C.HASH),
    "another token's hash": (with_claims(ath=hash_of(OTHER_TOKEN)), C.HASH),
    "ath null": (with_claims(ath=None), C.HASH),
    "ath with a lone surrogate": (with_claims(ath="\ud800"), C.HASH),
    "ath in hex": (with_claims(ath="00" * 32), C.HASH),
    "iat missing": (TILL.jws(HEADER, without(CLAIMS, "iat")), C.CLAIMS),
    "iat a float": (with_claims(iat=NOW + 0.5), C.CLAIMS),
    "iat a text": (with_claims(iat=str(int(NOW))), C.CLAIMS),
    "iat true": (with_claims(iat=True), C.CLAIMS),
    "iat 1e30": (with_claims(iat=10**30), C.CLAIMS),
    "ten minutes ahead": (with_claims(iat=int(NOW) + 600), C.CLOCK),
    "ten minutes behind": (with_claims(iat=int(NOW) - 600), C.CLOCK),
    **{
        name: (
            with_header(jwk=jwk, alg="ES256" if isinstance(jwk, dict) and jwk.get("kty") == "EC" else "EdDSA"),
            C.KEY,
        )
        for name, jwk in BAD_KEYS.items()
        if len(json.dumps(jwk)) < 500
    },
}


@pytest.mark.parametrize(("text", "code"), REFUSED.values(), ids=REFUSED)
def test_refused(text: str, code: ProofCode) -> None:
    quickest = float("inf")
    for _ in range(5):
        started = time.perf_counter()
        with pytest.raises(ProofRefused) as refused:
            read(text)
        quickest = min(quickest, time.perf_counter() - started)
    assert refused.value.code is code
    assert str(refused.value) == code.value
    assert refused.value.__context__ is None or refused.value.__suppress_context__
    assert quickest < 0.002


@pytest.mark.parametrize("skew_s", [-SKEW_S, -60, 0, 60, SKEW_S])
def test_a_clock_may_be_a_minute_off(skew_s: int) -> None:
    read(with_claims(iat=int(NOW) + skew_s))
    check(TILL.jws(SOCKET_HEADER, {**SOCKET_CLAIMS, "iat": int(NOW) + skew_s}))


@pytest.mark.parametrize(
    "claimed",
    [
        ADDRESS,
        "https://pay.example.com:443/v1/charges",
        "HTTPS://PAY.example.com/v1/charges",
        ADDRESS + "?before=7",
        ADDRESS + "#part",
    ],
)
def test_an_address_is_the_same_without_query_and_in_other_letters_of_its_host(claimed: str) -> None:
    read(with_claims(htu=claimed))


def test_a_proof_names_what_may_not_be_used_again() -> None:
    one, other = read(with_claims()), read(with_claims(nonce="another"))
    assert len({*one.things} & {*other.things}) == 1
    key = STRANGER.jws({**HEADER, "alg": "ES256", "jwk": STRANGER.jwk}, CLAIMS)
    # The id is the key's own: nobody can use up somebody else's.
    assert {*one.things} & {*read(key).things} == {f"nonce {NONCE}"}


def check(text: str, thumbprint: str | None = None) -> None:
    check_socket_proof(
        text,
        challenge=NONCE,
        token=TOKEN,
        thumbprint=thumbprint or read(with_claims()).thumbprint,
        door=Door.NATIVE,
        tenant="demo",
        now=NOW,
    )


REFUSED_ON_A_SOCKET: dict[str, tuple[str, ProofCode]] = {
    "a request's proof": (with_claims(), C.TYPE),
    "another door": (TILL.jws(SOCKET_HEADER, {**SOCKET_CLAIMS, "aud": "payhub-web"}), C.DOOR),
    "a list of doors": (TILL.jws(SOCKET_HEADER, {**SOCKET_CLAIMS, "aud": ["payhub-native"]}), C.DOOR),
    "no door": (TILL.jws(SOCKET_HEADER, without(SOCKET_CLAIMS, "aud")), C.DOOR),
    "another tenant": (TILL.jws(SOCKET_HEADER, {**SOCKET_CLAIMS, "tenant": "other"}), C.TENANT),
    "no tenant": (TILL.jws(SOCKET_HEADER, without(SOCKET_CLAIMS, "tenant")), C.TENANT),
    "another token": (TILL.jws(SOCKET_HEADER, {**SOCKET_CLAIMS, "ath": hash_of(OTHER_TOKEN)}), C.HASH),
    "no token": (TILL.jws(SOCKET_HEADER, without(SOCKET_CLAIMS, "ath")), C.HASH),
    "another key": (
        STRANGER.jws({**SOCKET_HEADER, "alg": "ES256", "jwk": STRANGER.jwk}, SOCKET_CLAIMS),
        C.OTHER_KEY,
    ),
    "another challenge": (TILL.jws(SOCKET_HEADER, {**SOCKET_CLAIMS, "nonce": NONCE + "x"}), C.NONCE),
    "no challenge": (TILL.jws(SOCKET_HEADER, without(SOCKET_CLAIMS, "nonce")), C.NONCE),
    "a challenge of nothing": (TILL.jws(SOCKET_HEADER, {**SOCKET_CLAIMS, "nonce": ""}), C.NONCE),
    "ten minutes ahead": (TILL.jws(SOCKET_HEADER, {**SOCKET_CLAIMS, "iat": int(NOW) + 600}), C.CLOCK),
    "ten minutes behind": (TILL.jws(SOCKET_HEADER, {**SOCKET_CLAIMS, "iat": int(NOW) - 600}), C.CLOCK),
    "no clock": (TILL.jws(SOCKET_HEADER, without(SOCKET_CLAIMS, "iat")), C.CLAIMS),
    "a megabyte": ("A" * 1_000_000, C.TOO_LARGE),
    "alg none": (TILL.jws({**SOCKET_HEADER, "alg": "none"}, SOCKET_CLAIMS), C.ALGORITHM),
    "a private key in the header": (
        TILL.jws({**SOCKET_HEADER, "jwk": {**TILL.jwk, "d": encode(bytes(32))}}, SOCKET_CLAIMS),
        C.KEY,
    ),
}


@pytest.mark.parametrize(("text", "code"), REFUSED_ON_A_SOCKET.values(), ids=REFUSED_ON_A_SOCKET)
def test_refused_on_a_socket(text: str, code: ProofCode) -> None:
    with pytest.raises(ProofRefused) as refused:
        check(text)
    assert refused.value.code is code


@given(st.text(max_size=300))
def test_nothing_but_a_refusal_comes_of_anything(text: str) -> None:
    with pytest.raises(ProofRefused):
        read(text)


@given(
    st.sampled_from(sorted(CLAIMS)),
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9), st.lists, max_leaves=3),
)
def test_a_signed_claim_of_any_value_is_read_or_refused(name: str, value: object) -> None:
    try:
        proof = read(with_claims(**{name: value}))
    except ProofRefused:
        return
    assert isinstance(proof.nonce, str)
