"""Which addresses may be called."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from ipaddress import IPv4Address as IPv4
from ipaddress import IPv6Address as IPv6

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.guard import Pin, look_up, objection, plain_host
from app.model.errors import SettingsError, Unavailable

v4 = st.integers(0, 2**32 - 1).map(IPv4)
v6 = st.integers(0, 2**128 - 1).map(IPv6)
# Every way in which an IPv6 address carries an IPv4 one.
CARRIED: dict[str, Callable[[int], int]] = {
    "mapped": lambda n: 0xFFFF << 32 | n,
    "translated": lambda n: 0xFFFF << 48 | n,
    "nat64": lambda n: 0x64_FF9B << 96 | n,
    "6to4": lambda n: 0x2002 << 112 | n << 80 | 1,
    "compatible": lambda n: n,
    "isatap": lambda n: 0x2600 << 112 | 0x5EFE << 32 | n,
}
CLOSED = [
    *(
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
    ),
    *("100.64.0.1", "100.127.255.255", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.9"),
    *("192.88.99.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::2", "fc00::1", "fd12::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1"),
    *("2001::1", "3fff::1", "5f00::1", "64:ff9b:1::1", "100::1", "4000::1", "::7f00:1", "::ffff:7f00:1"),
    *("64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a9fe:a9fe::", "::ffff:0:7f00:1"),
]
OPEN = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00::1", "64:ff9b::808:808"]
ODD = [
    *(
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "2130706433",
        "127.1",
        "127.0.1",
        "①②⑦.⓪.⓪.①",
        "１２７.0.0.1",
        "127。0。0。1",
    ),
    *("127.0.0.1.", "0", "0x", "1.2.3.4.5", "127.0.0.01", "x.0x7f", "x.1", "", ".", "a..b", "-a.example", "a b", "a/b"),
    *("a@b", "exämple.com", "fe80::1%eth0", "2606:4700::1%1", "a\n.example", "a" * 64 + ".example", "x." * 127 + "xx"),
]


@pytest.mark.parametrize("address", CLOSED)
def test_what_is_not_public_is_denied(address: str) -> None:
    assert objection(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", OPEN)
def test_what_is_public_is_allowed(address: str) -> None:
    assert objection(ipaddress.ip_address(address)) == ""


@given(v4)
def test_nothing_that_the_standard_library_calls_closed_is_allowed(address: IPv4) -> None:
    if (
        address.is_private
        or address.is_loopback
        or address.is_multicast
        or address.is_reserved
        or address.is_link_local
    ):
        assert objection(address)
    else:
        assert objection(address) == "" or not address.is_global or address in ipaddress.ip_network("192.88.99.0/24")


@given(v6)
def test_of_ipv6_only_global_unicast_is_allowed(address: IPv6) -> None:
    if not address.is_global or address.is_multicast or address.is_site_local:
        assume(not any(address in ipaddress.ip_network(n) for n in ("64:ff9b::/96", "2002::/16", "::/95")))
        assert objection(address)


@pytest.mark.parametrize("carry", CARRIED.values(), ids=list(CARRIED))
@given(address=v4)
def test_an_ipv4_address_inside_of_ipv6_is_judged_as_itself(carry: Callable[[int], int], address: IPv4) -> None:
    inside = IPv6(carry(int(address)))
    assume(inside != IPv6("::1"))
    for private in (False, True):
        assert objection(inside, private) == objection(address, private)


@given(v4 | v6)
def test_private_opens_this_machine_and_private_networks_only(address: IPv4 | IPv6) -> None:
    word = objection(address)
    assert objection(address, private=True) == ("" if word in ("private", "loopback") else word)


@pytest.mark.parametrize("host", ODD)
def test_odd_spellings_are_refused(host: str) -> None:
    with pytest.raises(SettingsError, match="no plain host"):
        plain_host(host)


@given(st.text(max_size=30))
def test_what_is_taken_for_a_name_is_never_read_as_a_number(host: str) -> None:
    try:
        found = plain_host(host)
    except SettingsError:
        return
    if found is None:
        assert host.isascii() and not host.rstrip(".").rpartition(".")[2].isdigit()
    else:
        assert found == ipaddress.ip_address(host)


@given(v4)
def test_other_spellings_of_an_address_never_pass(address: IPv4) -> None:
    n, parts = int(address), address.packed
    spellings = [str(n), hex(n), f"0{n:o}", ".".join(hex(part) for part in parts), ".".join(f"0{p:o}" for p in parts)]
    for spelling in [*spellings, f"{parts[0]}.{n & 0xFFFFFF}"]:
        with pytest.raises(SettingsError):
            plain_host(spelling)


def pinned(*addresses: str, private: bool = False) -> tuple[Pin, list[str]]:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(f"{host}:{port}")
        return list(addresses)

    return Pin("https://hooks.example.com/x", private, resolve), asked


def test_a_host_is_resolved_once() -> None:
    pin, asked = pinned("8.8.8.8")
    assert [pin.address() for _ in range(5)] == ["8.8.8.8"] * 5
    assert asked == ["hooks.example.com:443"]


def test_one_closed_address_among_several_closes_the_host() -> None:
    pin, _ = pinned("8.8.8.8", "10.0.0.1")
    with pytest.raises(SettingsError, match=r"10\.0\.0\.1, which is no public address \(private\).*private = true"):
        pin.address()


def test_private_does_not_open_the_metadata_service() -> None:
    pin, _ = pinned("169.254.169.254", private=True)
    with pytest.raises(SettingsError, match="link-local"):
        pin.address()


def test_where_nobody_answers_the_next_address_has_its_turn() -> None:
    pin, asked = pinned("8.8.8.8", "8.8.4.4")
    pin.failed(pin.address())
    assert pin.address() == "8.8.4.4"
    # What another thread says of an address that is not used any more changes nothing.
    pin.failed("8.8.8.8")
    assert pin.address() == "8.8.4.4" and len(asked) == 1


def test_a_name_that_is_nowhere_is_said() -> None:
    with pytest.raises(Unavailable, match="cannot be found"):
        look_up("no-such-host.invalid", 443)
    with pytest.raises(Unavailable, match="no address"):
        pinned()[0].address()
