"""Every setting of Payhub: its name, its unit, its default and why it is there.

Read once, at the start of a process, from PAYHUB_* environment variables; entry points hand the values on.
This module never reads the environment by itself, and knows neither core nor hub nor workers.
"""

import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints
from urllib.parse import urlsplit, urlunsplit

import msgspec
from msgspec import Meta

PREFIX = "PAYHUB_"
# Where the client's build goes, beside this code; an installed wheel has none.
CLIENT_DIR = Path(__file__).resolve().parent.parent / "clients" / "js" / "build"
MASTER_KEY_BYTES = 32  # AES-256 wraps the signing keys
HUBS_MAX = 64  # each hub keeps about ten database connections; more hubs want a connection pooler in between
RETENTION_DAYS_MAX = 36_500  # a hundred years: a slip of the pen beyond that could never be undone
DRAIN_SECONDS_MAX = 300  # orchestrators kill what takes longer than a few minutes to stop

_DATABASE_SCHEMES = ("postgresql", "postgres")
_REDIS_SCHEMES = ("redis", "rediss", "unix")
_MAIL_SCHEMES = ("smtp", "smtps")
_WEB_SCHEMES = ("http", "https")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_MAIL_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_MAIL_ADDRESS = re.compile(rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~.-]{{1,64}}@{_MAIL_NAME.pattern}")
_PUSH_HOST = re.compile(r"\.?[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?(?::[0-9]{1,5})?")
_SPLIT = frozenset(
    {"allowed_origins", "internal_networks", "push_hosts", "sink_networks", "trusted_proxies", "webhook_networks"}
)  # comma-separated in the environment


