"""Clients that are right and unusual: names with a dot at the end or in capitals, addresses in
CONNECT, protocols that nobody knows, and connections of which a client has ended its half."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator

import pytest

from proxy_addon.proxy.layers import client_side
from tests.e2e.client import closed_later, read_all, read_until
from tests.e2e.origins import Origins
from tests.e2e.waiting import until
from tests.proxy.odd_client import OneClient, TwoClient
from tests.proxy.odd_office import ADDRESS, DEAD, ONE, PLAIN, OddOffice
from tests.proxy.odd_site import OK, Script


@pytest.fixture(scope="module")
def odd_office(tmp_path_factory: pytest.TempPathFactory, origins: Origins) -> Iterator[OddOffice]:
    """One proxy for all."""
    with OddOffice(tmp_path_factory.mktemp("odd"), origins) as made:
        yield made


@pytest.fixture
def office(odd_office: OddOffice) -> Iterator[OddOffice]:
    """The same; nothing has failed after each test."""
    odd_office.failures()
    yield odd_office
    assert odd_office.failures() == []


def opened(office: OddOffice, connect: str, name: str, alpn: list[str]) -> ssl.SSLSocket:
    """A tunnel to `connect`, with a greeting that names `name`."""
    status, tunnel = office.proxy.client.tunnel(connect)
    assert status == 200
    context = ssl.create_default_context(cafile=office.proxy.client.trust)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.check_hostname = False
    if alpn:
        context.set_alpn_protocols(alpn)
    secure = closed_later(context.wrap_socket(tunnel, server_hostname=name))
    secure.settimeout(15)
    return secure


@pytest.mark.parametrize("alpn", [["http/1.1"], ["h2"], ["h2", "http/1.1"], ["foo"], []], ids=str)
@pytest.mark.parametrize(
    ("connect", "name"),
    [
        (ADDRESS, ONE),
        (ADDRESS, f"{ONE}."),
        (ONE, f"{ONE}."),
        (ONE, ONE.upper()),
        (f"{ONE}.", ONE),
        (f"{ONE}.", f"{ONE}."),
        (ONE.upper(), ONE),
    ],
)
def test_names_of_tunnels(office: OddOffice, connect: str, name: str, alpn: list[str]) -> None:
    """Whatever names the limited site, requests are answered, several on one connection."""
    office.one.scripts.clear()
    secure = opened(office, connect, name, alpn)
    client: OneClient | TwoClient
    if secure.selected_alpn_protocol() == "h2":
        client = two = TwoClient.__new__(TwoClient)
        two.take(secure, ONE)
    else:
        client = one = OneClient.__new__(OneClient)
        one.take(secure, ONE)
    assert [client.ask("/named").body for _ in range(3)] == [b"ok"] * 3
    secure.close()


@pytest.mark.parametrize("host", [ONE, f"{ONE}.", ONE.upper(), f"{ONE}:443", f"{ONE}.:443"])
def test_names_in_requests(office: OddOffice, host: str) -> None:
    """With a port, a dot or capitals."""
    client = office.client("h1-h1")
    client.host = host
    assert client.ask("/host").body == b"ok"


def test_a_name_that_no_greeting_may_have(office: OddOffice) -> None:
    """Of a label that is too long: a 502, or no tunnel, and no hang."""
    name = f"{'a' * 64}.facebook.com"
    status, tunnel = office.proxy.client.tunnel(name)
    if status == 200:
        secure = office.proxy.client.tls(tunnel, None)
        secure.sendall(f"GET / HTTP/1.1\r\nHost: {ONE}\r\n\r\n".encode())
        assert read_until(secure, b"\r\n").split()[1:2] in ([b"502"], [b"403"], [b"421"], [b"400"])
    else:
        assert 400 <= status < 600


SLOW = Script(b"\0\0" + OK[:-1] + b"\0\0" + OK[-1:], wait=0.3)
HALF = f"GET http://{PLAIN}/half HTTP/1.1\r\nHost: {PLAIN}\r\n\r\n".encode()


@pytest.mark.parametrize("script", [Script(), SLOW], ids=["at once", "slowly"])
def test_a_client_that_has_ended_its_half(office: OddOffice, script: Script) -> None:
    """It gets its whole answer, and then the connection ends."""
    office.plain.scripts["/half"] = [script]
    client = office.proxy.client.socket()
    client.sendall(HALF)
    client.shutdown(socket.SHUT_WR)
    assert read_all(client, 15).endswith(b"\r\n\r\nok")


def test_two_requests_and_the_end(office: OddOffice) -> None:
    """Both are answered."""
    office.plain.scripts["/half"] = [Script()]
    client = office.proxy.client.socket()
    client.sendall(HALF + HALF)
    client.shutdown(socket.SHUT_WR)
    assert read_all(client, 15).count(b"\r\n\r\nok") == 2


PIPELINED = [("GET", b""), ("POST", b"body"), ("HEAD", b""), ("PUT", bytes(100_000)), ("GET", b"")]


@pytest.mark.parametrize("way", ["plain", "limited plain", "h1-h1"])
def test_requests_that_do_not_wait(office: OddOffice, way: str) -> None:
    """Fifty requests in one go, with bodies of all kinds, are answered one after the other, and the
    site gets each whole."""
    client = office.client(way)
    assert isinstance(client, OneClient)
    office.site(way).seen.clear()
    asked = [(f"/pipelined/{n}", *PIPELINED[n % len(PIPELINED)]) for n in range(50)]
    requests = [
        client.head(path, method, [("Content-Length", str(len(body)))] if body else []) + body
        for path, method, body in asked
    ]
    client.send_while_reading(b"".join(requests))
    got = [client.finish(method) for _, method, _ in asked]
    assert [(each.status, each.end) for each in got] == [(200, "complete")] * len(asked)
    seen = [(each.path, each.method, each.body) for each in office.site(way).seen]
    assert seen == asked


def test_requests_that_do_not_wait_for_several_hosts(office: OddOffice) -> None:
    """Ours, a blocked one, a site and a dead one in one go: each gets its own answer."""
    office.plain.seen.clear()
    with office.proxy.client.socket() as wire:
        for host, method, body in (
            ("allowance.internal", "GET", b""),
            ("www.tiktok.com", "POST", b"body"),
            (PLAIN, "POST", b"GET /smuggled HTTP/1.1\r\n\r\n"),
            (PLAIN, "GET", b""),
            (DEAD, "GET", b""),
        ):
            head = f"{method} http://{host}/me.json HTTP/1.1\r\nHost: {host}\r\n"
            wire.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        client = OneClient.__new__(OneClient)
        client.take(wire, PLAIN)
        assert [client.finish().status for _ in range(5)] == [200, 403, 200, 200, 502]
    assert [each.path for each in office.plain.seen] == ["/me.json", "/me.json"]


def test_an_upload_and_the_end(office: OddOffice) -> None:
    """A body that is complete is an upload."""
    client = office.proxy.client.socket()
    head = f"POST http://{PLAIN}/post HTTP/1.1\r\nHost: {PLAIN}\r\nContent-Length: 4\r\n\r\n"
    client.sendall(head.encode() + b"body")
    client.shutdown(socket.SHUT_WR)
    assert read_all(client, 15).endswith(b"\r\n\r\nok")


def test_in_a_tunnel_of_clear_text(office: OddOffice) -> None:
    """Opened or relayed, it is the same."""
    for host, port in ((PLAIN, 80), ("www.linkedin.com", 80)):
        status, tunnel = office.proxy.client.tunnel(host, port)
        assert status == 200
        tunnel.sendall(f"GET /tunnelled HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        tunnel.shutdown(socket.SHUT_WR)
        tunnel.settimeout(15)
        assert read_until(tunnel, b"\r\n\r\nok").endswith(b"\r\n\r\nok")
        tunnel.close()


def test_clients_that_have_gone_are_given_up(
    office: OddOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can tell them from those that wait: when no answer begins in a minute (here: in half a
    second), the site is not waited for."""
    monkeypatch.setattr(client_side, "HALF_CLOSED_SECONDS", 0.5)
    office.plain.scripts["/half"] = [Script(b"\0\0" + OK, wait=10)]
    began = time.monotonic()
    client = office.proxy.client.socket()
    client.sendall(HALF)
    client.close()
    until(lambda: office.proxy.connections() == 0, "the client to be given up", 8)
    assert time.monotonic() - began < 8
