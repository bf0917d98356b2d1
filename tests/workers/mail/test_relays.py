"""A relay's URL, and what may not be in it."""

import pytest

from workers.mail.relays import Relay, RelayRefused, Tls, read_relays


@pytest.mark.parametrize(
    ("urls", "password", "relays"),
    [
        ("smtp://mail.example", None, [Relay("mail.example", 587, Tls.REQUIRED)]),
        ("smtps://mail.example", None, [Relay("mail.example", 465, Tls.IMPLICIT)]),
        ("smtp://pay%40hub@mail.example:25", "pw", [Relay("mail.example", 25, Tls.REQUIRED, "pay@hub", "pw")]),
        ("smtp://127.0.0.1:2525", "pw", [Relay("127.0.0.1", 2525, Tls.OPTIONAL)]),
        ("smtp://[::1]:2525?starttls=never", None, [Relay("::1", 2525, Tls.NEVER)]),
        ("smtp://a.example?starttls=optional, smtps://b.example:1465", None,
         [Relay("a.example", 587, Tls.OPTIONAL), Relay("b.example", 1465, Tls.IMPLICIT)]),
    ],
)  # fmt: skip
def test_a_url_says_where_and_how(urls: str, password: str | None, relays: list[Relay]) -> None:
    assert read_relays(urls, password) == relays


@pytest.mark.parametrize(
    "urls",
    ["mail.example", "http://mail.example", "smtp://", "smtp://mail.example:99999", "smtp://mail.example/path",
     "smtp://ana:geheim@mail.example", "smtp://mail.example?starttls=maybe", "smtp://ana@mail.example?starttls=optional"],
)  # fmt: skip
def test_what_is_wrong_is_said_without_the_url(urls: str) -> None:
    with pytest.raises(RelayRefused) as refused:
        read_relays(urls, "geheim")
    assert "geheim" not in str(refused.value)
    assert "ana" not in str(refused.value)


def test_a_user_needs_a_password() -> None:
    with pytest.raises(RelayRefused, match="password"):
        read_relays("smtp://ana@mail.example", None)


def test_a_password_is_never_shown() -> None:
    assert "geheim" not in repr(read_relays("smtp://ana@mail.example", "geheim"))
