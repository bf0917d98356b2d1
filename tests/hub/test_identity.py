"""Identity tokens against a real provider: taken for what they are, while its keys turn and while it is away."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from core.outside import Outside, OutsideRefused
from core.people.providers import Provider
from hub.identity import (
    ASK_AGAIN,
    KEYS_MAX,
    LEEWAY_S,
    PAUSE_S,
    TOKEN_BYTES_MAX,
    Identities,
    IdentityCode,
    IdentityRefused,
    ProviderUnavailable,
    Shown,
)
from tests.hub.oidc import JSON, Answer, Key, OidcServer, encode, make_key
from tests.hub.test_jws import ED25519_OF_RFC_8037

NONCE = str(uuid.uuid4())
C = IdentityCode


class Clock:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest_asyncio.fixture
async def server() -> AsyncIterator[OidcServer]:
    running = await OidcServer().start()
    running.keys = [make_key(algorithm) for algorithm in ("RS256", "ES256", "EdDSA")]
    yield running
    await running.stop()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def identities(clock: Clock) -> Identities:
    return Identities(Outside(["127.0.0.0/8"]), clock=clock, fresh_s=600, stale_s=86_400)


def provider(server: OidcServer, **changed: Any) -> Provider:
    trusted = Provider("idp", server.issuer, server.audience, "sub", False, ["RS256", "ES256", "EdDSA"], True, False)
    return trusted._replace(**changed)


async def refusal(identities: Identities, whose: Provider, token: str, nonce: str = NONCE) -> IdentityCode:
    with pytest.raises(IdentityRefused) as refused:
        await identities.verify(whose, token, nonce, time.time())
    assert str(refused.value) == refused.value.code.value
    return refused.value.code


async def test_a_token_of_each_kind_of_key_says_who_it_is(server: OidcServer, identities: Identities) -> None:
    for key in server.keys:
        shown = await identities.verify(provider(server), server.token(NONCE, key=key), NONCE, time.time())
        assert shown == Shown("248289761001", "Jane Doe")
    # Asked once, for all of them.
    assert server.asked == ["/.well-known/openid-configuration", "/jwks"]


async def test_the_claim_that_was_chosen_says_who_it_is(server: OidcServer, identities: Identities) -> None:
    by_email = provider(server, claim="email")
    for changed, good in (
        ({"email": "ana@x.example", "email_verified": True}, True),
        ({"email": "ana@x.example", "email_verified": False}, False),
        ({"email": "ana@x.example", "email_verified": "true"}, False),
        ({"email": "ana@x.example"}, False),
        ({"email_verified": True}, False),
    ):
        token = server.token(NONCE, **changed)
        if good:
            shown = await identities.verify(by_email, token, NONCE, time.time())
            assert shown.value == "ana@x.example"
        else:
            assert await refusal(identities, by_email, token) is C.CLAIM
    shown = await identities.verify(provider(server), server.token(NONCE, name=7), NONCE, time.time())
    assert shown.name is None
    assert "248" not in repr(shown)


def refused_tokens(server: OidcServer) -> dict[str, tuple[str, IdentityCode]]:
    now = int(time.time())
    rsa, curve, edwards = server.keys
    stranger = make_key("EdDSA")
    good = server.token(NONCE)
    public = encode(json.dumps(rsa.jwk).encode())
    return {
        "empty": ("", C.MALFORMED),
        "two segments": (good.rsplit(".", 1)[0], C.MALFORMED),
        "padding": (good + "=", C.MALFORMED),
        "a megabyte": ("A" * 1_000_000, C.TOO_LARGE),
        "too large by one": ("A" * (TOKEN_BYTES_MAX + 1), C.TOO_LARGE),
        "kid missing": (server.token(NONCE, header={"kid": None}), C.HEADER),
        "kid a number": (server.token(NONCE, header={"kid": 1}), C.HEADER),
        "kid a path": (server.token(NONCE, header={"kid": "../../dev/null"}), C.KEY_UNKNOWN),
        "crit": (server.token(NONCE, header={"crit": ["b64"], "b64": False}), C.HEADER),
        "jku": (server.token(NONCE, header={"jku": "https://evil.example/jwks"}), C.HEADER),
        "x5u": (server.token(NONCE, header={"x5u": "https://evil.example/chain"}), C.HEADER),
        "jwk, self-signed": (
            server.token(NONCE, key=stranger, header={"jwk": stranger.jwk, "kid": edwards.kid}),
            C.HEADER,
        ),
        "an access token": (server.token(NONCE, header={"typ": "at+jwt"}), C.TYPE),
        "a logout token": (server.token(NONCE, header={"typ": "logout+jwt"}), C.TYPE),
        "alg none": (server.token(NONCE, header={"alg": "none"}), C.ALGORITHM),
        "alg none, unsigned": (server.token(NONCE, header={"alg": "none"}).rsplit(".", 1)[0] + ".", C.ALGORITHM),
        "hs256": (server.token(NONCE, header={"alg": "HS256"}), C.ALGORITHM),
        "alg missing": (server.token(NONCE, header={"alg": None}), C.ALGORITHM),
        "alg of another key": (server.token(NONCE, key=edwards, header={"alg": "ES256"}), C.ALGORITHM),
        "rs256 under the curve's kid": (server.token(NONCE, key=rsa, header={"kid": curve.kid}), C.ALGORITHM),
        "a stranger under a known kid": (server.token(NONCE, key=stranger._replace(kid=edwards.kid)), C.SIGNATURE),
        "no signature": (good.rsplit(".", 1)[0] + ".", C.SIGNATURE),
        "another token's signature": (
            good.rsplit(".", 1)[0] + "." + server.token("x").rsplit(".", 1)[1],
            C.SIGNATURE,
        ),
        "claims put in": (good.split(".")[0] + "." + public + "." + good.split(".")[2], C.SIGNATURE),
        "iss missing": (server.token(NONCE, iss=None), C.ISSUER),
        "iss another": (server.token(NONCE, iss="https://evil.example"), C.ISSUER),
        "iss with a slash": (server.token(NONCE, iss=server.issuer + "/"), C.ISSUER),
        "iss a list": (server.token(NONCE, iss=[server.issuer]), C.ISSUER),
        "aud missing": (server.token(NONCE, aud=None), C.AUDIENCE),
        "aud another": (server.token(NONCE, aud="another-client"), C.AUDIENCE),
        "aud a prefix": (server.token(NONCE, aud=server.audience + "-2"), C.AUDIENCE),
        "aud a list without us": (server.token(NONCE, aud=["a", "b"]), C.AUDIENCE),
        "aud an object": (server.token(NONCE, aud={server.audience: True}), C.AUDIENCE),
        "aud of two, for nobody": (server.token(NONCE, aud=[server.audience, "b"]), C.AUDIENCE),
        "aud of two, for the other": (server.token(NONCE, aud=[server.audience, "b"], azp="b"), C.AUDIENCE),
        "azp another": (server.token(NONCE, azp="b"), C.AUDIENCE),
        "exp missing": (server.token(NONCE, exp=None), C.TIMES),
        "exp a text": (server.token(NONCE, exp=str(now + 60)), C.TIMES),
        "exp a float": (server.token(NONCE, exp=now + 60.5), C.TIMES),
        "exp true": (server.token(NONCE, exp=True), C.TIMES),
        "exp 1e30": (server.token(NONCE, exp=10**30), C.TIMES),
        "iat missing": (server.token(NONCE, iat=None), C.TIMES),
        "nbf a text": (server.token(NONCE, nbf="now"), C.TIMES),
        "expired": (server.token(NONCE, exp=now - LEEWAY_S), C.EXPIRED),
        "issued tomorrow": (server.token(NONCE, iat=now + 86_400, exp=now + 90_000), C.NOT_YET_VALID),
        "nbf ahead": (server.token(NONCE, nbf=now + LEEWAY_S + 5), C.NOT_YET_VALID),
        "nonce missing": (server.token(NONCE, nonce=None), C.NONCE),
        "nonce another": (server.token(str(uuid.uuid4())), C.NONCE),
        "nonce a list": (server.token(NONCE, nonce=[NONCE]), C.NONCE),
        "nonce with a lone surrogate": (server.token("\ud800"), C.NONCE),
        "sub missing": (server.token(NONCE, sub=None), C.CLAIM),
        "sub empty": (server.token(NONCE, sub=""), C.CLAIM),
        "sub a number": (server.token(NONCE, sub=7), C.CLAIM),
        "sub long": (server.token(NONCE, sub="x" * 256), C.CLAIM),
        "sub with a line": (server.token(NONCE, sub="a\nb"), C.CLAIM),
        "sub a lone surrogate": (server.token(NONCE, sub="\ud800"), C.CLAIM),
    }


async def test_whatever_is_wrong_with_a_token_is_refused(server: OidcServer, identities: Identities) -> None:
    whose = provider(server)
    for name, (token, code) in refused_tokens(server).items():
        assert await refusal(identities, whose, token) is code, name
    assert len(refused_tokens(server)) > 50
    # And for that alone.
    for changed in ({"aud": [server.audience]}, {"aud": [server.audience, "b"], "azp": server.audience}, {"x": 1}):
        await identities.verify(whose, server.token(NONCE, **changed), NONCE, time.time())
    for typ in (None, "JWT", "jwt"):
        await identities.verify(whose, server.token(NONCE, header={"typ": typ}), NONCE, time.time())


async def test_an_algorithm_that_was_not_allowed_is_refused(server: OidcServer, identities: Identities) -> None:
    rsa, curve, _ = server.keys
    narrow = provider(server, algorithms=["ES256"])
    assert await refusal(identities, narrow, server.token(NONCE, key=rsa)) is C.ALGORITHM
    await identities.verify(narrow, server.token(NONCE, key=curve), NONCE, time.time())


async def test_a_provider_does_not_speak_for_another(server: OidcServer, identities: Identities, clock: Clock) -> None:
    other = await OidcServer().start()
    try:
        # The same key name at both: the key is the issuer's own.
        other.keys = [Key(server.keys[-1].kid, "EdDSA", make_key().private)]
        forged = other.token(NONCE, iss=server.issuer, aud=server.audience)
        assert await refusal(identities, provider(server), forged) is C.SIGNATURE

        # One whose discovery document names another issuer is believed in nothing.
        async def liar(path: str) -> Answer | None:
            if path.startswith("/.well"):
                return 200, JSON, json.dumps({**other.discovery(), "issuer": server.issuer}).encode()
            return None

        other.instead = liar
        with pytest.raises(ProviderUnavailable):
            await identities.verify(provider(other), other.token(NONCE), NONCE, time.time())
    finally:
        await other.stop()


async def test_keys_that_cannot_be_had_from_outside_are_not_taken_from_inside(server: OidcServer) -> None:
    """A provider may not send us to an address of ours for its keys."""

    async def inward(path: str) -> Answer | None:
        if path.startswith("/.well"):
            return 200, JSON, json.dumps({**server.discovery(), "jwks_uri": "https://169.254.169.254/keys"}).encode()
        return None

    server.instead = inward
    identities = Identities(Outside(["127.0.0.1/32"]))
    with pytest.raises(ProviderUnavailable):
        await identities.verify(provider(server), server.token(NONCE), NONCE, time.time())


async def test_a_new_key_is_asked_for_and_an_old_one_dropped(server: OidcServer, identities: Identities) -> None:
    whose = provider(server)
    old = server.keys[-1]
    await identities.verify(whose, server.token(NONCE), NONCE, time.time())
    new = make_key("ES256")
    server.keys = [new]
    # Until it is asked again, the old one is good; then it is not.
    await identities.verify(whose, server.token(NONCE, key=old), NONCE, time.time())
    await identities.verify(whose, server.token(NONCE, key=new), NONCE, time.time())
    assert await refusal(identities, whose, server.token(NONCE, key=old)) is C.KEY_UNKNOWN
    assert server.asked.count("/jwks") == 3


async def test_a_key_that_was_taken_back_is_dropped_when_the_rest_is_no_longer_fresh(
    server: OidcServer, identities: Identities, clock: Clock
) -> None:
    whose, old = provider(server), server.keys[-1]
    await identities.verify(whose, server.token(NONCE), NONCE, time.time())
    server.keys = server.keys[:1]
    clock.now += 601
    assert await refusal(identities, whose, server.token(NONCE, key=old)) is C.KEY_UNKNOWN


async def test_made_up_keys_make_us_ask_no_more_than_so_often(
    server: OidcServer, identities: Identities, clock: Clock
) -> None:
    whose = provider(server)
    await identities.verify(whose, server.token(NONCE), NONCE, time.time())
    for _ in range(100):
        assert await refusal(identities, whose, server.token(NONCE, header={"kid": uuid.uuid4().hex})) is C.KEY_UNKNOWN
    assert server.asked.count("/jwks") == 1 + ASK_AGAIN.burst
    # The known ones are not held up by that.
    await identities.verify(whose, server.token(NONCE), NONCE, time.time())
    clock.now += 1 / ASK_AGAIN.per_second
    new = make_key()
    server.keys.append(new)
    await identities.verify(whose, server.token(NONCE), NONCE, time.time())


async def test_many_at_once_ask_once(server: OidcServer, identities: Identities) -> None:
    async def slowly(path: str) -> Answer | None:
        await asyncio.sleep(0.1)
        return None

    server.instead = slowly
    whose = provider(server)
    await asyncio.gather(*(identities.verify(whose, server.token(NONCE), NONCE, time.time()) for _ in range(50)))
    assert server.asked == ["/.well-known/openid-configuration", "/jwks"]


async def test_known_keys_work_while_the_provider_is_away_until_they_are_stale(
    server: OidcServer, identities: Identities, clock: Clock
) -> None:
    whose = provider(server)
    token, unknown = server.token(NONCE), server.token(NONCE, key=make_key())
    await identities.verify(whose, token, NONCE, time.time())
    await server.stop()
    for seconds in (599, 2, 3_600, 40_000, 42_000):
        clock.now += seconds
        await identities.verify(whose, token, NONCE, time.time())
        assert await refusal(identities, whose, unknown) is C.KEY_UNKNOWN
    clock.now += 2_000
    with pytest.raises(ProviderUnavailable):
        await identities.verify(whose, token, NONCE, time.time())
    # It comes back, on the same port.
    await server.start()
    clock.now += PAUSE_S
    await identities.verify(whose, token, NONCE, time.time())


async def test_after_a_failure_nobody_waits_for_the_next_one(identities: Identities, clock: Clock) -> None:
    silent = await OidcServer().start()
    try:

        async def never(path: str) -> Answer | None:
            await asyncio.sleep(60)
            return None

        silent.instead = never
        identities = Identities(Outside(["127.0.0.0/8"], timeout_s=0.3), clock=clock)
        whose, token = provider(silent), silent.token(NONCE)
        started = time.monotonic()
        answers = await asyncio.gather(
            *(identities.verify(whose, token, NONCE, time.time()) for _ in range(20)), return_exceptions=True
        )
        assert all(isinstance(answer, ProviderUnavailable) for answer in answers)
        assert time.monotonic() - started < 2
        assert len(silent.asked) == 1
    finally:
        await silent.stop()


async def test_keys_that_are_none_of_ours_are_passed_over(server: OidcServer, identities: Identities) -> None:
    good, doubled = make_key(), make_key()
    listed = [
        "no key",
        {},
        {"kid": "secret", "kty": "oct", "k": "AAAA"},
        {**good.jwk, "kid": "for encryption", "use": "enc"},
        {**good.jwk, "kid": "for signing only", "key_ops": ["sign"]},
        {**good.jwk, "kid": "private", "d": "AAAA"},
        {**good.jwk, "kid": "of another algorithm", "alg": "ES256"},
        {**good.jwk, "kid": 7},
        {"kid": "short", "kty": "RSA", "n": encode(b"\x01" * 128), "e": "AQAB"},
        {"kid": "weak", **ED25519_OF_RFC_8037, "x": encode(bytes(32))},
        doubled.jwk,
        {**make_key().jwk, "kid": doubled.kid},
        good.jwk,
    ]

    async def instead(path: str) -> Answer | None:
        return (200, JSON, json.dumps({"keys": listed}).encode()) if path == "/jwks" else None

    server.instead = instead
    whose = provider(server)
    await identities.verify(whose, server.token(NONCE, key=good), NONCE, time.time())
    for kid in ("for encryption", "for signing only", "private", "of another algorithm", "secret", doubled.kid):
        code = await refusal(identities, whose, server.token(NONCE, key=good._replace(kid=kid)))
        assert code is C.KEY_UNKNOWN, kid
    assert await refusal(identities, whose, server.token(NONCE, key=doubled)) is C.KEY_UNKNOWN
    listed[:] = [{**make_key().jwk} for _ in range(KEYS_MAX)] + [good.jwk]
    fresh = Identities(Outside(["127.0.0.0/8"]))
    assert await refusal(fresh, whose, server.token(NONCE, key=good)) is C.KEY_UNKNOWN


async def test_valid_tokens_are_taken_while_the_keys_turn_under_load(server: OidcServer) -> None:
    """Three rotations: the new key is published, then used, then the old one is gone."""
    identities = Identities(Outside(["127.0.0.0/8"]))
    whose = provider(server)
    server.keys = [make_key("RS256")]
    taken, turning = 0, True

    async def log_in() -> None:
        nonlocal taken
        while turning:
            nonce = str(uuid.uuid4())
            await identities.verify(whose, server.token(nonce), nonce, time.time())
            taken += 1
            await asyncio.sleep(0)

    working = [asyncio.create_task(log_in()) for _ in range(8)]
    retired = []
    for algorithm in ("ES256", "EdDSA", "RS256"):
        await asyncio.sleep(0.2)
        retired.append(server.keys[-1])
        server.keys = [*server.keys, make_key(algorithm)]
        await asyncio.sleep(0.2)
        server.keys = server.keys[-1:]
    await asyncio.sleep(0.2)
    turning = False
    await asyncio.gather(*working)
    assert taken > 20
    for key in retired[:2]:
        assert await refusal(identities, whose, server.token(NONCE, key=key)) is C.KEY_UNKNOWN


def test_an_issuer_is_an_address_that_may_be_asked() -> None:
    strict = Identities(Outside())
    strict.check_issuer("https://id.example.com/realms/main")
    for issuer in ("http://id.example.com", "https://", "file:///etc", "https://a@b.example"):
        with pytest.raises(OutsideRefused):
            strict.check_issuer(issuer)
