"""Twin of proxy_addon/relay/proxy_protocol.py: who connects, and nothing that could be mistaken."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.relay.proxy_protocol import (
    MAX_LINE_BYTES,
    SIGNATURE_2,
    BadHeader,
    Passed,
    may_begin,
    read_header,
)


def binary(source: str, port: int, command: int = 0x21, more: bytes = b"") -> bytes:
    """A header of version 2, as HAProxy sends it."""
    address = ipaddress.ip_address(source)
    family = 0x11 if address.version == 4 else 0x21
    to = ipaddress.ip_address("192.0.2.1" if address.version == 4 else "2001:db8::1")
    body = address.packed + to.packed + port.to_bytes(2) + (8080).to_bytes(2) + more
    return SIGNATURE_2 + bytes([command, family]) + len(body).to_bytes(2) + body


@pytest.mark.parametrize(
    ("header", "address"),
    [
        (b"PROXY TCP4 10.0.7.21 192.0.2.1 50000 8080\r\n", ("10.0.7.21", 50000)),
        (b"PROXY TCP6 2001:db8::7 2001:db8::1 50000 8080\r\n", ("2001:db8::7", 50000)),
        (b"PROXY UNKNOWN\r\n", None),
        (b"PROXY UNKNOWN ff:ff:: what ever\r\n", None),
        (binary("10.0.7.21", 50000), ("10.0.7.21", 50000)),
        (binary("2001:db8::7", 50000), ("2001:db8::7", 50000)),
        (binary("10.0.7.21", 50000, more=b"\x04\x00\x03abc"), ("10.0.7.21", 50000)),
        (binary("10.0.7.21", 50000, command=0x20), None),
        (SIGNATURE_2 + b"\x20\x00\x00\x00", None),
        (SIGNATURE_2 + b"\x21\x00\x00\x03abc", None),
    ],
)
def test_headers(header: bytes, address: tuple[str, int] | None) -> None:
    """Both versions and families, health checks, and additions; what follows is not part of it."""
    assert read_header(header + b"CONNECT ") == Passed(address, len(header))
    assert may_begin(header)
    for end in range(len(header)):
        assert read_header(header[:end]) is None


@pytest.mark.parametrize(
    "header",
    [
        b"CONNECT news.example:443 HTTP/1.1\r\n",
        b"PROXY\r\n",
        b"PROXY TCP4 10.0.7.21 192.0.2.1 50000\r\n",
        b"PROXY TCP4  10.0.7.21 192.0.2.1 50000 8080\r\n",
        b"PROXY TCP4 10.0.7.21 192.0.2.1 50000 8080 1\r\n",
        b"PROXY TCP4 2001:db8::7 192.0.2.1 50000 8080\r\n",
        b"PROXY TCP6 10.0.7.21 2001:db8::1 50000 8080\r\n",
        b"PROXY TCP4 10.0.7.021 192.0.2.1 50000 8080\r\n",
        b"PROXY TCP4 10.0.7.21 192.0.2.1 65536 8080\r\n",
        b"PROXY TCP4 10.0.7.21 192.0.2.1 050 8080\r\n",
        b"PROXY TCP4 10.0.7.21 192.0.2.1 -1 8080\r\n",
        b"PROXY TCP6 fe80::1%eth0 2001:db8::1 50000 8080\r\n",
        b"PROXY UDP4 10.0.7.21 192.0.2.1 50000 8080\r\n",
        b"PROXY TCP4 10.0.7.21 192.0.2.1 50000 8080\n",
        b"PROXY TCP4 " + b"1" * MAX_LINE_BYTES,
        SIGNATURE_2 + b"\x11\x11\x00\x0c" + bytes(12),
        SIGNATURE_2 + b"\x22\x11\x00\x0c" + bytes(12),
        SIGNATURE_2 + b"\x21\x12\x00\x0c" + bytes(12),
        SIGNATURE_2 + b"\x21\x31\x00\xd8" + bytes(216),
        SIGNATURE_2 + b"\x21\x11\x00\x0b" + bytes(11),
        SIGNATURE_2 + b"\x21\x21\x00\x0c" + bytes(12),
        SIGNATURE_2 + b"\x21\x11\xff\xff" + bytes(12),
    ],
)
def test_what_is_no_header(header: bytes) -> None:
    """Each is refused, with a word on why."""
    with pytest.raises(BadHeader, match=r"\w"):
        read_header(header)


@given(st.binary(max_size=300), st.sampled_from([b"", b"PROXY ", SIGNATURE_2]))
def test_rubbish(data: bytes, start: bytes) -> None:
    """Never another exception, and an address is always one."""
    try:
        passed = read_header(start + data)
    except BadHeader:
        return
    if passed is not None and passed.address is not None:
        ipaddress.ip_address(passed.address[0])
        assert 0 < passed.size <= len(start + data)


@given(st.ip_addresses(), st.integers(0, 65535), st.booleans())
def test_every_address(address: ipaddress.IPv4Address, port: int, line: bool) -> None:
    """Law: what a balancer writes is what is read."""
    header = binary(str(address), port)
    if line:
        to = "192.0.2.1" if address.version == 4 else "2001:db8::1"
        header = f"PROXY TCP{address.version} {address} {to} {port} 8080\r\n".encode()
    assert read_header(header) == Passed((str(address), port), len(header))
