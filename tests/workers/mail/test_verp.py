"""Return paths: what comes back names what was sent, and nobody else can make one."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.mail.message import check_address
from workers.mail.verp import Named, ReturnPaths

PATHS = ReturnPaths(b"k" * 32, "bounce.pay.example")


@given(tenant_id=st.integers(-(2**63), 2**63 - 1), delivery=st.uuids())
def test_it_names_the_delivery(tenant_id: int, delivery: uuid.UUID) -> None:
    path = PATHS.make(tenant_id, str(delivery))
    assert PATHS.read(path) == Named(tenant_id, str(delivery))
    assert PATHS.read(f"Bounces <{path.upper()}>") == Named(tenant_id, str(delivery))
    assert check_address(path) == path


def test_a_forged_one_names_nothing() -> None:
    delivery = str(uuid.uuid4())
    path = PATHS.make(7, delivery)
    assert ReturnPaths(b"j" * 32, PATHS.domain).read(path) is None
    assert PATHS.read(path.replace("bounce.pay.example", "elsewhere.example")) is None
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    for at in range(len("bounces+"), len("bounces+") + 55):
        changed = letters[(letters.index(path[at]) + 16) % 32]
        assert PATHS.read(path[:at] + changed + path[at + 1 :]) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ana@example.com",
        "bounces+@bounce.pay.example",
        "bounces+" + "a" * 55 + "@bounce.pay.example",
        "bounces+" + "1" * 55 + "@x",
    ],
)
def test_others_addresses_name_nothing(text: str) -> None:
    assert PATHS.read(text) is None


def test_the_key_is_never_shown() -> None:
    assert "k" * 8 not in repr(PATHS)
    assert "107, 107" not in repr(PATHS)
