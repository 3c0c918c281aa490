"""`proxy_addon/proxy/layers/client_side.py`, on real sockets: bounds, and our words in place of
mitmproxy's."""

from __future__ import annotations

import socket

import pytest

from proxy_addon.proxy.layers.client_side import MAX_HEAD_BYTES, error_page
from tests.e2e.client import read_all, read_until
from tests.proxy.h2_client import ask
from tests.proxy.harness import Serving

HOST = "www.facebook.com"


def raw(proxy: Serving, data: bytes) -> bytes:
    """Send bytes to the proxy; everything that comes back."""
    with proxy.client.socket() as connection:
        try:
            connection.sendall(data)
        except ConnectionError:
            pass  # refused before we were done
        return read_all(connection)


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"nonsense\r\n\r\n", 400, b"could not read"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, b"could not read"),
        (b"GET http://x.com/ HTTP/9.9\r\nHost: x.com\r\n\r\n", 400, b"could not read"),
        (b"GET http://x.com/ HTTP/2.0\r\nHost: x.com\r\n\r\n", 400, b"could not read"),
        (b"GET http://x.com/\tHTTP/9.9\r\nHost: x.com\r\n\r\n", 400, b"could not read"),
        (b"GET http://x.com/ HTTP/0.9\nHost: x.com\n\n", 400, b"could not read"),
        (b"GET http://x.com/ HTTP/1.1\r\nHost: x.com\r\nA: \0b\r\n\r\n", 400, b"could not read"),
        (b"GET http://x.com/ HTTP/1.1\r\nHost: x.com\r\nA: a\rb\r\n\r\n", 400, b"could not read"),
        (
            b"GET http://x.com/ HTTP/1.1\r\nHost: x.com\r\nBad Name: 1\r\n\r\n",
            400,
            b"could not read",
        ),
        (
            b"POST http://x.com/ HTTP/1.1\r\nHost: x.com\r\nContent-Length: -1\r\n\r\n",
            400,
            b"could not read",
        ),
        (b"GET http://x.com/ HTTP/1.1\r\nCookie: " + b"x" * (MAX_HEAD_BYTES + 9), 431, b"too long"),
        (
            b"GET http://dead.example/ HTTP/1.1\r\nHost: dead.example\r\n\r\n",
            502,
            b"cannot be reached",
        ),
        (b"CONNECT dead.example:443 HTTP/1.1\r\n\r\n", 502, b"cannot be reached"),
    ],
)
def test_calm_pages(proxy: Serving, data: bytes, status: int, words: bytes) -> None:
    """What cannot be read or reached gets a page of ours; no name of the software, nothing from
    inside."""
    answer = raw(proxy, data)
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:200]
    assert words in answer
    for secret in (b"mitmproxy", b"Errno", b"connection_strategy", b"Traceback", b"resolution"):
        assert secret not in answer


@pytest.mark.parametrize("http2", [False, True])
def test_dead_site_in_an_opened_tunnel(proxy: Serving, http2: bool) -> None:
    """A limited site that cannot be reached: the page comes over HTTP/1.1 and HTTP/2 alike."""
    reply = proxy.client.open("https://dead.facebook.com/", http2=http2)
    assert (reply.status, reply.version) == (502, "2" if http2 else "1.1")
    assert "cannot be reached" in reply.text
    assert "mitmproxy" not in reply.text + str(reply.headers)
    assert "server" not in reply.headers


@pytest.mark.parametrize("window", [65_535, 700])
@pytest.mark.parametrize(
    ("host", "status"), [("dead.facebook.com", 502), ("www.tiktok.com", 403), (HOST, 200)]
)
def test_answers_end_their_stream(proxy: Serving, host: str, status: int, window: int) -> None:
    """Over HTTP/2 every answer says that it is over, also one that takes several frames or waits
    for its reader: a browser that is not told goes on loading for ever."""
    answer = ask(proxy, host, window=window)
    assert (answer.status, answer.end) == (status, "ended")
    assert b"</html>" in answer.body


