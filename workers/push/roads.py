"""Whose credentials a push goes out with: the operator's push file, in JSON, with paths of the files that hold secrets.

    {
      "default": {
        "apple": {"key_file": "AuthKey.p8", "key_id": "…", "team_id": "…", "topics": ["com.example.pay"]},
        "firebase": {"service_account_file": "firebase.json"},
        "web": {"subject": "mailto:push@example.com"}
      },
      "tenants": {"a-slug": {"apple": {…}, "web": null}}
    }

A tenant has the installation's credentials but where it has its own; null: none. Paths are seen from the file. Browsers
are pushed to without a word of it, by a key that the installation has (core/notices/vapid.py); `subject` is where push
services write to when something is wrong. Phones need what Apple and Google gave you.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from msgspec import UNSET, UnsetType

from core.notices.targets import TOPIC
from workers.push.apns import HOST, SANDBOX_HOST, AppleKey
from workers.push.fcm import TOKEN_URL, URL, ServiceAccount
from workers.push.signing import KeyUnusable, read_key, read_key_file
from workers.push.web_push import VapidKey
from workers.secret_file import read_secret

FILE_SIZE_MAX: Final = 1024 * 1024
T = TypeVar("T")


class RoadsRefused(Exception):
    """The push file cannot be used: one sentence that says why and what to do, with no secret in it."""


class _Apple(msgspec.Struct, forbid_unknown_fields=True):
    """`url`, `sandbox_url`: where Apple is asked, if not at Apple."""

    key_file: str
    key_id: str
    team_id: str
    topics: list[str]
    url: str = f"https://{HOST}"
    sandbox_url: str = f"https://{SANDBOX_HOST}"


class _Firebase(msgspec.Struct, forbid_unknown_fields=True):
    """`url`: where Firebase is asked, if not at Google. Where tokens are fetched, the account's file says."""

    service_account_file: str
    url: str = URL


class _Web(msgspec.Struct, forbid_unknown_fields=True):
    subject: str


class _Roads(msgspec.Struct, forbid_unknown_fields=True):
    apple: _Apple | UnsetType | None = UNSET
    firebase: _Firebase | UnsetType | None = UNSET
    web: _Web | UnsetType | None = UNSET


class _File(msgspec.Struct, forbid_unknown_fields=True):
    default: _Roads = msgspec.field(default_factory=_Roads)
    tenants: dict[str, _Roads] = msgspec.field(default_factory=dict)


class _Account(msgspec.Struct):
    """What of Google's own file is needed."""

    project_id: str
    client_email: str
    private_key: str
    private_key_id: str | None = None
    token_uri: str = TOKEN_URL


class TenantRoads(NamedTuple):
    """The ways on which a tenant's people can be pushed to; None: not on this one."""

    apple: AppleKey | None = None
    firebase: ServiceAccount | None = None
    web: VapidKey | None = None


class Roads(NamedTuple):
    """Everybody's."""

    default: TenantRoads = TenantRoads()
    tenants: dict[str, TenantRoads] = {}  # noqa: RUF012  # never changed

    def of(self, tenant: str) -> TenantRoads:
        """A tenant's, by its slug."""
        return self.tenants.get(tenant, self.default)

    def apple(self, tenant: str) -> AppleKey | None:
        """What AppleSender asks for."""
        return self.of(tenant).apple

    def firebase(self, tenant: str) -> ServiceAccount | None:
        """What FirebaseSender asks for."""
        return self.of(tenant).firebase

    def web(self, tenant: str) -> VapidKey | None:
        """What WebSender asks for."""
        return self.of(tenant).web


