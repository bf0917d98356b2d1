"""The networks that a key may be used from. Pure."""

import ipaddress
from collections.abc import Sequence
from typing import Final

NETWORKS_MAX: Final = 20


def read_network(text: str) -> str:
    """A network in its one spelling: "192.0.2.0/24", "2001:db8::/48"; an address is a network of one.

    Raises ValueError, also when the address has bits beyond the network's length.
    """
    network = ipaddress.ip_network(text.strip())
    if "%" in text:
        raise ValueError("A network names no interface.")
    return str(network)


def is_inside(networks: Sequence[str], host: str | None) -> bool:
    """Whether an address lies in one of them. What is no address lies in none."""
    if host is None:
        return False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    # An IPv4 client of a socket that takes both is the same client.
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in ipaddress.ip_network(network) for network in networks)
