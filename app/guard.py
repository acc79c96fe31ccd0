"""Which addresses may be called: what a person wrote into the settings must not make this program call the machine it
runs on, its network, or a cloud's metadata service.

A host is resolved once, every address it has is judged with IPv4 addresses unwrapped from the IPv6 ones that carry
them, and the connection goes to the address that was judged: a second look-up could give another one.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from app.model.errors import SettingsError, Unavailable

IPv4 = ipaddress.IPv4Address
IPv6 = ipaddress.IPv6Address

# How long a looked-up address is used, in seconds.
_KEPT_SECONDS = 60.0

# The first network that holds an address says what it is; the narrower ones stand first. `private = true` opens the
# words in _OWN.
_NETWORKS_4 = [
    (ipaddress.IPv4Network(network), word)
    for network, word in (
        ("0.0.0.0/8", "reserved"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared by a provider's customers"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "reserved"),
        ("192.88.99.0/24", "reserved"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "reserved"),
        ("198.51.100.0/24", "reserved"),
        ("203.0.113.0/24", "reserved"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
]
_NETWORKS_6 = [
    (ipaddress.IPv6Network(network), word)
    for network, word in (
        ("::1/128", "loopback"),
        ("fd00:ec2::/32", "reserved"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
        ("2001::/23", "reserved"),
        ("2001:db8::/32", "reserved"),
        ("3fff::/20", "reserved"),
    )
]
_OWN = frozenset(("private", "loopback"))
_PUBLIC_6 = ipaddress.IPv6Network("2000::/3")
# IPv4 inside of IPv6: the network, and by how many bits the four bytes stand to the left.
_CARRIERS = [
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),
    (ipaddress.IPv6Network("::ffff:0:0:0/96"), 0),
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),
    (ipaddress.IPv6Network("2002::/16"), 80),
    (ipaddress.IPv6Network("::/96"), 0),
]
# The interface part of ISATAP, which carries IPv4 under any prefix.
_ISATAP = frozenset((0x00005EFE, 0x02005EFE))

_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?")
# What some resolvers read as an IPv4 address: the last part is a number.
_NUMBER = re.compile(r"(0[xX][0-9A-Fa-f]*|[0-9]+)")


def objection(address: IPv4 | IPv6, private: bool = False) -> str:
    """Why an address may not be called, in a word, or nothing. `private` allows this machine and private networks."""
    word = _kind(address)
    return "" if private and word in _OWN else word


def _kind(address: IPv4 | IPv6) -> str:
    """What keeps an address from being public, or nothing."""
    if isinstance(address, IPv4):
        return next((word for network, word in _NETWORKS_4 if address in network), "")
    if address == IPv6("::1"):
        return "loopback"
    for network, shift in _CARRIERS:
        if address in network:
            return _kind(IPv4(int(address) >> shift & 0xFFFF_FFFF))
    found = next((word for network, word in _NETWORKS_6 if address in network), "")
    if found or address not in _PUBLIC_6:
        return found or "reserved"
    if int(address) >> 32 & 0xFFFF_FFFF in _ISATAP:
        return _kind(IPv4(int(address) & 0xFFFF_FFFF))
    return ""


def plain_host(host: str) -> IPv4 | IPv6 | None:
    """The address that a host is, None for a name. Raises SettingsError for other spellings of an address, and for
    names that are not plain ASCII: what they turn into is decided elsewhere."""
    if "%" not in host:
        with contextlib.suppress(ValueError):
            return ipaddress.ip_address(host)
    last = host.rstrip(".").rpartition(".")[2]
    if len(host) > 253 or not _NAME.fullmatch(host) or _NUMBER.fullmatch(last):
        raise SettingsError(
            f"'{host}' is no plain host: write a name in ASCII letters (xn--… for others) or an address in its usual "
            "spelling, such as 192.0.2.1."
        )
    return None


def look_up(host: str, port: int) -> list[str]:
    """All addresses of a name. Raises Unavailable where it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"{host} cannot be found: {getattr(error, 'strerror', None) or error}.") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Pin:
    """The address that one host's connections go to. Safe to use from several threads."""

    def __init__(self, url: str, private: bool = False, resolve: Callable[[str, int], list[str]] = look_up) -> None:
        """Raises SettingsError for a host in an odd spelling, or an address that may not be called."""
        parts = urlsplit(url)
        self.host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._private = private
        self._resolve = resolve
        self._lock = threading.Lock()
        self._addresses: list[str] = []
        self._turn = 0
        self._until = 0.0
        literal = plain_host(self.host)
        self.is_address = literal is not None
        if literal is not None:
            self._check([self.host])
            self._addresses, self._until = [str(literal)], float("inf")

    def address(self) -> str:
        """The address to connect to. Raises Unavailable where the host has none, SettingsError where one of its
        addresses may not be called."""
        with self._lock:
            if time.monotonic() >= self._until:
                found = self._resolve(self.host, self._port)
                if not found:
                    raise Unavailable(f"{self.host} has no address.")
                self._check(found)
                self._addresses, self._until = found, time.monotonic() + _KEPT_SECONDS
            return self._addresses[self._turn % len(self._addresses)]

    def failed(self, address: str) -> None:
        """Nobody answered there: the next of the host's addresses is tried from now on."""
        with self._lock:
            if self._addresses and address == self._addresses[self._turn % len(self._addresses)]:
                self._turn += 1

    def _check(self, addresses: list[str]) -> None:
        for text in addresses:
            word = objection(ipaddress.ip_address(text.partition("%")[0]), self._private)
            if word:
                more = " `private = true` in its settings allows it." if word in _OWN and not self._private else ""
                raise SettingsError(
                    f"{self.host} stands for {text}, which is no public address ({word}). Nothing was sent.{more}"
                )
