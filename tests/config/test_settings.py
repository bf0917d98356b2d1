"""Settings: defaults, what follows from what, and the sentence for each wrong value."""

import stat
from pathlib import Path

import pytest

from config.settings import (
    Settings,
    SettingsError,
    ensure_master_key,
    explain,
    masked,
    unknown_variables,
    with_port,
)


def test_nothing_set_is_a_complete_configuration() -> None:
    settings = Settings.from_environment({})
    assert settings.listen == "127.0.0.1:8080"
    assert settings.hubs == 2
    assert settings.data_dir == Path(".payhub").resolve()
    assert settings.master_key_file == settings.data_dir / "master.key"


def test_an_empty_variable_counts_as_absent() -> None:
    assert Settings.from_environment({"PAYHUB_HUBS": ""}).hubs == 2


def test_origins_and_public_url_follow_the_port() -> None:
    settings = Settings.from_environment({"PAYHUB_LISTEN": "127.0.0.1:9000"})
    assert settings.allowed_origins == ("http://localhost:9000", "http://127.0.0.1:9000")
    assert settings.public_url == "http://127.0.0.1:9000"


def test_listening_everywhere_is_reached_as_localhost() -> None:
    assert Settings.from_environment({"PAYHUB_LISTEN": "0.0.0.0:80"}).public_url == "http://localhost:80"


def test_the_public_url_is_an_allowed_origin() -> None:
    settings = Settings.from_environment({"PAYHUB_PUBLIC_URL": "https://pay.example.com/"})
    assert "https://pay.example.com" in settings.allowed_origins


def test_administrator_is_the_same_login_unless_told_otherwise() -> None:
    settings = Settings.from_environment({"PAYHUB_DATABASE_URL": "postgresql://a@b/c"})
    assert settings.admin_database_url == "postgresql://a@b/c"


def test_mail_comes_from_where_people_reach_the_hub() -> None:
    settings = Settings.from_environment({"PAYHUB_PUBLIC_URL": "https://pay.example.com"})
    assert (settings.mail_from, settings.mail_domain) == ("no-reply@pay.example.com", "pay.example.com")
    assert Settings.from_environment({}).mail_from == "no-reply@localhost"
    assert Settings.from_environment({"PAYHUB_MAIL_FROM": "bank@mail.example"}).mail_domain == "mail.example"


def test_a_key_service_on_the_same_machine_may_speak_in_the_clear() -> None:
    for host in ("127.0.0.1", "localhost", "[::1]"):
        url = f"http://{host}:8200"
        assert Settings.from_environment({"PAYHUB_VAULT_URL": url}).key_choice()["vault_url"] == url


def test_a_child_process_reads_exactly_the_same() -> None:
    settings = Settings.from_environment(
        {"PAYHUB_ALLOWED_ORIGINS": "https://a.example, https://b.example", "PAYHUB_HUBS": "3"}
    )
    assert Settings.from_environment(settings.to_environment()) == settings


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("PAYHUB_HUBS", "many", "a whole number"),
        ("PAYHUB_HUBS", "0", "a whole number >= 1"),
        ("PAYHUB_DRAIN_SECONDS", "-1", "a whole number >= 0"),
        ("PAYHUB_LOG_LEVEL", "loud", "one of debug, info"),
        ("PAYHUB_LISTEN", "8080", "host:port"),
        ("PAYHUB_LISTEN", "localhost:99999", "host:port"),
        ("PAYHUB_ADMIN_LISTEN", "localhost:", "host:port"),
        ("PAYHUB_DATABASE_URL", "mysql://host/db", "postgresql://"),
        ("PAYHUB_REDIS_URL", "localhost:6379", "redis://"),
        ("PAYHUB_PUBLIC_URL", "pay.example.com", "https://"),
        ("PAYHUB_ALLOWED_ORIGINS", "https://pay.example.com/path", "without a path"),
        ("PAYHUB_KEYS_DATABASE_URL", "mysql://host/db", "postgresql://"),
        ("PAYHUB_KEY_SERVICE", "gcp", "one of local, aws, vault"),
        ("PAYHUB_VAULT_URL", "http://vault.example:8200", "has to be https"),
        ("PAYHUB_AWS_ENDPOINT_URL", "http://169.254.1.1", "has to be https"),
        ("PAYHUB_SMTP_URL", "mail.example:25", "smtp://"),
        ("PAYHUB_SMTP_URL", "smtp://a.example,http://b.example", "smtp://"),
        ("PAYHUB_SMTP_URL", "smtp://a.example:99999", "smtp://"),
        ("PAYHUB_SMTP_URL", "smtp://ana:geheim@mail.example", "PAYHUB_SMTP_PASSWORD_FILE"),
        ("PAYHUB_MAIL_FROM", "Bank <no-reply@bank.example>", "no-reply@"),
        ("PAYHUB_MAIL_FROM", "a@b.example\r\nBcc: c@d.example", "no-reply@"),
        ("PAYHUB_MAIL_DOMAIN", "bank example", "a name"),
        ("PAYHUB_DKIM_SELECTOR", "a;b", "a name"),
        ("PAYHUB_PUSH_HOSTS", "https://push.example", "hosts like"),
        ("PAYHUB_PUSH_HOSTS", "Push.example", "small letters"),
        ("PAYHUB_MAILBOX_LISTEN", "0.0.0.0:8025", "this machine alone"),
    ],
)
def test_a_wrong_value_is_named_and_the_right_form_shown(name: str, value: str, advice: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.from_environment({name: value})
    assert refusal.value.variable == name
    assert str(refusal.value).startswith(name)
    assert advice in str(refusal.value)
    assert "geheim" not in str(refusal.value)


def test_a_password_is_never_shown() -> None:
    environment = {"PAYHUB_DATABASE_URL": "postgresql://app:s3cret@host:5432/payhub"}
    rows = explain(Settings.from_environment(environment), environment)
    assert "s3cret" not in str(rows)
    assert masked(environment["PAYHUB_DATABASE_URL"]) == "postgresql://app:***@host:5432/payhub"
    with pytest.raises(SettingsError) as refusal:
        Settings.from_environment({"PAYHUB_DATABASE_URL": "mysql://app:s3cret@host/payhub"})
    assert "s3cret" not in str(refusal.value)


def test_every_setting_says_what_it_means_and_where_its_value_is_from() -> None:
    environment = {"PAYHUB_HUBS": "1"}
    rows = {row[0]: row for row in explain(Settings.from_environment(environment), environment)}
    assert rows["PAYHUB_HUBS"][2] == "environment"
    assert rows["PAYHUB_LISTEN"][2] == "default"
    assert all(len(meaning) > 20 for _, _, _, meaning in rows.values())


def test_a_slip_of_the_pen_is_noticed() -> None:
    assert unknown_variables({"PAYHUB_LISTNE": "x", "PAYHUB_LISTEN": "y", "PATH": "z"}) == ["PAYHUB_LISTNE"]


def test_the_port_counts_up() -> None:
    assert with_port("[::1]:9080", 2) == "[::1]:9082"


def test_the_master_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "data" / "master.key"
    assert ensure_master_key(path)
    key = path.read_bytes()
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not ensure_master_key(path)
    assert path.read_bytes() == key
    assert list(path.parent.iterdir()) == [path]
