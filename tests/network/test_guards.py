"""Twin of proxy_addon/network/guards.py: what may use the proxy, and what it may reach."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.config.parsers import network
from proxy_addon.config.settings import PRIVATE_NETWORKS, Settings
from proxy_addon.network.guards import ClientGuard, TargetGuard, plain_address


def guard(own_ports: tuple[int, ...] = (8080, 8081), **settings: object) -> TargetGuard:
    return TargetGuard(Settings(**settings), own_ports)


GUARDED = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "169.254.169.254",
    "169.254.1.1",
    "224.0.0.251",
    "239.255.255.250",
    "255.255.255.255",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "ff02::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:7f00:1",
    "::127.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001:0:1:2:3:4:80ff:fffe",  # Teredo: 127.0.0.1 with every bit turned over
    "2001:db8::5efe:127.0.0.1",  # ISATAP
]
OPEN = [
    "8.8.8.8",
    "10.0.0.5",
    "192.168.1.1",
    "172.16.0.1",
    "128.0.0.1",
    "168.63.129.17",
    "223.255.255.255",
    "2001:db8::1",
    "fd00::1",
    "2606:4700::1111",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
    "::ffff:8.8.8.8",
]


@pytest.mark.parametrize("ip", GUARDED)
def test_guarded_address(ip):
    """Addresses of this machine, this link, of many and of the cloud's insides are refused in every
    form."""
    why = guard().check_address("x.example", ip, 443)
    assert why is not None
    assert "which this proxy does not reach; allow_targets can list it" in why
    assert guard().check_host(ip, 443) is not None


@pytest.mark.parametrize("ip", OPEN)
def test_open_address(ip):
    """The internet and the office network are reached."""
    assert guard().check_address("x.example", ip, 443) is None
    assert guard().check_host(ip, 443) is None


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "a.localhost",
        "a.b.LocalHost.",
        "localhost.localdomain",
        "ip6-localhost",
        "127.1",
        "127.0.1",
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "017700000001",
        "0177.0.0.1",
        "127.0.0.1.",
        "[::1]",
        "0",
        "127。0。0。1",
        "",
        "a b",
    ],
)
def test_spellings_of_this_machine(host):
    """However the proxy's own machine is spelt, it is refused before anything is resolved."""
    assert guard().check_host(host, 443) is not None


@pytest.mark.parametrize(
    "host",
    ["x.com", "notlocalhost", "localhost.example", "7eleven.com", "1.example", "3com", "8.8.8.8"],
)
def test_names_that_only_look_alike(host):
    """Names that merely resemble those are not business of the guard."""
    assert guard().check_host(host, 443) is None


def test_listed_targets_are_reached():
    """What is listed is reached: by name, address or network, on one port where that is said."""
    listed = guard(
        allow_targets=["localhost:3000", "127.0.0.2", "169.254.0.0/16", "[::1]:9000", "dev.example"]
    )
    assert listed.check_host("localhost", 3000) is None
    assert listed.check_host("localhost", 3001) is not None
    assert listed.check_address("localhost", "127.0.0.1", 3000) is None
    assert listed.check_address("127.0.0.2", "127.0.0.2", 1) is None
    assert listed.check_address("127.0.0.2", "::ffff:127.0.0.2", 1) is None
    assert listed.check_address("a.example", "169.254.169.254", 80) is None
    assert listed.check_address("::1", "::1", 9000) is None
    assert listed.check_address("::1", "::1", 9001) is not None
    assert listed.check_address("DEV.example.", "127.0.0.9", 80) is None
    assert listed.check_address("other.example", "127.0.0.9", 80) is not None


def test_connect_ports():
    """CONNECT is for 443 and the listed ports; a target listed with its port, or redirected, is
    listed."""
    guards = guard(
        connect_ports=[443, 8443],
        allow_targets=["git.example:22", "10.0.0.5:9418", "wide.example"],
        resolve=["t.example:4443=127.0.0.1:1"],
    )
    for host, port in [
        ("x.com", 443),
        ("x.com", 8443),
        ("GIT.example", 22),
        ("10.0.0.5", 9418),
        ("t.example", 4443),
    ]:
        assert guards.check_port(host, port) is None
    for host, port in [
        ("x.com", 22),
        ("x.com", 80),
        ("git.example", 23),
        ("wide.example", 22),
        ("10.0.0.6", 9418),
    ]:
        assert "connect_ports or allow_targets can list it" in (guards.check_port(host, port) or "")


def own_address() -> str:
    """An address of this machine that is not loopback; skips where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has loopback only")
        address = str(probe.getsockname()[0])
    if address.startswith("127."):
        pytest.skip("this machine has loopback only")
    return address


def test_own_ports():
    """The proxy's own ports are refused on every address of its machine, other ports and machines
    are not."""
    mine = own_address()
    guards = guard()
    assert "is the proxy itself" in (guards.check_address("intranet", mine, 8080) or "")
    assert guards.check_host(mine, 8081) is not None
    assert guards.check_address("intranet", f"::ffff:{mine}", 8080) is not None
    assert guards.check_address("intranet", mine, 8082) is None
    assert guards.check_address("intranet", "192.0.2.77", 8080) is None
    assert guard(allow_targets=[f"{mine}:8080"]).check_address("intranet", mine, 8080) is None


def test_clients():
    """Clients of the listed networks are served, in whichever form their address comes."""
    clients = ClientGuard(PRIVATE_NETWORKS)
    for ip in ("127.0.0.1", "10.9.9.9", "::ffff:192.168.0.1", "fe80::1%eth0", "fd12::1", "::1"):
        assert clients.client_allowed(ip)
    for ip in ("8.8.8.8", "::ffff:8.8.8.8", "2001:db8::1", "", "garbage", "100.64.0.1"):
        assert not clients.client_allowed(ip)
    assert not ClientGuard([]).client_allowed("127.0.0.1")
    assert ClientGuard([network("0.0.0.0/0")]).client_allowed("8.8.8.8")


@given(st.ip_addresses(v=4))
def test_mapped_is_plain(address):
    """An IPv4 address inside IPv6 is that IPv4 address."""
    assert plain_address(f"::ffff:{address}") == plain_address(str(address)) == address


@given(st.text(max_size=30))
def test_no_host_breaks_the_guard(text):
    """Whatever a client sends as a host, the guard answers."""
    for answer in (
        guard().check_host(text, 80),
        guard().check_port(text, 80),
        guard().check_address(text, text, 8080),
    ):
        assert answer is None or isinstance(answer, str)
