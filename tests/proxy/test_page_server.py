"""Twin of proxy_addon/proxy/page_server.py: our pages through a real proxy, on the light path."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from proxy_addon.network.guards import ClientGuard
from proxy_addon.proxy import page_server
from proxy_addon.proxy.layers.bounded_stream import MAX_FORM_BYTES
from tests.e2e.client import closed_later, read_all, read_until
from tests.e2e.origins import Origins
from tests.e2e.waiting import until
from tests.proxy.harness import Serving, breaks, serving
from tests.proxy.page_client import URL, answer, ask, drip, tunnelled

ME = "ip:127.0.0.1"
DORA = base64.b64encode(b"dora:secret").decode()


def by_engine(proxy: Serving) -> int:
    """How many connections mitmproxy has."""
    return proxy.on_loop(lambda: len(proxy.harness.addon.connections))


def test_many_requests_on_one_connection(proxy: Serving, way: tuple[socket.socket, str]) -> None:
    """Pages, data, what does not exist, and forms; without the engine, and counted as one."""
    connection, before = way
    for path, status in (("/", 200), ("/me.json", 200), ("/nothing", 404), ("/me.json", 200)):
        connection.sendall(ask(before + path))
        assert answer(connection)[0] == status
    connection.sendall(ask(before + "/", "Content-Length: 3", method="POST", body="abc"))
    assert answer(connection)[0] == 405
    connection.sendall(ask(before + "/me.json"))
    assert f'"{ME}"'.encode() in answer(connection)[1]
    assert (by_engine(proxy), proxy.connections()) == (0, 1)
    until(lambda: proxy.harness.counted("connections_open") == 1, "the connection is counted")
    connection.close()
    proxy.empty()
    assert proxy.harness.counted("connections_accepted_total") == 1


def test_no_header_names_a_person(proxy: Serving, way: tuple[socket.socket, str]) -> None:
    """Neither inside a tunnel nor outside of it."""
    connection, before = way
    names = ("X-Forwarded-User: dora", "X-Forwarded-For: 127.0.3.1", "Allowance-Person: dora")
    sign_in = f"Proxy-Authorization: Basic {DORA}"
    connection.sendall(ask(before + "/me.json?user=dora", *names, sign_in))
    assert f'"{ME}"'.encode() in answer(connection)[1]


def test_a_form_that_drips(way: tuple[socket.socket, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte by byte it gets 408 when its time is over, and its connection ends."""
    monkeypatch.setattr(page_server, "FORM_SECONDS", 0.5)
    connection, before = way
    connection.sendall(ask(before + "/ask", "Content-Length: 60000", method="POST"))
    assert drip(connection).startswith(b"HTTP/1.1 408 ")


def test_devices(proxy: Serving) -> None:
    """Who is known by the address is known here too."""
    connection = tunnelled(proxy, "127.0.3.1")
    connection.sendall(ask())
    assert b'"dora"' in answer(connection)[1]


def test_who_a_device_is_follows_the_rules(proxy: Serving) -> None:
    """The same tunnel belongs to somebody else when the device map says so."""
    connection = tunnelled(proxy, "127.0.3.1")
    connection.sendall(ask())
    assert b'"dora"' in answer(connection)[1]
    again = proxy.harness.identifier.again
    proxy.on_loop(
        lambda: setattr(
            proxy.harness.identifier, "again", lambda who, ip: again(who, ip)._replace(name="emil")
        )
    )
    connection.sendall(ask())
    assert b'"emil"' in answer(connection)[1]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (ask().replace(b"Host: allowance.internal", b"Host: www.facebook.com"), 421),
        (ask("http://www.facebook.com/"), 421),
        (ask("https://www.facebook.com/me.json"), 421),
        (ask("//www.facebook.com/me.json"), 404),
        (ask("http://allowance.internal@www.facebook.com/"), 421),
        (ask("http://www.facebook.com\\@allowance.internal/"), 421),
        (ask("http://allowance.internal.facebook.com/"), 421),
        (ask("*", method="OPTIONS"), 421),
        (ask("www.facebook.com:443", method="CONNECT"), 421),
        (ask("/me.json", "Host: www.facebook.com"), 400),
        (b"GET /me.json HTTP/1.1\r\n\r\n", 400),
        (b"GET /me.json HTTP/1.0\r\n\r\n", 421),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 421),
        (b"\x16\x03\x01\x00\x05hello", 400),
        (b"rubbish" * 10_000, 400),
        (ask("/me.json", "X: " + "a" * 20_000)[:-4], 400),
        (ask("/me.json", "Content-Length: x"), 400),
        (ask("/me.json", "Content-Length: 1", "Content-Length: 2"), 400),
        (ask("/me.json", "Transfer-Encoding: chunked", "Content-Length: 4"), 200),
        (ask("/me.json", "Transfer-Encoding: gzip"), 400),
    ],
)
def test_what_names_another_host_inside_tls(proxy: Serving, request_: bytes, expected: int) -> None:
    """A page for nobody else: 4xx or our own page, never one of another host, and no failure of
    ours. The connection ends after it, or goes on."""
    connection = tunnelled(proxy)
    if expected == 200:
        request_ += b"0\r\n\r\n"
    with suppress(BrokenPipeError):  # it may be answered before all of it is sent
        connection.sendall(request_)
    assert int(read_until(connection, b"\r\n\r\n").split()[1]) == expected
    connection.close()
    proxy.empty()
    assert proxy.harness.counted("errors_total", where="pages") == 0


