"""Which networks the proxy serves, and which targets it must not reach.

The proxy is inside the office network and on a machine of its own: without a guard its users could
reach what only that machine can reach. So CONNECT is for port 443 and the listed ports; loopback,
link-local and multicast addresses, the addresses of cloud metadata services and the proxy's own
ports are refused in every spelling (IPv4 inside IPv6, `127.1`, `localhost`), unless `allow_targets`
lists them.

The check is made on the addresses that a connection really goes to (`resolver.py`), so that a name
whose answer changes between check and connection (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from proxy_addon.config.parsers import IpAddress, IpNetwork, TargetPattern, normal_host
from proxy_addon.config.settings import Settings

_GUARDED: tuple[tuple[IpNetwork, str], ...] = tuple(
    (ip_network(text), what)
    for text, what in (
        ("127.0.0.0/8", "a loopback address"),
        ("0.0.0.0/8", "an unspecified address"),
        ("169.254.0.0/16", "a link-local address"),
        ("224.0.0.0/4", "a multicast address"),
        ("255.255.255.255/32", "a broadcast address"),
        ("100.100.100.200/32", "a cloud metadata address"),
        ("168.63.129.16/32", "a cloud metadata address"),
        ("192.0.0.192/32", "a cloud metadata address"),
        ("::1/128", "a loopback address"),
        ("::/128", "an unspecified address"),
        ("fe80::/10", "a link-local address"),
        ("ff00::/8", "a multicast address"),
        ("fd00:ec2::254/128", "a cloud metadata address"),
        ("fd20:ce::254/128", "a cloud metadata address"),
    )
)
_LOCAL_NAMES = frozenset(
    {
        "localhost",
        "localhost.localdomain",
        "localhost6",
        "localhost6.localdomain6",
        "ip6-localhost",
        "ip6-loopback",
    }
)
# Where IPv6 prefixes carry an IPv4 address: the prefix and how far its last bit is from the right.
_EMBEDDED_IPV4: tuple[tuple[IpNetwork, int], ...] = (
    (ip_network("::/96"), 0),  # IPv4-compatible
    (ip_network("::ffff:0:0:0/96"), 0),  # IPv4-translated
    (ip_network("64:ff9b::/96"), 0),  # NAT64
    (ip_network("64:ff9b:1::/48"), 0),  # NAT64 of a local network, with a prefix of 96 bits
    (ip_network("2002::/16"), 80),  # 6to4
)
_TEREDO = ip_network("2001::/32")  # the client's address with every bit inverted
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)


@lru_cache(maxsize=8192)
def plain_address(text: str) -> IpAddress | None:
    """The address without its zone, IPv4 inside IPv6 as IPv4; None for what is not an address."""
    try:
        address = ip_address(text.partition("%")[0].strip("[]"))
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


class ClientGuard:
    """Which clients may use the proxy at all."""

    def __init__(self, networks: Iterable[IpNetwork]) -> None:
        self._networks = tuple(networks)
        self.client_allowed = lru_cache(maxsize=8192)(self._client_allowed)

    def _client_allowed(self, ip: str) -> bool:
        """True when the client's address is in one of the networks."""
        address = plain_address(ip)
        return address is not None and any(address in network for network in self._networks)


class TargetGuard:
    """Which targets may be reached. Every check returns None if so, or a sentence that says why
    not."""

    def __init__(self, settings: Settings, own_ports: Iterable[int]) -> None:
        """`own_ports`: the ports on which this process listens, on whatever address."""
        self._connect_ports = frozenset(settings.connect_ports)
        self._own_ports = frozenset(own_ports)
        self._allowed = settings.allow_targets
        self._redirected = frozenset((each.host, each.port) for each in settings.resolve)

    def check_port(self, host: str, port: int) -> str | None:
        """Whether CONNECT may ask for this port."""
        if port in self._connect_ports or self._is_redirected(normal_host(host), port):
            return None
        if any(
            each.port == port and _fits(each, normal_host(host), None) for each in self._allowed
        ):
            return None
        return f"CONNECT to port {port} is not allowed here; connect_ports or allow_targets can list it"

    def check_host(self, host: str, port: int) -> str | None:
        """Whether a target may be asked for, before anything is resolved: local names and numeric
        hosts."""
        name = normal_host(host)
        if not name:
            return "this is not the name of a host"
        if self._is_redirected(name, port):
            return None
        if (address := _numeric(name)) is not None:
            return self.check_address(name, str(address), port)
        if (name in _LOCAL_NAMES or name.endswith(".localhost")) and not self._is_listed(
            name, None, port
        ):
            return f"{name} is the proxy's own machine, {_REMEDY}"
        return None

    def check_address(self, host: str, ip: str, port: int) -> str | None:
        """Whether a connection for `host` may go to this address and port."""
        address = plain_address(ip)
        if address is None:
            return f"{ip} is not an IP address"
        name = normal_host(host)
        what = _guarded(address)
        if what is None and port in self._own_ports and any(map(_is_local, _equivalents(address))):
            what = "the proxy itself"
        if what is None or self._is_listed(name, address, port):
            return None
        return f"{address} is {what}, {_REMEDY}"

    def _is_redirected(self, name: str, port: int) -> bool:
        return (name, port) in self._redirected or ("*", port) in self._redirected

    def _is_listed(self, name: str, address: IpAddress | None, port: int) -> bool:
        return any(
            each.port in (None, port) and _fits(each, name, address) for each in self._allowed
        )


_REMEDY = "which this proxy does not reach; allow_targets can list it"
_SENTENCE = re.compile(rf"[^\s,]+ is [^,:]+, {re.escape(_REMEDY)}")


def refusal(message: str) -> str | None:
    """Our refusal inside mitmproxy's message about a connection; None without one."""
    found = _SENTENCE.search(message)
    return found[0] if found else None


def _fits(pattern: TargetPattern, name: str, address: IpAddress | None) -> bool:
    if pattern.network is None:
        return pattern.host == name
    candidate = address or plain_address(name)
    return candidate is not None and candidate in pattern.network


def _numeric(name: str) -> IpAddress | None:
    """The address that a host stands for without DNS, also in the old spellings (`127.1`,
    `0x7f.1`)."""
    address = plain_address(name)
    if address is not None or not name.rpartition(".")[2][:1].isdigit():
        return address
    try:
        return IPv4Address(socket.inet_aton(name))
    except OSError:
        return None


@lru_cache(maxsize=8192)
def _guarded(address: IpAddress) -> str | None:
    """What a guarded address is, in whichever form; None for an open one."""
    found = (
        what for each in _equivalents(address) for network, what in _GUARDED if each in network
    )
    return next(found, None)


def _equivalents(address: IpAddress) -> Iterator[IpAddress]:
    """The address, and the IPv4 addresses that a gateway would translate it to."""
    yield address
    if isinstance(address, IPv4Address):
        return
    number = int(address)
    for network, shift in _EMBEDDED_IPV4:
        # `::` and `::1` are addresses in their own right.
        if address in network and number > 1:
            yield IPv4Address(number >> shift & 0xFFFF_FFFF)
    if address in _TEREDO:
        yield IPv4Address(~number & 0xFFFF_FFFF)
    if number >> 32 & 0xFFFF_FFFF in _ISATAP:
        yield IPv4Address(number & 0xFFFF_FFFF)


def _is_local(address: IpAddress) -> bool:
    """True for an address of this machine: only then does the system use the same address as the
    source.

    Nothing is sent. (Binding would also work, except on machines that may bind to addresses they do
    not have.)
    """
    family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), 9))
            return plain_address(probe.getsockname()[0]) == address
    except OSError:
        return False
