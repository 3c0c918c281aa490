"""Throw heads and greetings at the light path: whatever it reads, mitmproxy, h11 and OpenSSL read
the same names in it.

    python tests/fuzz/fuzz_light_path.py --inputs 1000000 --seed 1

A third of the inputs are ClientHellos of OpenSSL with changed bytes, changed extensions and other
records, a third are heads of CONNECT, a third are requests inside a tunnel. A disagreement is a
name that another reader finds and that the light path, which would pass these bytes on, does not
know. Prints how many inputs there were and how many of them would have been passed on. Exits 1 at
the first disagreement and leaves the input in `var/fuzz/`.
"""

from __future__ import annotations

import argparse
import random
import ssl
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import h11
from mitmproxy.net.http import http1

from proxy_addon.core.hosts import normalise
from proxy_addon.proxy.layers.tunnel_choice import NeedsMoreData, PreambleKind, read_preamble
from proxy_addon.relay.greetings import Greeting, read_greeting
from proxy_addon.relay.heads import ConnectHead, Unusual, read_head
from tests.relay.hellos import client_hello, in_records

ROOT = Path(__file__).parents[2]
LIMITED = ("x.com", "www.facebook.com")
NAMES = ("news.example", "www.facebook.com", "x.com", "a.b.c.d.e.example", None)
HELLOS = [client_hello(name, alpn) for name in NAMES for alpn in ((), ("h2", "http/1.1"))]
PIECES = (
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b":",
        b"\x00",
        b"\xff",
        b"%66",
        b"@",
        b"/",
        b"#",
        b",",
        b";",
    ),
    *(
        b"GET ",
        b"POST ",
        b"CONNECT ",
        b"get ",
        b"HTTP/1.1",
        b"HTTP/1.0",
        b"HTTP/2",
        b"://",
        b"http",
    ),
    *(
        b"Host: facebook.com",
        b"host:x.com",
        b"Host : x.com",
        b"Host: news.example:443",
        b"\r\n\r\n",
    ),
    *(
        b"Content-Length: 5",
        b"Transfer-Encoding: chunked",
        b"[::1]",
        b"443",
        b"xn--",
        b" Host: x.com",
    ),
)
CONNECT = b"CONNECT news.example:443 HTTP/1.1\r\nHost: news.example:443\r\nUser-Agent: a/1\r\n\r\n"
REQUEST = b"GET / HTTP/1.1\r\nHost: news.example\r\nAccept: */*\r\n\r\n"


class Disagreement(Exception):
    """Another reader finds a name that the light path does not know."""


# -- other readers


def openssl_name(data: bytes) -> str | None:
    """The server name that a real TLS server acts on; None when it finds none."""
    found: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda tls, name, context: found.append(name)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    incoming.write(data)
    try:
        context.wrap_bio(incoming, outgoing, server_side=True).do_handshake()
    except (ssl.SSLError, ValueError, UnicodeError):
        pass
    return next((normalise(name) for name in found if name), None)


def engine_names(data: bytes) -> tuple[str, ...]:
    """What mitmproxy's readers find, as our add-on asks them."""
    try:
        return read_preamble(data).hosts
    except NeedsMoreData:
        return ()


def h11_names(data: bytes) -> tuple[str, ...]:
    """The host of a request as a strict server reads it."""
    server = h11.Connection(h11.SERVER, max_incomplete_event_size=70_000)
    try:
        server.receive_data(data)
        event = server.next_event()
    except h11.RemoteProtocolError:
        return ()
    if not isinstance(event, h11.Request):
        return ()
    return tuple(
        normalise(value.decode("latin-1")) for name, value in event.headers if name == b"host"
    )


# -- the laws


def check_engine(data: bytes) -> None:
    """What is handed over may still be relayed, by the engine: then it knows a limited name that a
    TLS server acts on. Raises Disagreement."""
    name = openssl_name(data)
    if name not in LIMITED:
        return
    preamble = read_preamble(data)
    ends = preamble.kind in (PreambleKind.BROKEN, PreambleKind.UNREADABLE)
    if not ends and name not in preamble.hosts:
        raise Disagreement(f"the engine relays {name} as {preamble}")


def check_greeting(data: bytes) -> str:
    """What becomes of a greeting. Raises Disagreement."""
    try:
        greeting = read_greeting(data)
    except Unusual:
        check_engine(data)
        return "handed over"
    if not isinstance(greeting, Greeting):
        return "waited for"
    others = (*engine_names(data), *h11_names(data), *filter(None, [openssl_name(data)]))
    unknown = set(filter(None, others)) - set(greeting.hosts)
    if unknown:
        raise Disagreement(f"{sorted(unknown)} is not among {greeting.hosts}")
    return "passed on"


