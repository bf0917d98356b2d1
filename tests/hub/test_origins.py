"""The allow-list of web pages, letter by letter."""

import pytest

from hub.origins import Origins

OURS = Origins(["https://app.example.com", "http://localhost:8080"])


@pytest.mark.parametrize(
    "origin",
    [
        b"https://evil.example",
        b"https://app.example.com.evil.io",
        b"https://evilapp.example.com",
        b"null",
        b"",
        b"https://APP.example.com",
        b"HTTPS://app.example.com",
        b"https://app.example.com:443",
        b"https://app.example.com:8443",
        b"http://app.example.com",
        b"https://xn--pp-8ka.example.com",
        "https://\u0430pp.example.com".encode(),
        b"https://app.example.com/",
        b"https://app.example.com@evil.example",
        b"https://app.example.com https://evil.example",
        b"*",
        b"http://localhost",
        b"http://localhost:80800",
    ],
)
def test_any_other_origin_is_refused(origin: bytes) -> None:
    assert not OURS.allow([(b"host", b"hub"), (b"Origin", origin)])


def test_an_origin_on_the_list_is_allowed_and_only_once() -> None:
    ours = (b"origin", b"https://app.example.com")
    assert OURS.allow([ours])
    assert not OURS.allow([ours, ours])
    assert not OURS.allow([(b"ORIGIN", b"https://evil.example"), ours])


def test_no_origin_is_no_browser() -> None:
    assert OURS.allow([(b"host", b"hub")])


def test_an_empty_list_lets_no_page_in() -> None:
    assert not Origins([]).allow([(b"origin", b"https://app.example.com")])
