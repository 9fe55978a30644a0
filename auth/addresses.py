"""Addresses: whether one is this machine's, and what counts as one place."""

from __future__ import annotations

import ipaddress

LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
# said by proxies. One on this machine makes every client look local, whatever Host it sends on: who says one of these came through
# a proxy, and is believed only if the city file names it
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
HOME_BITS = 64  # one household or host has a whole IPv6 network of this size


def is_address(written: str) -> bool:
    """Is this an IP address, and no name?"""
    return _address(written) is not None


def is_loopback(address: str) -> bool:
    """Is this the address of the machine itself? An IPv4 address written as IPv6 counts as what it means."""
    found = _address(address)
    return bool(found and found.is_loopback)


def host_name(host: str) -> str:
    """The name in a Host header, without port, in lower case."""
    name = host.strip().lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]" if "]" in name else ""
    return name.partition(":")[0]


def place_of(address: str) -> str:
    """What attempts are counted by: an IPv4 address, or the /64 network of an IPv6 one, of which a single host has all."""
    found = _address(address)
    if isinstance(found, ipaddress.IPv6Address) and not found.is_loopback:
        return str(ipaddress.ip_network((found, HOME_BITS), strict=False))
    return str(found) if found else "unknown"


def _address(written: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(written)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