def check_head(data: bytes) -> str:
    """What becomes of a head. Raises Disagreement."""
    try:
        head = read_head(data)
    except Unusual:
        return "handed over"
    if not isinstance(head, ConnectHead):
        return "waited for"
    lines = data[: head.size].rstrip(b"\r\n").split(b"\r\n")
    try:
        request = http1.read_request_head(lines)
    except ValueError as error:
        raise Disagreement(f"mitmproxy refuses it: {error}") from error
    seen = (request.method, normalise(request.host), request.port)
    if seen != ("CONNECT", head.host, head.port):
        raise Disagreement(f"mitmproxy reads {seen}, not {head.host}:{head.port}")
    return "passed on"


# -- inputs


def changed(chance: random.Random, data: bytes, pieces: Iterable[bytes] = ()) -> bytes:
    """Some bytes replaced, taken out, doubled or put in."""
    made = bytearray(data)
    known = tuple(pieces)
    for _ in range(chance.randint(0, 4)):
        at = chance.randrange(len(made) + 1)
        kind = chance.randrange(5)
        if kind == 0 and at < len(made):
            made[at] = chance.randrange(256)
        elif kind == 1:
            del made[at : at + chance.randint(1, 8)]
        elif kind == 2:
            made[at:at] = made[at : at + chance.randint(1, 40)]
        elif kind == 3 and known:
            made[at:at] = chance.choice(known)
        else:
            made[at:at] = chance.randbytes(chance.randint(1, 6))
    return bytes(made)


def extended(chance: random.Random, hello: bytes) -> bytes:
    """A ClientHello with one more extension, all its lengths right: often a second server name."""
    body = hello[9:]
    at = 34 + 1 + body[34]
    at += 2 + int.from_bytes(body[at : at + 2])
    at += 1 + body[at]
    extensions = body[at + 2 :]
    name = chance.choice((b"x.com", b"www.facebook.com", b"a\x00b", b"X.COM.", b""))
    entry = bytes([chance.choice((0, 0, 0, 1))]) + len(name).to_bytes(2) + name
    content = len(entry).to_bytes(2) + entry
    number = chance.choice((0, 0, 0, 0x0A0A, 21, 0xFE0D))
    more = number.to_bytes(2) + len(content).to_bytes(2) + content
    extensions = more + extensions if chance.random() < 0.5 else extensions + more
    body = body[:at] + len(extensions).to_bytes(2) + extensions
    message = b"\x01" + len(body).to_bytes(3) + body
    return hello[:3] + len(message).to_bytes(2) + message


def odd(chance: random.Random, hello: bytes) -> bytes:
    """A ClientHello in records that servers accept and no client sends."""
    if chance.random() < 0.5:
        return b"\x16\x03\x01\x00\x00" * chance.randint(1, 3) + hello
    return hello[:2] + bytes([chance.randrange(256)]) + hello[3:]


def a_hello(chance: random.Random) -> bytes:
    """A ClientHello that was changed."""
    hello = chance.choice(HELLOS)
    if chance.random() < 0.3:
        hello = extended(chance, hello)
    if chance.random() < 0.7:
        hello = changed(chance, hello)
    if chance.random() < 0.05:
        return odd(chance, hello)
    if len(hello) > 5 and chance.random() < 0.4:
        hello = in_records(hello, *(chance.randint(1, 300) for _ in range(chance.randint(1, 4))))
    return hello


def a_request(chance: random.Random) -> bytes:
    """A request inside a tunnel."""
    return changed(chance, REQUEST, PIECES) + (REQUEST if chance.random() < 0.1 else b"")


def a_head(chance: random.Random) -> bytes:
    """A CONNECT."""
    return changed(chance, CONNECT, PIECES)


KINDS: tuple[tuple[str, Callable[[random.Random], bytes], Callable[[bytes], str]], ...] = (
    ("ClientHello", a_hello, check_greeting),
    ("request", a_request, check_greeting),
    ("CONNECT", a_head, check_head),
)


def run(inputs: int, seed: int) -> dict[str, Counter[str]]:
    """Try so many inputs; what became of them. Raises Disagreement; the input is its last
    argument."""
    chance = random.Random(seed)
    became: dict[str, Counter[str]] = {name: Counter() for name, _, _ in KINDS}
    for number in range(inputs):
        name, make, check = KINDS[number % len(KINDS)]
        data = make(chance)
        try:
            became[name][check(data)] += 1
        except Disagreement as problem:
            raise Disagreement(name, str(problem), data) from problem
    return became


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=300_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    begun = time.perf_counter()
    try:
        became = run(options.inputs, options.seed)
    except Disagreement as problem:
        folder = ROOT / "var" / "fuzz"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "disagreement").write_bytes(problem.args[-1])
        print(f"disagreement ({problem.args[0]}): {problem.args[1]}; the input is in {folder}")
        sys.exit(1)
    for name, counts in became.items():
        print(f"{name}: " + ", ".join(f"{count:,} {what}" for what, count in counts.most_common()))
    seconds = time.perf_counter() - begun
    print(f"{options.inputs:,} inputs in {seconds:.0f} s, no disagreement")


if __name__ == "__main__":
    main()
