"""`proxy_addon/proxy/open_requests.py`: what a newcomer can reach, and what they cannot, on real
connections, through the light path and the engine."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy_addon.presentation.open_pages import OPEN
from proxy_addon.proxy import open_requests
from tests import certificate_authority
from tests.e2e.client import read_until
from tests.e2e.origins import Origins
from tests.e2e.waiting import until
from tests.proxy.harness import ProxyHarness, Serving, request, serving
from tests.proxy.page_client import URL, answer, ask, tunnelled

DORA = f"Proxy-Authorization: Basic {base64.b64encode(b'dora:secret').decode()}"
ME = "ip:127.0.0.1"
NOT_OPEN = (
    "/",
    "/me.json",
    "/me/events",
    "/admin",
    "/ask",
    "/why",
    "/policy",
    "/device/sign-in",
    "/nothing",
    "//device",
    "/device/",
    "/./device",
    "/device/../me.json",
    "/%64evice",
    "/device%3f",
    "/device;x",
    "/DEVICE",
    "/help%2f..%2fme.json",
    "/help/../../me.json",
    "/certificate\\me.json",
)


@pytest.fixture(scope="module", params=[True, False], ids=["light", "engine"])
def office(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, origins: Origins
) -> Iterator[Serving]:
    """An office in which everybody signs in, and which will change its CA."""
    passwords = {"dora": "secret"}
    folder = tmp_path_factory.mktemp("newcomers")
    certificate_authority.copy_to(folder / "ca" / "next")
    with serving(
        folder,
        origins,
        light_path=request.param,
        passwords=passwords,
        sign_in="required",
    ) as running:
        yield running


def way(office: Serving, kind: str) -> tuple[socket.socket, str]:
    """A new connection of a newcomer, and what comes before a path on it."""
    if kind == "plain":
        return office.client.socket(), URL
    if kind == "tunnel":
        status, tunnel = office.client.tunnel("allowance.internal", 80)
        assert status == 200
        return tunnel, ""
    return tunnelled(office), ""


@pytest.mark.parametrize("kind", ["plain", "tunnel", "tls"])
def test_open_pages(office: Serving, kind: str) -> None:
    """A newcomer gets each of them, over plain HTTP and in a tunnel, without being asked."""
    for path in sorted(OPEN):
        connection, before = way(office, kind)
        connection.sendall(ask(before + path))
        status, body = answer(connection)
        assert (path, status) == (path, 200)
        assert b"ip:127" not in body


@pytest.mark.parametrize("path", NOT_OPEN)
def test_other_pages_need_a_name(office: Serving, path: str) -> None:
    """Over plain HTTP 407; inside a tunnel the way there. In no spelling of a path anything else is
    answered."""
    connection, before = way(office, "plain")
    connection.sendall(ask(before + path))
    assert answer(connection)[0] == 407
    for kind in ("tunnel", "tls"):
        connection, _ = way(office, kind)
        connection.sendall(ask(path))
        assert answer(connection)[0] == 403
        connection, _ = way(office, kind)
        connection.sendall(ask(path, "Sec-Fetch-Mode: navigate"))
        head = read_until(connection, b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 303 ")
        assert f"\r\nlocation: http://allowance.internal{path}\r\n".encode() in (
            head.replace(b"Location", b"location")
        )


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_only_reading(office: Serving, method: str) -> None:
    """Nothing is done for a newcomer."""
    for kind, status in (("plain", 407), ("tunnel", 403), ("tls", 403)):
        connection, before = way(office, kind)
        connection.sendall(ask(before + "/device", "Content-Length: 0", method=method))
        assert answer(connection)[0] == status


@pytest.mark.parametrize("kind", ["tunnel", "tls"])
def test_a_tunnel_of_a_newcomer_ends(office: Serving, kind: str) -> None:
    """After one answer, whichever it is: the next connection can be that of somebody who has signed
    in meanwhile."""
    for path in ("/help", "/me.json"):
        connection, _ = way(office, kind)
        connection.sendall(ask(path))
        head = read_until(connection, b"\r\n\r\n")
        assert b"\r\nconnection: close\r\n" in head.lower()
        while connection.recv(65_536):
            pass


@pytest.mark.parametrize(
    "sent",
    [
        ask("http://www.facebook.com/help"),
        ask(URL + "/help").replace(b"Host: allowance.internal", b"Host: www.facebook.com"),
        ask(URL + "/help", "Host: www.facebook.com"),
        ask("http://allowance.internal@www.facebook.com/help"),
        ask("http://allowance.internal.evil.example/help"),
    ],
)
def test_another_host(office: Serving, sent: bytes) -> None:
    """A request that also names another host is no request for an open page; nothing is answered
    with one."""
    connection = office.client.socket()
    connection.sendall(sent)
    status = int(read_until(connection, b"\r\n\r\n").split()[1])
    assert status >= 400
    for kind in ("tunnel", "tls"):
        connection, _ = way(office, kind)
        connection.sendall(sent)
        assert int(read_until(connection, b"\r\n\r\n").split()[1]) >= 400


def test_a_tunnel_to_another_host(office: Serving) -> None:
    """Whose CONNECT names a site, and whose greeting names our pages, is no newcomer at our
    pages."""
    status, tunnel = office.client.tunnel("news.example")
    assert status == 200
    tls = office.client.tls(tunnel, "allowance.internal")
    tls.sendall(ask("/help"))
    assert int(read_until(tls, b"\r\n\r\n").split()[1]) >= 400


def test_wrong_password(office: Serving) -> None:
    """Who tries to sign in is asked again, also for a tunnel; the open pages answer all the
    same."""
    wrong = f"Proxy-Authorization: Basic {base64.b64encode(b'dora:wrong').decode()}"
    connection = office.client.socket()
    connection.sendall(f"CONNECT allowance.internal:443 HTTP/1.1\r\n{wrong}\r\n\r\n".encode())
    assert answer(connection)[0] == 407
    connection = office.client.socket()
    connection.sendall(ask(URL + "/help", wrong))
    assert answer(connection)[0] == 200


def test_signing_in_on_the_same_connection(office: Serving) -> None:
    """First an open page, then asked, then signed in."""
    connection = office.client.socket()
    for path, fields, status in (
        ("/help", (), 200),
        ("/me.json", (), 407),
        ("/me.json", (DORA,), 200),
        ("/help", (), 200),
        ("/me.json", (), 407),
    ):
        connection.sendall(ask(URL + path, *fields))
        assert answer(connection)[0] == status


# -- a device that does not use the proxy yet


def direct(host: str, path: str = "/device", method: str = "GET", *fields: str) -> bytes:
    """A request as to a web server."""
    return "\r\n".join((f"{method} {path} HTTP/1.1", f"Host: {host}", *fields, "", "")).encode()


def sent(office: Serving, data: bytes) -> bytes:
    """The head of the answer."""
    connection = office.client.socket()
    connection.sendall(data)
    return read_until(connection, b"\r\n\r\n")


def test_direct(office: Serving) -> None:
    """The proxy's port answers the open pages as a web server does, and its front page leads
    there."""
    own = f"127.0.0.1:{office.port}"
    for path in sorted(OPEN):
        assert sent(office, direct(own, path)).startswith(b"HTTP/1.1 200 "), path
    front = sent(office, direct(own, "/"))
    assert front.startswith(b"HTTP/1.1 303 ")
    assert b"location: /device" in front.lower()


@pytest.mark.parametrize("path", [path for path in NOT_OPEN if path != "/"])
def test_direct_is_open_pages_only(office: Serving, path: str) -> None:
    """Everything else is refused as ever: a proxy is no web server. Credentials change nothing."""
    own = f"127.0.0.1:{office.port}"
    for fields in ((), (DORA,)):
        status = int(sent(office, direct(own, path, "GET", *fields)).split()[1])
        assert status in (400, 403)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.2:{port}",
        "evil.example:{port}",
        "127.0.0.1:{port}x",
        "",
        "[::1]:{port}",
    ],
)
def test_direct_names_this_machine(office: Serving, host: str) -> None:
    """A request that names another address is not one for the machine: nothing of ours is shown."""
    status = int(sent(office, direct(host.format(port=office.port))).split()[1])
    assert status >= 400


def test_direct_names_nobody(tmp_path: Path, origins: Origins) -> None:
    """Also where the address belongs to somebody: whoever asks directly has no name."""
    with serving(tmp_path, origins) as office:
        connection = office.client.socket("127.0.3.1")
        connection.sendall(direct(f"127.0.0.1:{office.port}"))
        status, body = answer(connection)
        assert (status, b"dora" in body) == (200, False)


def test_networks_are_guarded(tmp_path: Path, origins: Origins) -> None:
    """Clients of other networks get nothing, not even an open page."""
    networks = ["10.9.0.0/16"]
    with serving(tmp_path, origins, client_networks=networks) as office:
        connection = office.client.socket()
        connection.sendall(direct(f"127.0.0.1:{office.port}"))
        with pytest.raises((ConnectionResetError, EOFError)):
            if not connection.recv(1000):
                raise EOFError


@pytest.mark.parametrize(
    ("host", "port", "path", "expected"),
    [
        ("wpad.office.example", 80, "/wpad.dat", True),
        ("wpad", 80, "/wpad.dat", True),
        ("wpad.office.example", 80, "/device", False),
        ("wpad.office.example", 8080, "/wpad.dat", True),
        ("127.0.0.1", 80, "/device", True),
        ("127.0.0.1:80", 80, "/device", True),
        ("proxy-7.office.example:8080", 8080, "/device", True),
        ("proxy-7:8080", 8080, "/device", True),
        ("proxy-7.other.example:8080", 8080, "/device", True),
        ("proxy-8:8080", 8080, "/device", False),
        ("office.example:8080", 8080, "/device", False),
    ],
)
def test_names_of_this_machine(
    monkeypatch: pytest.MonkeyPatch,
    harness: ProxyHarness,
    host: str,
    port: int,
    path: str,
    expected: bool,
) -> None:
    """Its own name counts, in whatever domain, and for the discovery by DNS the name that browsers
    look for; on port 80 the port may be missing."""
    monkeypatch.setattr("socket.gethostname", lambda: "proxy-7.office.example")
    flow = request(f"http://127.0.0.1{path}", headers={"Host": host})
    flow.client_conn.sockname = ("127.0.0.1", port)
    assert open_requests.is_direct(flow) is expected


def test_a_site_with_the_name_of_this_machine(
    office: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever goes there through the proxy means that site: our pages are not shown under its name,
    where its scripts could read them. The machine's own address is its own, either way."""
    monkeypatch.setattr("socket.gethostname", lambda: "proxy-7.office.example")
    for name, path in (
        (f"proxy-7.evil.example:{office.port}", "/device"),
        ("wpad.evil", "/wpad.dat"),
    ):
        assert sent(office, direct(name, path)).startswith(b"HTTP/1.1 200 ")
        through = sent(office, direct(name, f"http://{name}{path}"))
        assert not through.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 303 "))
    own = f"127.0.0.1:{office.port}"
    assert sent(office, direct(own, f"http://{own}/device")).startswith(b"HTTP/1.1 200 ")