class SettingsError(Exception):
    """A setting Payhub cannot work with: one sentence that names the variable and says what to do."""

    def __init__(self, variable: str, reason: str) -> None:
        super().__init__(f"{variable} {reason}")
        self.variable = variable


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of one process. Make one with `Settings.from_environment`."""

    database_url: Annotated[
        str,
        Meta(
            description="PostgreSQL 18, as hubs and workers log in (role payhub_app, which owns nothing). "
            "Empty: `payhub run` starts its own PostgreSQL."
        ),
    ]
    admin_database_url: Annotated[
        str,
        Meta(
            description="PostgreSQL as the owner of the tables, for migrations and new tenants only; "
            "hubs never see it. Default: PAYHUB_DATABASE_URL."
        ),
    ]
    redis_url: Annotated[
        str,
        Meta(
            description="Redis or Valkey, for hints between hubs and cluster-wide limits; nothing in it is "
            "ever the only copy. Empty: `payhub run` starts its own Valkey."
        ),
    ]
    keys_database_url: Annotated[
        str,
        Meta(
            description="A small PostgreSQL database of its own for the keys of persons and tenants, as hubs and "
            "workers log in (role payhub_keys_app). Keep its backups for days only: who is erased stays readable in "
            "a backup of the ledger for as long as one of these is kept. Empty: in the PostgreSQL that `payhub run` "
            "starts."
        ),
    ]
    keys_admin_database_url: Annotated[
        str,
        Meta(
            description="The same as the owner of its tables, for migrations only. Default: PAYHUB_KEYS_DATABASE_URL."
        ),
    ]
    key_service: Annotated[
        Literal["local", "aws", "vault"],
        Meta(
            description="Who holds the master key that wraps all others: a file (local), AWS KMS, or HashiCorp Vault's "
            "Transit engine. After a change, `payhub keys rotate master` moves everything to the new one."
        ),
    ]
    master_key_file: Annotated[
        Path,
        Meta(
            description="The file of the master key: 32 random bytes for each of its versions, the newest last. A copy "
            "of the databases alone opens nothing. `payhub migrate` creates it if the key service is local. Keep a "
            "copy elsewhere."
        ),
    ]
    aws_kms_key: Annotated[
        str,
        Meta(
            description="Id, ARN or alias of the symmetric AWS KMS key. Credentials are found as AWS' tools find them."
        ),
    ]
    aws_region: Annotated[str, Meta(description="The KMS key's region. Empty: as AWS' tools are set up.")]
    aws_endpoint_url: Annotated[str, Meta(description="Where KMS is asked, for a private endpoint. Empty: at AWS.")]
    vault_url: Annotated[str, Meta(description="Where Vault is, like https://vault.example:8200.")]
    vault_key: Annotated[
        str, Meta(description="The name of the Transit key, of a type that takes associated data (aes256-gcm96).")
    ]
    vault_mount: Annotated[str, Meta(description="Where the Transit engine is mounted.")]
    vault_token_file: Annotated[
        Path,
        Meta(description="File with the Vault token, kept fresh by an agent. It is read again when it is refused."),
    ]
    anchor_dir: Annotated[
        Path,
        Meta(
            description="Folder where workers append the signed heads of all logs, a file for each day, none ever "
            "rewritten. Put it on another volume than the database's."
        ),
    ]
    anchor_bucket: Annotated[
        str,
        Meta(
            description="A bucket (S3 or what speaks like it) with Object Lock, where workers put the same heads: "
            "nobody can overwrite or delete them before their date. Empty: none. Credentials are found as AWS' tools "
            "find them."
        ),
    ]
    anchor_bucket_prefix: Annotated[str, Meta(description="What the keys in that bucket begin with.")]
    anchor_bucket_days: Annotated[
        int,
        Meta(ge=1, le=RETENTION_DAYS_MAX, description="For how many days each object there cannot be deleted."),
    ]
    anchor_bucket_region: Annotated[str, Meta(description="The bucket's region. Empty: as AWS' tools are set up.")]
    anchor_bucket_endpoint_url: Annotated[
        str, Meta(description="Where the bucket is asked for, if it is not at AWS. Empty: at AWS.")
    ]
    witnesses_file: Annotated[
        Path,
        Meta(
            description="File with the witnesses that are shown the heads: a JSON list of what `payhub witness admit` "
            "printed where they are kept. It holds tokens. If it is not there, there are none."
        ),
    ]
    sinks_file: Annotated[
        Path,
        Meta(
            description="JSON file that names the systems of yours that are told everything that is done, as "
            "CloudEvents: over HTTP, or as a Redis stream (workers/sinks/choices.py shows one). Workers read it when "
            "they start. If it is not there, there are none."
        ),
    ]
    sink_networks: Annotated[
        tuple[str, ...],
        Meta(
            description="Networks of yours where sinks may be told over HTTP, with commas between. Empty: public "
            "addresses only. Loopback named here may be told without TLS. Default: loopback where `payhub run` brings "
            "its own PostgreSQL, and else empty."
        ),
    ]
    listen: Annotated[str, Meta(description="host:port where hubs serve HTTP and WebSockets; all hubs share it.")]
    admin_listen: Annotated[
        str,
        Meta(
            description="host:port of /metrics, never to be public. `payhub run` counts the port up: "
            "one per hub, then one for the worker."
        ),
    ]
    trusted_proxies: Annotated[
        tuple[str, ...],
        Meta(
            description="Addresses or networks of the proxies that end TLS in front of the hubs, with commas between: "
            "their X-Forwarded-For says who the client is. Empty: nobody's does. Without it all clients behind a "
            "proxy share one address, and its limits."
        ),
    ]
    allowed_origins: Annotated[
        tuple[str, ...],
        Meta(
            description="Origins of web pages that may open a WebSocket, with commas between; any other page "
            "is refused. Default: the local ones of PAYHUB_LISTEN, and PAYHUB_PUBLIC_URL."
        ),
    ]
    internal_networks: Annotated[
        tuple[str, ...],
        Meta(
            description="Networks of yours where identity providers may be asked, with commas between: 10.0.0.0/8. "
            "Empty: public addresses only. Loopback named here may be asked without TLS, for tests and development."
        ),
    ]
    webhook_networks: Annotated[
        tuple[str, ...],
        Meta(
            description="Networks of yours where merchants' webhooks may lead, with commas between. Whoever may make a "
            "webhook reaches them from your workers. Empty: public addresses only. Loopback named here may be asked "
            "without TLS. Default: loopback where `payhub run` brings its own PostgreSQL, and else empty."
        ),
    ]
    public_url: Annotated[
        str,
        Meta(description="Where people reach the hub from outside; goes into links, mails and tokens."),
    ]
    smtp_url: Annotated[
        str,
        Meta(
            description="The relays that workers hand mails to, with commas between: smtp://user@relay.example:587 "
            "(STARTTLS has to be; ?starttls=optional or never where nobody listens in) or smtps://relay.example. The "
            "first is used while it answers. Empty: no mail is sent; `payhub run` starts a mailbox of its own."
        ),
    ]
    smtp_password_file: Annotated[
        str, Meta(description="File with the password of the relays' user. Empty: they are spoken to without.")
    ]
    mail_from: Annotated[
        str, Meta(description="Address that mails come from. Default: no-reply at PAYHUB_PUBLIC_URL's host.")
    ]
    mail_domain: Annotated[
        str,
        Meta(
            description="Domain that mails go back to when they cannot be delivered: each to an address of its own, "
            "bounces+…@. Default: the domain of PAYHUB_MAIL_FROM."
        ),
    ]
    dkim_key_file: Annotated[
        str,
        Meta(
            description="File with the private key that signs mails (PEM; RSA of 2048 bits, or Ed25519) for the domain "
            "of PAYHUB_MAIL_FROM. Empty: they leave unsigned, for a relay that signs."
        ),
    ]
    dkim_selector: Annotated[
        str, Meta(description="Name of the published key: <selector>._domainkey.<domain> in the DNS.")
    ]
    bounces_dir: Annotated[
        str,
        Meta(
            description="Maildir where a mail server of yours puts what comes to bounces+…@. Empty: no bounce is read."
        ),
    ]
    push_file: Annotated[
        str,
        Meta(
            description="JSON file that says by whose credentials pushes go out to phones, Apple's and Firebase's, for "
            "the installation and for tenants (workers/push/roads.py shows one). Empty: browsers alone are pushed to."
        ),
    ]
    push_hosts: Annotated[
        tuple[str, ...],
        Meta(
            description="Hosts of browsers' push services besides Apple's, Google's, Microsoft's and Mozilla's, with "
            "commas between: push.example.com, .example.com for all below it, push.example.com:8443. Private networks "
            "have to be named in PAYHUB_INTERNAL_NETWORKS as well."
        ),
    ]
    push_ca_file: Annotated[
        str,
        Meta(
            description="Certificates of the authorities that push services are trusted by, in PEM, in place of the "
            "system's: for a proxy or a rehearsal."
        ),
    ]
    mailbox_listen: Annotated[
        str,
        Meta(
            description="host:port of the page of `payhub run`'s own mailbox, on loopback only; it takes mails on the "
            "next port. If it is taken, another one is."
        ),
    ]
    breached_passwords_file: Annotated[
        str,
        Meta(
            description="File of passwords known from breaches, which nobody may choose: SHA-1 in hexadecimal, a "
            "colon, a count, one a line, sorted. Searched on disk, however large. Empty: only obvious ones are refused."
        ),
    ]
    receipts: Annotated[
        bool,
        Meta(
            description="Whether a payment's answer carries its signed receipt at once. `false`: receipts come when "
            "asked for (read_proof), and the log finds the batches' roots itself."
        ),
    ]
    client_dir: Annotated[
        str,
        Meta(
            description="Folder of the built web client, which hubs serve at /app/, /pos/ and /console/. Default: "
            "where `make setup` builds it. A folder without one: hubs serve none."
        ),
    ]
    web_tenant: Annotated[
        str,
        Meta(
            description="The tenant whose people come in at this hub's pages. Empty: they say whose they are, or their "
            "link does (/app/?tenant=slug). Default: the demo where `payhub run` brings its own PostgreSQL."
        ),
    ]
    web_demo: Annotated[
        bool,
        Meta(
            description="Whether the pages offer to come in as one of the demo's people. Default: where `payhub run` "
            "brings its own PostgreSQL."
        ),
    ]
    web_vitals: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="Share of visits of which pages tell how they felt (paint, input, payments, reconnects): "
            "figures of nobody, for /metrics.",
        ),
    ]
    hubs: Annotated[
        int,
        Meta(
            ge=1,
            le=HUBS_MAX,
            description="Hub processes of `payhub run`; one core each is what they can use.",
        ),
    ]
    drain_seconds: Annotated[
        int,
        Meta(
            ge=0,
            le=DRAIN_SECONDS_MAX,
            description="Seconds a stopping hub takes to answer what is under way and to send its clients "
            "elsewhere. Below 10, because container runtimes kill after 10.",
        ),
    ]
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="The least important log line to write."),
    ]
    data_dir: Annotated[
        Path,
        Meta(description="Folder of the embedded servers' data, the logs and the master key."),
    ]

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Read PAYHUB_* variables; an empty one counts as absent. Raises SettingsError."""
        given = {name: value for name in cls.__struct_fields__ if (value := environ.get(variable(name)))}
        for name, check in _CHECKS.items():
            if name in given:
                check(variable(name), given[name])
        values = {**_defaults(given), **given}
        raw = {name: _split(value) if name in _SPLIT else value for name, value in values.items()}
        try:
            return msgspec.convert(raw, cls, strict=False, dec_hook=_decode_path)
        except msgspec.ValidationError as error:
            raise _explain(error, values) from None

    def to_environment(self) -> dict[str, str]:
        """Write the variables that make a child process read exactly these settings."""
        return {variable(name): _as_text(getattr(self, name)) for name in self.__struct_fields__}

    def key_choice(self) -> dict[str, Any]:
        """What core.keys.choosing.Choice wants to know, by its names."""
        return {
            "database_url": self.keys_database_url,
            "service": self.key_service,
            "master_key_file": self.master_key_file,
            "aws_key": self.aws_kms_key or None,
            "aws_region": self.aws_region or None,
            "aws_endpoint": self.aws_endpoint_url or None,
            "vault_url": self.vault_url or None,
            "vault_key": self.vault_key or None,
            "vault_mount": self.vault_mount,
            "vault_token_file": self.vault_token_file,
        }

    def bucket_choice(self) -> dict[str, Any]:
        """What workers.anchors.bucket.BucketChoice wants to know, by its names."""
        return {
            "bucket": self.anchor_bucket,
            "prefix": self.anchor_bucket_prefix,
            "days": self.anchor_bucket_days,
            "region": self.anchor_bucket_region or None,
            "endpoint": self.anchor_bucket_endpoint_url or None,
        }

    def require_keys_database(self) -> None:
        """Refuse to guess where keys are to be kept: beside the ledger, they would be in its backups."""
        if self.database_url and not self.keys_database_url:
            raise SettingsError(
                variable("keys_database_url"),
                "is not set: give the keys a small database of their own, whose backups are kept for days only.",
            )

    def require_servers(self) -> None:
        """Refuse to go on without a database and a Redis; only `payhub run` brings its own."""
        self.require_keys_database()
        for name in ("database_url", "redis_url"):
            if not getattr(self, name):
                raise SettingsError(
                    variable(name),
                    "is not set and no `payhub run` or `payhub embedded` is active in "
                    f"{self.data_dir}: set it, or start one of these first.",
                )


