"""Passwords that nobody may choose: those on a list of breaches, and those that everybody begins with."""

import hashlib
import itertools
import os
import resource
import secrets
import time
from pathlib import Path

import pytest

from core.audit.trail import Act, By, read_trail
from core.database import Pool
from core.errors import NotFound, ProofRefused, Refusal
from core.people.changing import change_password
from core.people.credentials import check_password
from core.people.marking import Marks
from core.people.opening import Tenant, open_person
from core.people.passwords import WORDS, BreachedFile, Policy, is_obvious
from core.people.persons import Role
from core.people.sessions import Arrival, find_revoked, start_session
from core.people.throttles import count_proof
from core.people.tickets import TicketRefused, issue_ticket, try_ticket
from tests.conftest import the_keys

CONTEXT = ("ana.souza", "demo", "Padaria São João")
OBVIOUS = [
    "password1234",
    "Password-1234!",
    "P@ssw0rd2024!",
    "senha12345678",
    "SenhaSenhaSenha",
    "s3nh4-s3nh4-s3nh4",
    "qwertyuiop12",
    "zxcvbnm,./asdfghjkl",
    "abcdefghijkl",
    "123456789012",
    "0987654321098",
    "aaaaaaaaaaaa",
    "abababababab",
    "iloveyou123456",
    "flamengo2019!!",
    "demo-payhub-2026",
    "payhub-payhub",
    "Ana.Souza1987",
    "souza@24121990",
    "padaria2024!",
    "São João 2024",
    "paoDEMO_20261231",
    "minhasenha123",
]
FINE = [
    "correct horse battery staple",
    "paçoca de amendoim",
    "tXk29!mQpLw0",
    "a door has two sides",
    "839201748392",
    "meu primeiro cachorro foi o Bidu",
    "summer and winter love",
    "x9$kQ2#pL7&w",
    "密码密码密码书",
]


@pytest.mark.parametrize("password", OBVIOUS)
def test_what_everybody_tries_is_obvious(password: str) -> None:
    assert is_obvious(password, (*CONTEXT, "pao"))


@pytest.mark.parametrize("password", FINE)
def test_a_phrase_and_what_is_random_are_fine(password: str) -> None:
    assert not is_obvious(password, CONTEXT)


def test_every_pair_of_obvious_words_with_what_people_add_is_obvious() -> None:
    """The list that the rule stands for, spelled out: of 1.1 million every hundredth."""
    endings = ["", "1", "123", "12345", "!", "@123", "#", *(str(year) for year in range(1960, 2031))]
    spelled = ("".join(picked) + ending for picked in itertools.product(sorted(WORDS), repeat=2) for ending in endings)
    long_enough = (one for one in spelled if len(one) >= 12)
    looked = [one for at, one in enumerate(long_enough) if not at % 100]
    assert len(looked) > 5_000
    assert all(map(is_obvious, looked))


def test_random_passwords_are_never_obvious() -> None:
    assert not any(is_obvious(secrets.token_urlsafe(12), CONTEXT) for _ in range(5_000))


@pytest.mark.parametrize(
    "password", ["e" * 127 + "x", "eande" * 25, "a1" * 64, "thethemyisgodpay" * 8, "abc" * 42 + "zz"]
)
def test_no_password_takes_long_to_look_at(password: str) -> None:
    started = time.perf_counter()
    is_obvious(password, CONTEXT)
    assert time.perf_counter() - started < 0.05


def line(password: str) -> str:
    return hashlib.sha1(password.encode()).hexdigest().upper()


def write(path: Path, passwords: list[str], end: str = "\n", *, is_ended: bool = True) -> Path:
    text = end.join(f"{one}:{at % 100_000}" for at, one in enumerate(sorted(map(line, passwords))))
    path.write_bytes((text + (end if is_ended else "")).encode())
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("is_ended", [True, False])
def test_every_line_of_a_file_is_found_and_nothing_else(tmp_path: Path, end: str, is_ended: bool) -> None:
    known = [f"breached {at}" for at in range(2_000)]
    for count in (1, 2, 3, 10, 2_000):
        breached = BreachedFile(write(tmp_path / "list", known[:count], end, is_ended=is_ended))
        assert all(map(breached.holds, known[:count]))
        assert not any(breached.holds(f"kept {at}") for at in range(500))
        breached.close()