@pytest.mark.parametrize(
    "fields",
    [
        {":method": "GET /feed"},
        {":path": "/ HTTP/1.1"},
        {":path": "/a\tb"},
        {":path": "/a\r\nX: y"},
        {":authority": f"{HOST} x"},
        {"x-name": "a\0b"},
        {"x-name": "a\r\nHost: other.example"},
        {"x name": "a"},
        {"x-name:b": "a"},
        {"host": f"{HOST} x"},
    ],
)
def test_http2_that_would_be_another_request_in_http1(
    proxy: Serving, fields: dict[str, str]
) -> None:
    """A request whose fields would be other words or lines of HTTP/1.1 reaches no site."""
    before = len(proxy.origins.record.to(HOST))
    answer = ask(proxy, HOST, fields=fields)
    assert (answer.status, len(proxy.origins.record.to(HOST))) == (0, before)
    assert ask(proxy, HOST).status == 200


def test_a_refused_http2_request_with_a_body(proxy: Serving) -> None:
    """Its stream alone ends, whatever is still on its way: the next request of the connection is
    answered."""
    assert ask(proxy, HOST, before={":method": "POST /feed"}).status == 200


@pytest.mark.parametrize("http2", [False, True])
def test_a_head_of_a_dead_site(proxy: Serving, http2: bool) -> None:
    """Whoever asks for the head alone gets the head alone; over HTTP/2 a body would break the
    stream."""
    reply = proxy.client.get("https://dead.facebook.com/", "--head", http2=http2)
    assert (reply.exit_code, reply.status, reply.error) == (0, 502, "")


def test_a_certificate_that_is_not_trusted() -> None:
    """Whoever may have stands between us and a site is told apart from a site that is down."""
    answer = error_page(502, "Certificate verify failed: self-signed certificate")
    assert (answer.status, b"certificate" in answer.body) == (502, True)
    assert b"self-signed" not in answer.body


def test_a_long_head_in_pieces(proxy: Serving) -> None:
    """A head just within the bound passes, however it is cut up."""
    filler = "x" * (MAX_HEAD_BYTES - 300)
    with proxy.client.socket() as connection:
        for part in (
            f"GET http://{HOST}/api/one HTTP/1.1\r\nHost: {HOST}\r\nX-Long: ",
            filler,
            "\r\n\r\n",
        ):
            connection.sendall(part.encode())
        head = read_until(connection, b"\r\n\r\n")
    assert b"mitmproxy" not in head
    assert not head.startswith(b"HTTP/1.1 431")


def test_trailers_of_a_client(proxy: Serving) -> None:
    """A chunked request with trailers is passed on without them; mitmproxy alone would let it
    hang."""
    request = (
        f"POST http://{HOST}/upload HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n"
        "Connection: close\r\n\r\n5\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n"
    )
    answer = raw(proxy, request.encode())
    assert answer.startswith(b"HTTP/1.1 200"), answer[:300]
    assert b'"bytes": 5' in answer


@pytest.mark.parametrize(
    "target", ["localhost", "127.0.0.1", "127.1", "[::1]", "169.254.169.254", "[fe80::1]"]
)
def test_guarded_targets(proxy: Serving, target: str) -> None:
    """Loopback and link-local targets, by name and by number, get a clear 403, with and without a
    tunnel."""
    plain = raw(proxy, f"GET http://{target}/ HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    tunnel = raw(proxy, f"CONNECT {target}:443 HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    for answer in (plain, tunnel):
        assert answer.startswith(b"HTTP/1.1 403 "), answer[:200]
        assert b"Not through this proxy" in answer
        assert b"allow_targets" in answer


def test_guarded_by_resolution(proxy: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """A harmless name that resolves to loopback is refused just as clearly."""
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, port, *rest: real(
            "127.0.0.1" if host == "trick.example" else host, port, *rest
        ),
    )
    plain = raw(proxy, b"GET http://trick.example/ HTTP/1.1\r\nHost: trick.example\r\n\r\n")
    tunnel = raw(proxy, b"CONNECT trick.example:443 HTTP/1.1\r\nHost: trick.example\r\n\r\n")
    for answer in (plain, tunnel):
        assert answer.startswith(b"HTTP/1.1 403 "), answer[:200]
        assert b"a loopback address" in answer