def test_absolute_form_inside_a_tunnel(proxy: Serving) -> None:
    """Our own host may be named in full."""
    connection = tunnelled(proxy)
    connection.sendall(ask("https://allowance.internal/me.json"))
    assert answer(connection)[0] == 200


def test_one_byte_at_a_time(proxy: Serving, way: tuple[socket.socket, str]) -> None:
    """Read like any other."""
    connection, before = way
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in ask(before + "/me.json"):
        connection.sendall(bytes([byte]))
    assert answer(connection)[0] == 200


def test_the_next_request_is_for_a_site(proxy: Serving) -> None:
    """On a plain connection the engine goes on where our page ended, and our page after it."""
    connection = proxy.client.socket()
    connection.sendall(ask(URL + "/me.json"))
    assert answer(connection)[0] == 200
    assert by_engine(proxy) == 0
    site = b"GET http://www.tiktok.com/ HTTP/1.1\r\nHost: www.tiktok.com\r\n\r\n"
    connection.sendall(site)
    assert answer(connection)[0] == 403
    assert by_engine(proxy) == 1
    connection.sendall(ask(URL + "/me.json"))
    assert f'"{ME}"'.encode() in answer(connection)[1]


def test_two_hosts_in_one_plain_request(proxy: Serving) -> None:
    """The engine reads it, and answers with our page for whoever sent it, as ever."""
    connection = proxy.client.socket()
    connection.sendall(
        ask(URL + "/me.json").replace(b"Host: allowance", b"Host: www.facebook.com:allowance")
    )
    assert read_until(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 ")
    assert by_engine(proxy) == 1


@pytest.fixture
def office(tmp_path: Path, origins: Origins) -> Iterator[Serving]:
    """An office in which everybody signs in, behind a front proxy at 127.0.9.9."""
    with serving(
        tmp_path,
        origins,
        passwords={"dora": "secret"},
        sign_in="required",
        front_proxies=["127.0.9.9"],
    ) as running:
        yield running


def test_sign_in_for_a_tunnel(office: Serving) -> None:
    """407 for a wrong password, by us; then on the same connection the page of who has signed
    in."""
    connection = office.client.socket()
    wrong = base64.b64encode(b"dora:wrong").decode()
    head = f"CONNECT allowance.internal:443 HTTP/1.1\r\nProxy-Authorization: Basic {wrong}\r\n\r\n"
    connection.sendall(head.encode())
    assert answer(connection)[0] == 407
    head = f"CONNECT allowance.internal:443 HTTP/1.1\r\nProxy-Authorization: Basic {DORA}\r\n\r\n"
    connection.sendall(head.encode())
    assert read_until(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    tls = office.client.tls(connection, "allowance.internal")
    tls.sendall(ask())
    assert b'"dora"' in answer(tls)[1]
    assert by_engine(office) == 0


def test_sign_in_for_plain_requests(office: Serving) -> None:
    """Each request is asked; what one has said says nothing of the next."""
    connection = office.client.socket()
    wrong = base64.b64encode(b"dora:wrong").decode()
    for fields, status in (
        ((), 407),
        ((f"Proxy-Authorization: Basic {DORA}",), 200),
        ((), 407),
        ((f"Proxy-Authorization: Basic {wrong}",), 407),
        ((f"Proxy-Authorization: Basic {DORA}",), 200),
    ):
        connection.sendall(ask(URL + "/me.json", *fields))
        assert answer(connection)[0] == status
    assert by_engine(office) == 0


def test_many_people_on_one_connection_of_a_front_proxy(office: Serving) -> None:
    """Each request is its sender's, whose password the front proxy has looked at."""
    connection = office.client.socket("127.0.9.9")
    for name in ("dora", "emil", "dora", "zoe"):
        token = base64.b64encode(f"{name}:".encode()).decode()
        connection.sendall(ask(URL + "/me.json", f"Proxy-Authorization: Basic {token}"))
        status, body = answer(connection)
        assert (status, f'"{name}"'.encode() in body) == (200, True)
    pipelined = b"".join(
        ask(URL + "/me.json", f"Proxy-Authorization: Basic {base64.b64encode(n).decode()}")
        for n in (b"dora:", b"emil:")
    )
    connection.sendall(pipelined)
    assert [b'"dora"' in answer(connection)[1], b'"emil"' in answer(connection)[1]] == [True, True]


@pytest.mark.parametrize(
    "fields", [(f"Content-Length: {MAX_FORM_BYTES + 1}",), ("Transfer-Encoding: chunked",)]
)
def test_forms_that_are_too_long(proxy: Serving, fields: tuple[str, ...]) -> None:
    """413, whole, although the rest is still to come."""
    connection = tunnelled(proxy)
    chunk = b"%x\r\n" % (MAX_FORM_BYTES + 1) + b"a" * (MAX_FORM_BYTES + 1) + b"\r\n0\r\n\r\n"
    connection.sendall(ask("/ask", *fields, method="POST"))
    if "chunked" in fields[0]:
        connection.sendall(chunk)
    status, body = answer(connection)
    assert (status, b"</html>" in body) == (413, True)


def test_a_form_whose_sender_leaves(proxy: Serving) -> None:
    """Half a form reaches no page."""
    seen: list[str] = []
    page = proxy.harness.services.page

    async def watched(scope, receive, send):  # type: ignore[no-untyped-def]
        seen.append(scope["path"])
        await page(scope, receive, send)

    server = proxy.harness.addon.acceptor.policy.pages
    proxy.on_loop(
        lambda: setattr(server, "_services", proxy.harness.services._replace(page=watched))
    )
    connection = tunnelled(proxy)
    connection.sendall(ask("/ask", "Content-Length: 10", method="POST", body="abc"))
    connection.close()
    proxy.empty()
    connection = tunnelled(proxy)
    connection.sendall(ask("/me.json"))
    assert answer(connection)[0] == 200
    assert seen == ["/me.json"]


def test_failures_are_ours_to_say(proxy: Serving, way: tuple[socket.socket, str]) -> None:
    """503 in our words, counted, and no traceback; the next request is answered as ever."""
    connection, before = way
    server = proxy.harness.addon.acceptor.policy.pages
    whole = proxy.harness.services
    proxy.on_loop(lambda: setattr(server, "_services", whole._replace(page=breaks)))
    connection.sendall(ask(before + "/me.json"))
    status, body = answer(connection)
    assert (status, b"Traceback" in body) == (503, False)
    assert proxy.harness.counted("errors_total", where="pages") == 1


def test_stopping(proxy: Serving) -> None:
    """Idle connections for our pages do not hold up the end."""
    connection = tunnelled(proxy)
    connection.sendall(ask())
    assert answer(connection)[0] == 200
    proxy.stop()
    assert read_all(connection) == b""
    until(lambda: not proxy.running, "the proxy to end")


def test_a_client_that_distrusts_our_ca(proxy: Serving, tmp_path: Path) -> None:
    """Counted and logged as when the engine meets it."""
    reply = proxy.client.get("https://allowance.internal/", trust=proxy.origins.ca_file)
    assert reply.status == 0
    until(
        lambda: proxy.harness.counted("tls_failed_total", platform="allowance") == 1,
        "the failure to be counted",
    )


def test_tunnels_are_not_left(proxy: Serving) -> None:
    """Clients that vanish at any time leave no connection."""
    for data in (b"", b"\x16\x03\x01", b"GET / HT", ask()):
        tunnel = proxy.client.tunnel("allowance.internal")[1]
        tunnel.sendall(data)
        closed_later(tunnel).close()
    proxy.empty()


def test_behind_a_balancer(tmp_path: Path, origins: Origins) -> None:
    """The address that it passes on is the person's, in each way."""
    with serving(tmp_path, origins, proxy_protocol=["127.0.8.8"]) as proxy:
        policy, office = proxy.harness.addon.acceptor.policy, proxy.harness
        balancers = ClientGuard(office.settings.proxy_protocol)
        behind = office.services._replace(balancers=balancers)
        proxy.on_loop(lambda: setattr(policy, "_services", behind))
        header = b"PROXY TCP4 127.0.3.1 127.0.0.1 50000 8080\r\n"
        plain = proxy.client.socket("127.0.8.8")
        plain.sendall(header + ask(URL + "/me.json"))
        assert b'"dora"' in answer(plain)[1]
        tunnel = proxy.client.socket("127.0.8.8")
        tunnel.sendall(header + b"CONNECT allowance.internal:443 HTTP/1.1\r\n\r\n")
        assert read_until(tunnel, b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        tls = proxy.client.tls(tunnel, "allowance.internal")
        tls.sendall(ask())
        assert b'"dora"' in answer(tls)[1]