def read_roads(path: Path | None, web: VapidKey) -> Roads:
    """What the push file says, with the keys that it names; without one, browsers alone. Raises RoadsRefused.

    `web`: the installation's own key.
    """
    if path is None:
        return Roads(TenantRoads(web=web))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RoadsRefused(f"{path} cannot be read: {error.strerror}.") from None
    if len(content) > FILE_SIZE_MAX:
        raise RoadsRefused(f"{path} is larger than a push file can be.")
    try:
        told = msgspec.json.decode(content, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RoadsRefused(f"{path}: {error}.") from None
    reader = _Reader(path, web.key)
    default = reader.read(told.default, "default", TenantRoads(web=web))
    tenants = {slug: reader.read(roads, f"tenants.{slug}", default) for slug, roads in told.tenants.items()}
    return Roads(default, tenants)


class _Reader:
    """Reads what one push file names, each file once: who shares a key shares its connection and its tokens."""

    def __init__(self, path: Path, vapid: EllipticCurvePrivateKey) -> None:
        self._path = path
        self._vapid = vapid
        self._keys: dict[tuple[str, str], Any] = {}

    def read(self, roads: _Roads, place: str, default: TenantRoads) -> TenantRoads:
        apple, firebase, web = default
        if roads.apple is not UNSET:
            apple = None if roads.apple is None else self._apple(roads.apple, f"{place}.apple")
        if roads.firebase is not UNSET:
            firebase = None if roads.firebase is None else self._firebase(roads.firebase, f"{place}.firebase")
        if roads.web is not UNSET:
            web = None if roads.web is None else self._web(roads.web, f"{place}.web")
        return TenantRoads(apple, firebase, web)

    def _apple(self, told: _Apple, place: str) -> AppleKey:
        key = self._key(told.key_file, f"{place}.key_file", read_key_file)
        if not isinstance(key, EllipticCurvePrivateKey):
            raise self._refused(f"{place}.key_file", "is no key of P-256: take the .p8 file that Apple gave you")
        # Ten letters and digits each, as Apple shows them.
        for name, text in (("key_id", told.key_id), ("team_id", told.team_id)):
            if not text.isalnum() or not text.isascii() or len(text) > 20:
                raise self._refused(f"{place}.{name}", "is no id of Apple's: copy it from the developer account")
        if not told.topics or not all(map(TOPIC.fullmatch, told.topics)):
            raise self._refused(f"{place}.topics", "has to name the bundle ids that are pushed to")
        hosts = (self._host(told.url, f"{place}.url"), self._host(told.sandbox_url, f"{place}.sandbox_url"))
        return AppleKey(told.key_id, told.team_id, key, tuple(told.topics), hosts)

    def _firebase(self, told: _Firebase, place: str) -> ServiceAccount:
        where = f"{place}.service_account_file"
        account = self._key(told.service_account_file, where, _read_account)
        try:
            key = read_key(account.private_key.encode())
        except KeyUnusable as error:
            raise self._refused(where, f"holds a private_key that {error}") from None
        if not isinstance(key, RSAPrivateKey):
            raise self._refused(where, "holds no key of RSA: make a new one in the Google Cloud console")
        if not account.project_id.isascii() or not account.project_id.replace("-", "").replace(":", "").isalnum():
            raise self._refused(where, "holds no project_id of Google's")
        self._host(told.url, f"{place}.url")
        self._host(account.token_uri, where, "holds a token_uri that")
        return ServiceAccount(
            account.project_id, account.client_email, key, account.private_key_id, account.token_uri, told.url
        )

    def _web(self, told: _Web, place: str) -> VapidKey:
        if not told.subject.startswith(("mailto:", "https://")) or not told.subject.isprintable():
            raise self._refused(f"{place}.subject", "has to be a mailto: or https: address where you can be reached")
        return VapidKey(self._vapid, told.subject)

    def _key(self, file: str, place: str, read: Callable[[Path], T]) -> T:
        name = (file, read.__name__)
        if name not in self._keys:
            try:
                self._keys[name] = read(self._path.parent / file)
            except KeyUnusable as error:
                raise self._refused(place, f"{self._path.parent / file} {error}") from None
        found: T = self._keys[name]
        return found

    def _host(self, url: str, place: str, what: str = "") -> tuple[str, int]:
        try:
            parts = urlsplit(url)
            if parts.scheme == "https" and parts.hostname and "@" not in parts.netloc and not parts.query:
                return parts.hostname, parts.port or 443
        except ValueError:
            pass
        raise self._refused(place, f"{what} has to be an https URL, because secrets travel on it".strip())

    def _refused(self, place: str, why: str) -> RoadsRefused:
        return RoadsRefused(f"{self._path}: {place}: {why}.")


def _read_account(path: Path) -> _Account:
    try:
        return msgspec.json.decode(read_secret(path), type=_Account)
    except OSError as error:
        raise KeyUnusable(f"cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise KeyUnusable("is no service account: take the JSON file that Google gave you") from None
