"""A witness's memory: a token is nobody else's, heads of the week are all there, a refusal stays."""

import sqlite3
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.proof.cosignatures import cosign
from core.proof.heads import Head
from hub.witness.store import HOUR_US, KEPT_US, REFUSALS_MAX, Store, StoreRefused
from tests.hub.witness.test_judging import head

KEY = Ed25519PrivateKey.generate()
KEYS = {"00112233445566ff": KEY.public_key()}
START = 1_800_000_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "witness.sqlite"


def take_two(store: Store) -> None:
    """The second is of nobody who was admitted."""
    with store.changing():
        store.take("acme", head(9), cosign(head(9), START, KEY))
        store.refuse("nobody", head(9), head(4), 0, b"", START)


def take(store: Store, shown: Head, now_us: int) -> None:
    with store.changing():
        store.take("acme", shown, cosign(shown, now_us, KEY))


def test_a_token_names_its_institution_and_is_kept_as_a_hash_alone(path: Path) -> None:
    store = Store(path, "w")
    acme, other = store.admit("acme", KEYS), store.admit("other", {})
    assert acme != other
    found = store.find(acme)
    assert found is not None
    assert (found.name, set(found.keys)) == ("acme", set(KEYS))
    assert store.find(acme[:-1]) is None
    assert store.find("") is None
    again = store.replace_token("acme")
    assert store.find(acme) is None
    assert store.find(again) is not None
    store.close()
    content = path.read_bytes()
    for token in (acme, other, again):
        assert token.encode() not in content


def test_nobody_is_admitted_twice_and_a_kid_stays_its_key(path: Path) -> None:
    store = Store(path, "w")
    store.admit("acme", KEYS)
    with pytest.raises(StoreRefused, match="already"):
        store.admit("acme", KEYS)
    store.replace_keys("acme", {**KEYS, "ff" * 8: Ed25519PrivateKey.generate().public_key()})
    with pytest.raises(StoreRefused, match="another key called"):
        store.replace_keys("acme", {"ff" * 8: Ed25519PrivateKey.generate().public_key()})
    with pytest.raises(StoreRefused, match="Nobody"):
        store.replace_keys("nobody", KEYS)
    with pytest.raises(StoreRefused, match="Nobody"):
        store.replace_token("nobody")


def test_of_heads_older_than_a_week_one_an_hour_stays_and_always_the_last(path: Path) -> None:
    store = Store(path, "w")
    store.admit("acme", KEYS)
    for size in range(1, 13):
        # Six an hour.
        take(store, head(size), START - START % HOUR_US + size * HOUR_US // 6)
    assert [one.head.size for one in store.page("acme", -1, 0)] == list(range(1, 13))
    take(store, head(20), START + KEPT_US + 10 * HOUR_US)
    assert [one.head.size for one in store.page("acme", -1, 0)] == [1, 6, 12, 20]
    last = store.last("acme", 7)
    assert last is not None
    assert last.size == 20


def test_a_log_begun_anew_keeps_what_was_seen_and_refused_before(path: Path) -> None:
    store = Store(path, "w")
    store.admit("acme", KEYS)
    take(store, head(9), START)
    with store.changing():
        store.refuse("acme", head(9), head(4), 0, b"", START)
    with pytest.raises(StoreRefused, match="No log of tenant 8"):
        store.begin_anew("acme", 8, "restored", START)
    store.begin_anew("acme", 7, "restored", START)
    assert store.last("acme", 7) is None
    take(store, head(4), START)
    assert [one.head.size for one in store.page("acme", -1, 0)] == [4]
    assert [(one.kept.size, one.shown.size) for one in store.refusals()] == [(9, 4)]
    rows = sqlite3.connect(path).execute("select beginning, size from heads order by 1, 2").fetchall()
    assert rows == [(0, 9), (1, 4)]


def test_refusals_are_kept_once_each_and_do_not_fill_the_disk(path: Path) -> None:
    store = Store(path, "w")
    store.admit("acme", KEYS)
    with store.changing():
        for _ in range(3):
            store.refuse("acme", head(9), head(4), 0, b"", START)
    assert len(store.refusals()) == 1
    with store.changing():
        for at in range(REFUSALS_MAX + 50):
            store.refuse("acme", head(9), head(4)._replace(root=at.to_bytes(32)), 0, b"", START)
    assert len(store.refusals()) == REFUSALS_MAX


def test_what_fails_half_way_is_not_there(path: Path) -> None:
    store = Store(path, "w")
    store.admit("acme", KEYS)
    with pytest.raises(sqlite3.IntegrityError):
        take_two(store)
    assert store.last("acme", 7) is None