def test_hashes_in_small_letters_are_found_too(tmp_path: Path) -> None:
    path = write(tmp_path / "list", ["one", "two", "three"])
    path.write_text(path.read_text().lower())
    assert BreachedFile(path).holds("two")


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    assert not BreachedFile(write(tmp_path / "list", [], is_ended=False)).holds("one")


@pytest.mark.parametrize(
    "text",
    [
        "no hashes at all\n",
        "A" * 40 + ":1",
        "\n" + "A" * 40 + ":1\n",
        "B" * 40 + ":1\n" + "A" * 40 + ":1\n",
        "x" * 1_000,
        "A" * 1_000,
    ],
)
def test_a_file_that_is_no_sorted_list_is_refused_before_anybody_relies_on_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "list"
    path.write_text(text)
    if text == "A" * 40 + ":1":
        assert not BreachedFile(path).holds("one")
        return
    with pytest.raises(ValueError, match=r"[Ll]ine"):
        BreachedFile(path)


def test_a_large_file_is_searched_in_no_time_and_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "list"
    # A million lines, 44 MB: the hashes are random, so those of the passwords are put among them.
    known = [line(f"breached {at}").encode() for at in range(100)]
    hashes = sorted([*known, *(secrets.token_hex(20).upper().encode() for _ in range(1_000_000))])
    path.write_bytes(b"".join(one + b":3\r\n" for one in hashes))
    del hashes
    breached = BreachedFile(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    assert all(breached.holds(f"breached {at}") for at in range(100))
    assert not any(breached.holds(f"kept {at}") for at in range(900))
    assert (time.perf_counter() - started) / 1_000 < 0.005
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 4_096
    assert os.stat(path).st_size > 40_000_000


async def test_a_policy_refuses_by_both_lists(tmp_path: Path) -> None:
    policy = Policy(BreachedFile(write(tmp_path / "list", ["tr0ub4dor&3 is known", "pa\u00e7oca de amendoim"])))
    for password in ("tr0ub4dor&3 is known", "pac\u0327oca de amendoim", "demo-payhub-2026"):
        with pytest.raises(Refusal) as refused:
            await policy.refuse_weak(password, *CONTEXT)
        assert (refused.value.code, refused.value.field) == ("password_too_weak", "password")
        assert password not in str(refused.value)
    await policy.refuse_weak("tr0ub4dor&3 is not", *CONTEXT)
    await Policy().refuse_weak("tr0ub4dor&3 is known", *CONTEXT)


OLD, NEW = "correct horse battery", "another horse altogether"


async def test_a_changed_password_is_the_only_one_and_ends_the_other_sessions(pool: Pool, tenant: Tenant) -> None:
    ana = (await open_person(pool, the_keys(), tenant.id, Role.CUSTOMER, "Ana", "ana", OLD)).person_id
    rui = (await open_person(pool, the_keys(), tenant.id, Role.CUSTOMER, "Rui")).person_id
    here, there = [await start_session(pool, tenant.id, ana, Arrival("payhub-web")) for _ in range(2)]
    by = By(ana, here.session_id)
    count = count_proof(Marks(bytes(32)), tenant.id, ana, None)
    with pytest.raises(ProofRefused):
        await change_password(pool, tenant.id, by, NEW, "wrong horse battery", count)
    assert await check_password(pool, the_keys(), tenant.id, "ana", OLD) == ana
    half = [await issue_ticket(pool, tenant.id, who, None, None) for who in (ana, rui)]
    assert await change_password(pool, tenant.id, by, NEW, OLD, count) == [there.session_id]
    # Whoever is half way in by the old password goes no further; somebody else does.
    with pytest.raises(TicketRefused):
        await try_ticket(pool, tenant.id, half[0])
    assert (await try_ticket(pool, tenant.id, half[1])).person_id == rui
    assert await check_password(pool, the_keys(), tenant.id, "ana", NEW) == ana
    pairs = [(tenant.id, one.session_id) for one in (here, there)]
    assert await find_revoked(pool, pairs) == pairs[1:]
    (entry,) = await read_trail(pool, tenant.id, 10, what=Act.PASSWORD_CHANGED)
    assert (entry.who, entry.session_id, entry.details) == (*by[:2], None)
    with pytest.raises(ValueError, match="12 to 128"):
        await change_password(pool, tenant.id, by, "too short", NEW, count)
    nobody = (await open_person(pool, the_keys(), tenant.id, Role.CUSTOMER, "Nobody")).person_id
    with pytest.raises(NotFound):
        await change_password(pool, tenant.id, By(nobody), NEW, None, count)
