"""When and how somebody proved who they are, as a token says it (RFC 9068, 2.2.1; RFC 8176): read strictly."""

import datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from core.keyring import SigningKey
from core.people.persons import Role
from hub.auth import LEEWAY_S, PROOFS_MAX, TokenCode, TokenRefused, Tokens
from hub.session import Session

NOW = 1_900_000_000
PERSON = "6f1f2a4e-8d5e-4b0a-9a34-2f6f6a1d0c11"
SESSION = "0d6c1c3e-5a44-4f64-8b77-5f0b1a6e9c22"
KEY = ed25519.Ed25519PrivateKey.generate()
TOKENS = Tokens([SigningKey("main", "EdDSA", KEY, datetime.datetime.fromtimestamp(NOW - 100, datetime.UTC), None)])


def token(**claims: Any) -> str:
    """Signed by the right key, whatever it says."""
    all_ = {
        "iss": "payhub",
        "aud": "payhub-native",
        "sub": PERSON,
        "tid": 7,
        "sid": SESSION,
        "role": 1,
        "iat": NOW,
        "exp": NOW + 300,
        "jti": "e1b0c7a2-7a0e-4a7c-bb9e-3f5d1c2b4a33",
        **claims,
    }
    return jwt.encode(all_, KEY, "EdDSA", {"kid": "main", "typ": "at+jwt"})


def test_what_was_proved_is_read_as_it_was_written() -> None:
    for proved_at, proofs in ((NOW - 60, ("pwd", "otp", "mfa")), (NOW, ()), (1, ("pop",))):
        issued = TOKENS.issue(7, PERSON, Role.MERCHANT, SESSION, NOW, proved_at=proved_at, proofs=proofs)
        principal = TOKENS.verify(issued.token, NOW)
        assert (principal.proved_at, principal.proofs) == (proved_at, proofs)


def test_a_token_that_says_nothing_proves_nothing() -> None:
    for silent in (token(), TOKENS.issue(7, PERSON, Role.MERCHANT, SESSION, NOW).token):
        principal = TOKENS.verify(silent, NOW)
        assert (principal.proved_at, principal.proofs) == (0, ())


GOOD: dict[str, Any] = {"auth_time": NOW - 10, "amr": ["pwd", "otp", "mfa"]}
BAD: dict[str, dict[str, Any]] = {
    "a moment alone": {"auth_time": NOW},
    "ways alone": {"amr": ["pwd"]},
    "a moment that is a text": {**GOOD, "auth_time": str(NOW)},
    "a moment that is a float": {**GOOD, "auth_time": NOW + 0.5},
    "a moment that is true": {**GOOD, "auth_time": True},
    "a moment that is null": {**GOOD, "auth_time": None},
    "no moment": {**GOOD, "auth_time": 0},
    "a moment before time": {**GOOD, "auth_time": -1},
    "a moment to come": {**GOOD, "auth_time": NOW + LEEWAY_S + 1},
    "a moment far away": {**GOOD, "auth_time": 2**53},
    "a way that is no list": {**GOOD, "amr": "pwd otp mfa"},
    "ways by name": {**GOOD, "amr": {"mfa": True}},
    "null ways": {**GOOD, "amr": None},
    "a way that is a number": {**GOOD, "amr": ["pwd", 7]},
    "a way that is a list": {**GOOD, "amr": [["mfa"]]},
    "a way that is shouted": {**GOOD, "amr": ["MFA"]},
    "a way with a line": {**GOOD, "amr": ["mfa\n"]},
    "a long way": {**GOOD, "amr": ["a" * 9]},
    "an empty way": {**GOOD, "amr": [""]},
    "too many ways": {**GOOD, "amr": ["pwd"] * (PROOFS_MAX + 1)},
}


@pytest.mark.parametrize("claims", BAD.values(), ids=BAD)
def test_what_cannot_be_a_proof_is_refused(claims: dict[str, Any]) -> None:
    assert TOKENS.verify(token(**GOOD), NOW).proofs == ("pwd", "otp", "mfa")
    with pytest.raises(TokenRefused) as refused:
        TOKENS.verify(token(**claims), NOW)
    assert refused.value.code is TokenCode.CLAIMS


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=10) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(ANYTHING, ANYTHING)
def test_claims_of_any_value_are_read_or_refused(auth_time: Any, amr: Any) -> None:
    try:
        principal = TOKENS.verify(token(auth_time=auth_time, amr=amr), NOW)
    except TokenRefused:
        return
    assert 0 < principal.proved_at <= NOW + LEEWAY_S
    assert all(isinstance(one, str) for one in principal.proofs)


def test_a_session_takes_a_newer_proof_and_nothing_else_that_is_new() -> None:
    old, new = (
        TOKENS.verify(TOKENS.issue(7, PERSON, Role.MERCHANT, SESSION, NOW, proved_at=at, proofs=proofs).token, NOW)
        for at, proofs in ((NOW - 600, ("pwd",)), (NOW, ("pwd", "otp", "mfa")))
    )
    session = Session(NOW)
    session.begin(old, [], needs_factor=True)
    held = [session.is_held]
    for stranger in (
        new._replace(session_id=PERSON),
        new._replace(person_id=SESSION),
        new._replace(tenant_id=8),
        new._replace(role=Role.OPERATOR),
    ):
        assert not session.renew(stranger, needs_factor=True)
    held.append(session.is_held)
    for principal in (new, old):
        assert session.renew(principal, needs_factor=True)
        held.append(session.is_held)
    assert held == [True, True, False, True]