def variable(name: str) -> str:
    """Name the environment variable of a field."""
    return PREFIX + name.upper()


def address(text: str) -> tuple[str, int]:
    """Take "host:port" or "[ipv6]:port" apart. Raises ValueError."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(text)
    return host, int(port)


def with_port(text: str, step: int) -> str:
    """Count the port of "host:port" up by `step`."""
    _, port = address(text)
    return f"{text.rpartition(':')[0]}:{port + step}"


def masked(text: str) -> str:
    """Hide the password of a URL; anything else comes back as it is."""
    parts = urlsplit(text)
    if not parts.password:
        return text
    user_and_host = parts.netloc.replace(f":{parts.password}@", ":***@")
    return urlunsplit(parts._replace(netloc=user_and_host))


def explain(settings: Settings, environ: Mapping[str, str]) -> list[tuple[str, str, str, str]]:
    """List every setting as (variable, value without secrets, where it is from, what it means)."""
    hints = get_type_hints(Settings, include_extras=True)
    rows = []
    for name in Settings.__struct_fields__:
        meaning = next(meta.description for meta in get_args(hints[name]) if isinstance(meta, Meta))
        source = "environment" if environ.get(variable(name)) else "default"
        rows.append((variable(name), masked(_as_text(getattr(settings, name))), source, meaning or ""))
    return rows


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """List PAYHUB_* variables that mean nothing, most likely because of a slip of the pen."""
    known = {variable(name) for name in Settings.__struct_fields__}
    return sorted(name for name in environ if name.startswith(PREFIX) and name not in known)


def ensure_master_key(path: Path) -> bool:
    """Create the master key unless it is there; says whether it did. Readable by its owner only."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and linked into place: a crash half way must not leave half a key behind.
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=".master-key-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(secrets.token_bytes(MASTER_KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        Path(path).hardlink_to(aside)
    except FileExistsError:
        return False
    finally:
        Path(aside).unlink()
    return True


