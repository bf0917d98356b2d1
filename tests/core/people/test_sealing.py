"""Secrets at rest: opened where they were sealed, and nowhere else."""

import secrets

import pytest

from core.people.sealing import SealBroken, Seals

ANA, RUI = "6f1f2a4e-8d5e-4b0a-9a34-2f6f6a1d0c11", "0f0e0d0c-0b0a-4908-8706-050403020100"
SECRET = b"JBSWY3DPEHPK3PXP"


def test_what_is_sealed_opens_for_its_tenant_person_and_purpose_alone() -> None:
    master_key = secrets.token_bytes(32)
    seals = Seals(master_key)
    sealed = seals.seal(7, ANA, "totp", SECRET)
    assert SECRET not in sealed
    assert Seals(master_key).open(7, ANA, "totp", sealed) == SECRET
    for tenant, person, purpose in ((8, ANA, "totp"), (7, RUI, "totp"), (7, ANA, "other")):
        with pytest.raises(SealBroken):
            seals.open(tenant, person, purpose, sealed)
    with pytest.raises(SealBroken):
        Seals(secrets.token_bytes(32)).open(7, ANA, "totp", sealed)


def test_what_was_changed_does_not_open() -> None:
    seals = Seals(secrets.token_bytes(32))
    sealed = seals.seal(7, ANA, "totp", SECRET)
    for at in range(len(sealed)):
        changed = bytes([*sealed[:at], sealed[at] ^ 1, *sealed[at + 1 :]])
        with pytest.raises(SealBroken):
            seals.open(7, ANA, "totp", changed)
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            seals.open(7, ANA, "totp", sealed[:length])


def test_the_same_secret_is_never_sealed_alike() -> None:
    seals = Seals(secrets.token_bytes(32))
    assert len({seals.seal(7, ANA, "totp", SECRET) for _ in range(100)}) == 100


def test_a_mark_depends_on_every_part_and_on_where_they_end() -> None:
    seals = Seals(secrets.token_bytes(32))
    marks = {
        seals.mark("a", "b", "c"),
        seals.mark("a", "bc"),
        seals.mark("ab", "c"),
        seals.mark("a", "b", "c", ""),
        seals.mark("a", "b"),
        seals.mark("a", 1),
        Seals(secrets.token_bytes(32)).mark("a", "b", "c"),
    }
    assert len(marks) == 7
    assert seals.mark("a", 1, b"x", "\ud800") == seals.mark("a", "1", "x", "\ud800")