# -- devices that do not accept our certificate


@pytest.fixture(params=[True, False], ids=["light", "engine"])
def by_address(
    request: pytest.FixtureRequest, tmp_path: Path, origins: Origins
) -> Iterator[Serving]:
    """An office without sign-in, where 127.0.3.1 is dora's."""
    with serving(tmp_path, origins, light_path=request.param) as running:
        yield running


@pytest.mark.parametrize("host", ["allowance.internal", "www.facebook.com"])
def test_who_distrusts_us(by_address: Serving, host: str) -> None:
    """A handshake that ends because of our certificate is remembered of the device of its person;
    one that succeeds wipes it."""
    platform = "facebook" if host == "www.facebook.com" else ""
    devices = by_address.harness.devices
    status, tunnel = by_address.client.tunnel(host, source="127.0.3.1")
    assert status == 200
    with pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(tunnel, server_hostname=host)
    until(lambda: devices.of("127.0.3.1", "dora") is not None, "the device to be known")
    found = devices.of("127.0.3.1", "dora")
    assert found is not None
    assert found.platform == platform
    assert devices.of("127.0.0.1", ME) is None
    tls = by_address.client.tls(
        by_address.client.tunnel("allowance.internal", source="127.0.3.1")[1], "allowance.internal"
    )
    tls.sendall(ask("/help"))
    assert answer(tls)[0] == 200
    assert devices.of("127.0.3.1", "dora") is None