def _defaults(given: Mapping[str, str]) -> dict[str, str]:
    listen = given.get("listen", "127.0.0.1:8080")
    host, port = address(listen)
    everywhere = host in ("0.0.0.0", "::")  # noqa: S104  # compared with, never listened on by default
    public_url = given.get("public_url", f"http://{f'localhost:{port}' if everywhere else listen}").rstrip("/")
    local = [f"http://localhost:{port}", f"http://127.0.0.1:{port}"]
    data_dir = str(Path(given.get("data_dir", ".payhub")).resolve())
    mail_from = given.get("mail_from", f"no-reply@{_mail_host(public_url)}")
    return {
        "database_url": "",
        "admin_database_url": given.get("database_url", ""),
        "redis_url": "",
        "keys_database_url": "",
        "keys_admin_database_url": given.get("keys_database_url", ""),
        "key_service": "local",
        "aws_kms_key": "",
        "aws_region": "",
        "aws_endpoint_url": "",
        "vault_url": "",
        "vault_key": "",
        "vault_mount": "transit",
        "vault_token_file": str(Path(data_dir) / "vault.token"),
        "master_key_file": str(Path(data_dir) / "master.key"),
        "anchor_dir": str(Path(data_dir) / "anchors"),
        "anchor_bucket": "",
        "anchor_bucket_prefix": "payhub/heads/",
        "anchor_bucket_days": "1827",
        "anchor_bucket_region": "",
        "anchor_bucket_endpoint_url": "",
        "witnesses_file": str(Path(data_dir) / "witnesses.json"),
        "sinks_file": str(Path(data_dir) / "sinks.json"),
        "sink_networks": "" if given.get("database_url") else "127.0.0.0/8,::1/128",
        "listen": listen,
        "admin_listen": "127.0.0.1:9080",
        "allowed_origins": ",".join(dict.fromkeys([*local, public_url])),
        "trusted_proxies": "",
        "internal_networks": "",
        # On a developer's machine, who makes webhooks and who owns what listens there are the same.
        "webhook_networks": "" if given.get("database_url") else "127.0.0.0/8,::1/128",
        "public_url": public_url,
        "smtp_url": "",
        "smtp_password_file": "",
        "mail_from": mail_from,
        "mail_domain": mail_from.rpartition("@")[2],
        "dkim_key_file": "",
        "dkim_selector": "payhub",
        "bounces_dir": "",
        "push_file": "",
        "push_hosts": "",
        "push_ca_file": "",
        "mailbox_listen": "127.0.0.1:8025",
        "breached_passwords_file": "",
        "receipts": "true",
        "client_dir": str(CLIENT_DIR),
        "web_tenant": "" if given.get("database_url") else "demo",
        "web_vitals": "0.1",
        "web_demo": "false" if given.get("database_url") else "true",
        "hubs": "2",
        "drain_seconds": "8",
        "log_level": "info",
        "data_dir": data_dir,
    }


