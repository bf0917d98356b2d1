import pytest

from core.machines.networks import is_inside, read_network


@pytest.mark.parametrize(
    ("given", "spelled"),
    [
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("192.0.2.7", "192.0.2.7/32"),
        ("2001:DB8::/48", "2001:db8::/48"),
        ("2001:db8:0:0::1", "2001:db8::1/128"),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ],
)
def test_a_network_has_one_spelling(given: str, spelled: str) -> None:
    assert read_network(given) == spelled


@pytest.mark.parametrize(
    "given",
    [
        "",
        "192.0.2.7/24",
        "192.0.2.0/33",
        "192.0.2",
        "192.0.2.0/24/8",
        "fe80::1%eth0",
        "::/129",
        "localhost",
        "01.2.3.4",
    ],
)
def test_what_is_no_network_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_network(given)


@pytest.mark.parametrize(
    ("host", "inside"),
    [
        ("192.0.2.7", True),
        ("192.0.2.255", True),
        ("192.0.3.0", False),
        ("::ffff:192.0.2.7", True),
        ("::ffff:192.0.3.7", False),
        ("2001:db8::9", True),
        ("2001:db8:1::9", False),
        ("unix", False),
        ("", False),
        (None, False),
    ],
)
def test_an_address_lies_inside_or_not(host: str | None, inside: bool) -> None:
    assert is_inside(["192.0.2.0/24", "2001:db8::/48"], host) is inside
    assert is_inside([], host) is False
