"""E-mail addresses, telephone numbers and postal addresses as they are kept: one spelling each, and masked. Pure.

That something is there behind an address, and whose it is, only a code that was sent there tells (confirming.py).
"""

import json
import re
import unicodedata
from typing import Final, NamedTuple

from core.errors import Refusal
from core.people.persons import REFUSED_CATEGORIES, REFUSED_CHARACTERS

# RFC 5321, 4.5.3.1: what every mail server takes.
EMAIL_LENGTH_MAX: Final = 254
LOCAL_LENGTH_MAX: Final = 64
# A dot-atom (RFC 5322, 3.2.3) at a domain name with a dot in it (RFC 1035, 2.3.1). No quotes, no address literals, no
# letters beyond ASCII: such addresses exist, and hardly any of them is a person's who pays.
EMAIL: Final = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])"
)
# ITU-T E.164: a plus, a country code that does not begin with 0, fifteen digits at most.
PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")
POSTAL_CODE: Final = re.compile(r"[0-9A-Z]{3,10}")
BRAZIL: Final = "BR"
CEP: Final = re.compile(r"[0-9]{8}")
COUNTRY: Final = re.compile(r"[A-Z]{2}")
# ISO 3166-2:BR.
_STATES: Final = "AC AL AM AP BA CE DF ES GO MA MG MS MT PA PB PE PI PR RJ RN RO RR RS SC SE SP TO"
STATES: Final = frozenset(_STATES.split())
LINE_LENGTH_MAX: Final = 100


class Address(NamedTuple):
    """Where somebody lives, or a merchant is at home. `country`: ISO 3166-1 alpha-2; in Brazil, a CEP and a state."""

    street: str
    city: str
    postal_code: str
    country: str
    number: str | None = None
    complement: str | None = None
    district: str | None = None
    state: str | None = None


def read_email(text: str) -> str:
    """The address in small letters: nobody gives two persons addresses that differ in capitals. Raises Refusal."""
    plain = text.strip().lower()
    local = plain.partition("@")[0]
    if len(plain) > EMAIL_LENGTH_MAX or len(local) > LOCAL_LENGTH_MAX or EMAIL.fullmatch(plain) is None:
        raise Refusal("invalid_field", "That is no e-mail address.", field="email")
    return plain


def read_phone(text: str) -> str:
    """The number in E.164. Raises Refusal."""
    plain = re.sub(r"[ ().-]", "", text)
    if PHONE.fullmatch(plain) is None:
        raise Refusal("invalid_field", "A telephone number begins with + and its country code (E.164).", field="phone")
    return plain


def read_address(address: Address) -> str:
    """The address as JSON, in one spelling. Raises Refusal."""
    country = address.country.strip().upper()
    postal_code = re.sub(r"[ .-]", "", address.postal_code).upper()
    state = None if address.state is None else address.state.strip().upper()
    if COUNTRY.fullmatch(country) is None:
        raise _refused("A country is two letters of ISO 3166-1.")
    if (CEP if country == BRAZIL else POSTAL_CODE).fullmatch(postal_code) is None:
        raise _refused("The postal code is not one of that country.")
    if country == BRAZIL and state not in STATES:
        raise _refused("A state of Brazil is two letters: SP, RJ…")
    lines = {
        "street": _line(address.street),
        "number": _line(address.number),
        "complement": _line(address.complement),
        "district": _line(address.district),
        "city": _line(address.city),
        "state": _line(state),
        "postal_code": postal_code,
        "country": country,
    }
    if lines["street"] is None or lines["city"] is None:
        raise _refused("An address has a street and a city.")
    return json.dumps({name: line for name, line in lines.items() if line is not None}, ensure_ascii=False)


def to_address(kept: str) -> Address:
    """The address that was kept as JSON."""
    return Address(**json.loads(kept))


def mask_email(kept: str) -> str:
    """Its first letter and its domain."""
    local, _, domain = kept.partition("@")
    return f"{local[0]}***@{domain}"


def mask_phone(kept: str) -> str:
    """Its last four digits."""
    return "*" * (len(kept) - 4) + kept[-4:]


def mask_address(kept: str) -> str:
    """City, state and country."""
    address = to_address(kept)
    return json.dumps(
        {
            name: line
            for name, line in (
                ("street", "***"),
                ("city", address.city),
                ("state", address.state),
                ("postal_code", "***"),
                ("country", address.country),
            )
            if line is not None
        },
        ensure_ascii=False,
    )


def _line(text: str | None) -> str | None:
    plain = " ".join(unicodedata.normalize("NFC", text or "").split())
    if len(plain) > LINE_LENGTH_MAX:
        raise _refused(f"A line of an address has at most {LINE_LENGTH_MAX} characters.")
    if any(unicodedata.category(mark) in REFUSED_CATEGORIES or mark in REFUSED_CHARACTERS for mark in plain):
        raise _refused("A line of an address has no control characters and no direction overrides.")
    return plain or None


def _refused(message: str) -> Refusal:
    return Refusal("invalid_field", message, field="address")