def _check_address(name: str, value: str) -> None:
    try:
        address(value)
    except ValueError:
        raise SettingsError(name, f"is {value!r}: write host:port, for example 127.0.0.1:8080.") from None


def _check_url(name: str, value: str, schemes: tuple[str, ...], example: str) -> None:
    if urlsplit(value).scheme not in schemes:
        raise SettingsError(name, f"is {masked(value)!r}: write a URL like {example}.")


def _check_database(name: str, value: str) -> None:
    _check_url(name, value, _DATABASE_SCHEMES, "postgresql://payhub_app:password@host/payhub")


def _check_redis(name: str, value: str) -> None:
    _check_url(name, value, _REDIS_SCHEMES, "redis://host:6379/0")


def _check_public_url(name: str, value: str) -> None:
    _check_url(name, value, _WEB_SCHEMES, "https://pay.example.com")


def _check_relays(name: str, value: str) -> None:
    for url in value.split(","):
        try:
            parts = urlsplit(url.strip())
            is_wrong = parts.scheme not in _MAIL_SCHEMES or not parts.hostname or parts.port == 0
        except ValueError:
            is_wrong = True
        if is_wrong:
            raise SettingsError(name, "is no list of relays: write URLs like smtp://relay.example:587.")
        if parts.password is not None:
            raise SettingsError(name, "holds a password: put it into the file PAYHUB_SMTP_PASSWORD_FILE.")


