"""Twin of proxy_addon/relay/greetings.py: no name is overlooked that the engine would find."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mitmproxy.proxy.layers.tls import parse_client_hello

from proxy_addon.core.hosts import normalise
from proxy_addon.relay.greetings import MAX_GREETING_BYTES, Greeting, GreetingKind, read_greeting
from proxy_addon.relay.heads import Unusual
from tests.relay.hellos import client_hello, in_records

HELLO = client_hello("www.facebook.com")
TLS, HTTP, OTHER = GreetingKind.TLS, GreetingKind.HTTP, GreetingKind.OTHER


def read(data: bytes) -> Greeting | str | None:
    """The greeting, "unusual", or None while it is incomplete."""
    try:
        return read_greeting(data)
    except Unusual:
        return "unusual"


def engines_name(data: bytes) -> str | None:
    """The server name as mitmproxy reads it; "?" when it waits for more or cannot read it."""
    try:
        hello = parse_client_hello(data)
    except ValueError:
        return "?"
    if hello is None:
        return "?"
    return normalise(hello.sni) if hello.sni else None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (HELLO, Greeting(TLS, ("www.facebook.com",))),
        (client_hello(None), Greeting(TLS)),
        (client_hello("X.com", ()), Greeting(TLS, ("x.com",))),
        (in_records(HELLO, 1, 1, 40, 3), Greeting(TLS, ("www.facebook.com",))),
        (HELLO + b"\x16\x03\x01more", Greeting(TLS, ("www.facebook.com",))),
        (b"GET\t/ HTTP/1.1\r\nHost: X.com\r\n\r\n", Greeting(HTTP, ("x.com",))),
        (b" \t\r\nGET\x0b/\x0cHTTP/1.1\r\nHost: X.com\r\n\r\n", Greeting(HTTP, ("x.com",))),
        (b"GET\thttp://a.com/\tHTTP/1.1\r\n\r\n", Greeting(HTTP, ("a.com",))),
        (b"GET / HTTP/1.1\r\nHost: X.com:80\r\n\r\n", Greeting(HTTP, ("x.com",))),
        (b"GET http://a.com/ HTTP/1.1\r\nHost: b.com\r\n\r\n", Greeting(HTTP, ("a.com", "b.com"))),
        (b"SSH-2.0-OpenSSH_9\r\n", Greeting(OTHER)),
        (b"\x00\x01", Greeting(OTHER)),
        (b"\x15", None),
        (b"\x15\x03", None),
        (b"\x15\x00\x00", Greeting(OTHER)),
        (b"\x15\x03\x01", "unusual"),
        (b"\x15\x03\x01\x00\x02\x01\x5a" + HELLO, "unusual"),  # Go's servers read on
        (b"\x14\x03\x03\x00\x01\x01" + HELLO, "unusual"),
        (b"\r\n" * 500, None),
        (b"\r\n" * 600, "unusual"),
        (in_records(HELLO, *[1] * 100), Greeting(TLS, ("www.facebook.com",))),
        (in_records(HELLO, *[1] * 200), "unusual"),
        (b"get / HTTP/1.0\n\n", Greeting(HTTP)),
        (b"M-SEARCH / HTTP/1.1\r\nHost: x.com\r\n\r\n", Greeting(HTTP, ("x.com",))),
        (b"A / HTTP/1.1\r\nHost: x.com\r\n\r\n", Greeting(HTTP, ("x.com",))),
        (b"\r\n\r\nGET / HTTP/1.1\r\nHost: x.com\r\n\r\n", Greeting(HTTP, ("x.com",))),
        (b"GET / HTTP/1.1\r\nHost:\r\n x.com\r\n\r\n", Greeting(HTTP, ("x.com",))),
        (b"GET / HTTP/1.1\nHost: x.com\n\r\n", Greeting(HTTP, ("x.com",))),
        (b"POS", None),
        (b"\r\n", None),
        (b"hello", Greeting(OTHER)),
        (b"PING", Greeting(OTHER)),
        (b"PING\n", Greeting(OTHER)),
        (b"A" * 30, Greeting(OTHER)),
        (b"\x16\x04\x01\x00\x05hello", "unusual"),
        (b"\x16\x03\x01\x00\x00", "unusual"),
        (b"\x16\x03\x01\xff\xff" + bytes(10), "unusual"),
        (b"\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00", "unusual"),
        (b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", "unusual"),
        (b"\x16\x03\x01\x40\x00" + b"\x01\xff\xff\xff" + bytes(MAX_GREETING_BYTES), "unusual"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 11_000, "unusual"),
        (b"", None),
        (b"GE", None),
        (b"GET /path", None),
    ],
)
def test_greetings(data: bytes, expected: Greeting | str | None) -> None:
    """Names of TLS and HTTP; what is neither; what is broken or never ends; what is incomplete."""
    assert read(data) == expected


@pytest.mark.parametrize("data", [HELLO, in_records(HELLO, 100, 7), client_hello(None)])
def test_cut_anywhere(data: bytes) -> None:
    """Every beginning of a greeting is waited for, whatever its records."""
    assert all(read(data[:end]) is None for end in range(len(data)))


@settings(max_examples=400, deadline=None)
@given(st.lists(st.integers(1, 200), max_size=8))
def test_records(sizes: list[int]) -> None:
    """However a greeting is split into records, its name is found."""
    assert read(in_records(HELLO, *sizes)) == Greeting(TLS, ("www.facebook.com",))


@settings(max_examples=4000, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(HELLO) - 1), st.integers(0, 255)), max_size=4),
    st.lists(st.integers(1, 300), max_size=3),
)
@example([], [])
@example([(0, 22)], [1])
def test_no_name_is_overlooked(changes: list[tuple[int, int]], sizes: list[int]) -> None:
    """Law: for changed greetings the names found here are those that mitmproxy finds; where it
    finds one, it is never said that there is none."""
    changed = bytearray(HELLO)
    for at, value in changes:
        changed[at] = value
    data = in_records(bytes(changed), *sizes) if sizes else bytes(changed)
    greeting, name = read(data), engines_name(data)
    if isinstance(greeting, Greeting) and name != "?":
        assert greeting.hosts == ((name,) if name else ())
    if greeting is None and name not in ("?", None):
        raise AssertionError(f"the engine has found {name}, and we still wait")


@settings(max_examples=1500, deadline=None)
@given(st.binary(max_size=400))
def test_rubbish(data: bytes) -> None:
    """Never an exception but the one that hands over."""
    read(data)
    read(b"\x16\x03\x01" + data)
    read(b"GET / HTTP/1.1\r\n" + data)
