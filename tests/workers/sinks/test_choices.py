"""The operator's file of sinks: what it says is taken, and what is wrong with it is one sentence without a secret."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.outside import Outside
from core.webhooks.signing import draw_secret
from workers.sinks.choices import SINKS_MAX, SinksRefused, read_sinks
from workers.sinks.http import HttpSink
from workers.sinks.stream import StreamSink

OUTSIDE = Outside([])
HTTP = {"name": "warehouse", "kind": "http", "url": "https://data.example.com/payhub"}
REDIS = {"name": "lake", "kind": "redis", "url": "rediss://payhub@events.example.com:6379/0", "stream": "pay:{tenant}"}


def read(folder: Path, *rows: Any) -> Any:
    file = folder / "sinks.json"
    file.write_text(json.dumps(rows))
    return read_sinks(file, OUTSIDE)


def test_no_file_means_no_sinks(tmp_path: Path) -> None:
    assert read_sinks(tmp_path / "none.json", OUTSIDE) == []


def test_what_a_file_says_is_taken(tmp_path: Path) -> None:
    secret = draw_secret()
    (tmp_path / "token").write_text("a-token\n")
    (tmp_path / "secret").write_text(secret)
    (tmp_path / "password").write_text("a-password\n")
    some = {"tenants": ["acme"], "types": ["payhub.payment.*", "payhub.audit.session.started"]}
    http, redis = read(
        tmp_path,
        {**HTTP, "bearer_file": "token", "secret_file": str(tmp_path / "secret")},
        {**REDIS, "password_file": "password", "length_max": 5_000, **some},
    )
    assert (http.name, http.tenants, http.is_wanted("payhub.anything")) == ("warehouse", None, True)
    assert isinstance(http.place, HttpSink)
    assert tuple(http.place._choice) == (HTTP["url"], "a-token", secret)
    assert isinstance(redis.place, StreamSink)
    assert tuple(redis.place._choice) == (REDIS["url"], "pay:{tenant}", 5_000, "a-password")
    wanted = {
        type_: redis.is_wanted(type_) for type_ in ("payhub.payment.sent", "payhub.refund.sent", "payhub.payment")
    }
    assert wanted == {"payhub.payment.sent": True, "payhub.refund.sent": False, "payhub.payment": False}
    shown = f"{http} {redis} {http.place._choice} {redis.place._choice}"
    assert not any(word in shown for word in ("a-token", secret, "a-password"))


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({**HTTP, "kind": "kafka"}, "Invalid value 'kafka'"),
        ({**HTTP, "token": "a-secret-word"}, "unknown field `token`"),
        ({**HTTP, "name": "Warehouse"}, "is no name of a sink"),
        ({**HTTP, "url": "http://data.example.com/"}, "its url has to be one like https"),
        ({**HTTP, "url": "https://user:a-secret-word@data.example.com/"}, "its url has to be one like https"),
        ({**HTTP, "bearer_file": "gone"}, "gone cannot be read: No such file"),
        ({**HTTP, "bearer_file": "two-lines"}, "has to hold one line of text"),
        ({**HTTP, "secret_file": "one-line"}, "has to hold whsec_ and 24 bytes"),
        ({**HTTP, "tenants": []}, "is told of nothing"),
        ({**HTTP, "types": ["payments.*"]}, "there are no events 'payments.*'"),
        ({**REDIS, "url": "rediss://payhub:a-secret-word@events.example.com"}, "holds a password"),
        ({**REDIS, "url": "rediss://events.example.com?password=a-secret-word"}, "holds a password"),
        ({**REDIS, "url": "https://events.example.com"}, "its url has to be one like rediss"),
        ({**REDIS, "url": "rediss://events.example.com:port"}, "its url has to be one like rediss"),
        ({**REDIS, "stream": "pay:{slug}"}, "a stream is a key"),
        ({**REDIS, "stream": ""}, "a stream is a key"),
        ({**REDIS, "length_max": 10}, "Expected `int` >= 1000"),
        ({"name": "lake", "kind": "redis", "url": "redis://x"}, "missing required field `stream`"),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path: Path, row: Any, sentence: str) -> None:
    (tmp_path / "one-line").write_text("a-secret-word")
    (tmp_path / "two-lines").write_text("a-secret-word\nanother")
    with pytest.raises(SinksRefused, match=sentence.replace("*", r"\*").replace("{", r"\{")) as refused:
        read(tmp_path, row)
    said = str(refused.value)
    assert said.startswith(str(tmp_path / "sinks.json"))
    assert said.endswith(".") and "\n" not in said
    assert "a-secret-word" not in said


def test_two_of_one_name_and_too_many_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SinksRefused, match="two sinks have one name"):
        read(tmp_path, HTTP, {**REDIS, "name": "warehouse"})
    with pytest.raises(SinksRefused, match="more than 20"):
        read(tmp_path, *({**HTTP, "name": f"s{at}"} for at in range(SINKS_MAX + 1)))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'[{"name": 1}]', b"[" + b" " * 1024 * 1024 + b"]"])
def test_what_is_no_list_of_sinks_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "sinks.json"
    file.write_bytes(content)
    with pytest.raises(SinksRefused, match=r"sinks\.json"):
        read_sinks(file, OUTSIDE)
    with pytest.raises(SinksRefused, match="cannot be read: Is a directory"):
        read_sinks(tmp_path, OUTSIDE)