def _check_mail_address(name: str, value: str) -> None:
    if not _MAIL_ADDRESS.fullmatch(value):
        raise SettingsError(name, f"is {value!r}: write an address like no-reply@pay.example.com.")


def _check_mail_name(name: str, value: str) -> None:
    if not _MAIL_NAME.fullmatch(value):
        raise SettingsError(name, f"is {value!r}: write a name like pay.example.com.")


def _check_loopback(name: str, value: str) -> None:
    """Whoever reads the mailbox reads everybody's codes."""
    _check_address(name, value)
    if address(value)[0] not in _LOOPBACK:
        raise SettingsError(name, f"is {value!r}: the mailbox is for this machine alone, like 127.0.0.1:8025.")


def _mail_host(public_url: str) -> str:
    """The host of a URL, if mail can come from it."""
    host = urlsplit(public_url).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return host if _MAIL_NAME.fullmatch(host) else "localhost"
    return "localhost"


def _check_origins(name: str, value: str) -> None:
    for origin in _split(value):
        parts = urlsplit(origin)
        if parts.scheme not in _WEB_SCHEMES or not parts.netloc or parts.path or parts.query:
            raise SettingsError(name, f"holds {origin!r}: write origins without a path, like https://pay.example.com.")


def _check_secure_url(name: str, value: str) -> None:
    """Keys travel on it: in the clear they do so within one machine alone."""
    _check_public_url(name, value)
    parts = urlsplit(value)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise SettingsError(name, f"is {masked(value)!r}: keys travel on it, so it has to be https.")


def _check_networks(name: str, value: str) -> None:
    for network in _split(value):
        try:
            ip_network(network)
        except ValueError:
            raise SettingsError(name, f"holds {network!r}: write networks like 10.0.0.0/8.") from None


def _check_hosts(name: str, value: str) -> None:
    for host in _split(value):
        if not _PUSH_HOST.fullmatch(host):
            raise SettingsError(name, f"holds {host!r}: write hosts like push.example.com, in small letters.")


_CHECKS = {
    "database_url": _check_database,
    "admin_database_url": _check_database,
    "keys_database_url": _check_database,
    "keys_admin_database_url": _check_database,
    "aws_endpoint_url": _check_secure_url,
    "anchor_bucket_endpoint_url": _check_secure_url,
    "vault_url": _check_secure_url,
    "redis_url": _check_redis,
    "listen": _check_address,
    "admin_listen": _check_address,
    "public_url": _check_public_url,
    "smtp_url": _check_relays,
    "mail_from": _check_mail_address,
    "mail_domain": _check_mail_name,
    "dkim_selector": _check_mail_name,
    "mailbox_listen": _check_loopback,
    "allowed_origins": _check_origins,
    "internal_networks": _check_networks,
    "push_hosts": _check_hosts,
    "webhook_networks": _check_networks,
    "sink_networks": _check_networks,
}


def _split(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _as_text(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _decode_path(wanted: type[Any], value: Any) -> Any:
    if wanted is not Path:
        raise TypeError(f"No setting is a {wanted.__name__}.")
    return Path(value).resolve()


def _explain(error: msgspec.ValidationError, values: Mapping[str, str]) -> SettingsError:
    reason, _, place = str(error).partition(" - at `$.")
    name = place.rstrip("`").split("[")[0]
    kind = get_args(get_type_hints(Settings, include_extras=True)[name])[0]
    if get_args(kind):
        wanted = "one of " + ", ".join(get_args(kind))
    else:
        wanted = reason.replace("`", "").removeprefix("Expected ").replace("int, got str", "int")
        wanted = wanted.replace("int", "a whole number")
    return SettingsError(variable(name), f"is {values[name]!r}: write {wanted}.")
