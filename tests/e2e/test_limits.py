"""What a limited platform gets, what an unlimited host gets, and every way to name one and mean the
other."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from tests.e2e.client import (
    FETCH,
    IMAGE,
    NAVIGATE,
    Client,
    Reply,
    fresh_address,
    read_all,
    read_until,
)
from tests.e2e.office import SHORT, request, spend_all
from tests.e2e.origins import BANNER, Origins
from tests.e2e.process import OfficeProxy

BLOCKED = "www.tiktok.com"


def assert_block(reply: Reply, reason: str) -> None:
    """The contract of a block answer, whatever its form."""
    assert (reply.status, reply.reason) == (403, reason), reply
    assert "no-store" in reply.headers["cache-control"]


@pytest.mark.parametrize("http2", [False, True])
def test_limited_host_is_decrypted(
    running_office: OfficeProxy, client: Client, http2: bool
) -> None:
    """A limited platform comes with the proxy's certificate, and its page arrives."""
    source = fresh_address()
    reply = client.open("https://x.com/", source=source, http2=http2, trust=running_office.ca_file)
    assert (reply.status, reply.version) == (200, "2" if http2 else "1.1")
    assert "<h1" in reply.text


def test_limited_host_spends(running_office: OfficeProxy, client: Client) -> None:
    """Opening a page of a limited platform charges its allowance, and the visit names platform and
    rule."""
    source = fresh_address()
    assert client.open("https://www.youtube.com/", source=source).status == 200
    usage = running_office.usage(f"ip:{source}")
    assert 0 < usage["allowances"]["long"]["spent"] <= SHORT
    assert usage["allowances"]["short"]["spent"] == 0
    assert [(v["platform"], v["rule"]) for v in usage["visits"]] == [
        ("youtube", "Half an hour a day")
    ]


@pytest.mark.parametrize("http2", [False, True])
@pytest.mark.parametrize("host", ["work.example", "notfacebook.com"])
def test_unlimited_host_is_not_decrypted(
    client: Client, origins: Origins, host: str, http2: bool
) -> None:
    """A host that no rule limits shows its own certificate; so does a name that merely ends
    alike."""
    reply = client.open(f"https://{host}/", http2=http2, trust=origins.ca_file)
    assert (reply.status, reply.version) == (200, "2" if http2 else "1.1")


def test_unlimited_hosts_are_not_logged(running_office: OfficeProxy, client: Client) -> None:
    """What is not limited leaves no trace in the log."""
    assert client.get("https://work.example/", trust=running_office.origins.ca_file).status == 200
    assert client.get("http://work.example/").status == 200
    assert "work.example" not in running_office.log


@pytest.mark.parametrize("scheme", ["http", "https", "h2"])
def test_running_out(client: Client, origins: Origins, scheme: str) -> None:
    """At zero a page names rule and time, says when to come back, and the site is not asked any
    more."""
    source, http2 = fresh_address(), scheme == "h2"
    base = f"{'http' if scheme == 'http' else 'https'}://www.facebook.com"
    spend_all(client, f"{base}/", source=source)
    reply = client.open(f"{base}/over?{scheme}", source=source, http2=http2)
    assert_block(reply, "exhausted")
    assert 0 < int(reply.headers["retry-after"]) <= 24 * 3600
    assert reply.headers["content-type"].startswith("text/html")
    assert "A little every day" in reply.text
    assert re.search(r"tomorrow at 00:00", reply.text)
    assert not re.search(
        r"(?:src|href)=[\"']?https?://(?!allowance\.internal|www\.facebook\.com)", reply.text
    )
    assert not [
        seen for seen in origins.record.to("www.facebook.com") if seen.path == f"/over?{scheme}"
    ]


def test_other_platforms_go_on(client: Client) -> None:
    """Who has used up one allowance still has the others, and sections that are work."""
    source = fresh_address()
    spend_all(client, source=source)
    assert client.open("https://x.com/", source=source).reason == "exhausted"
    assert client.open("https://www.youtube.com/", source=source).status == 200
    assert client.open("https://www.linkedin.com/learning/", source=source).status == 200
    assert client.open("https://www.linkedin.com/feed/", source=source).reason == "exhausted"
    assert client.open("https://x.com/", source=fresh_address()).status == 200


@pytest.mark.parametrize("http2", [False, True])
def test_answers_by_kind(client: Client, http2: bool) -> None:
    """A page for a person, a readable problem for a script, nothing for an image or a script
    tag."""
    url = f"https://{BLOCKED}/x"
    page = client.open(url, http2=http2)
    assert_block(page, "blocked")
    assert "TikTok is not available on office devices." in page.text
    origin = {"Origin": "https://news.example"}
    problem = client.get(url, headers=FETCH | origin, http2=http2)
    assert_block(problem, "blocked")
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.headers["access-control-allow-origin"] == "https://news.example"
    assert (problem.json()["status"], problem.json()["rule"]) == (403, "Not on our network")
    for headers in (
        IMAGE,
        IMAGE | {"Sec-Fetch-Dest": "script"},
        IMAGE | {"Sec-Fetch-Dest": "style"},
    ):
        empty = client.get(url, headers=headers, http2=http2)
        assert_block(empty, "blocked")
        assert empty.body == b""


def test_blocked_websocket(client: Client, origins: Origins) -> None:
    """The handshake of a WebSocket to a blocked platform is answered 403."""
    status, tunnel = client.tunnel(BLOCKED)
    assert status == 200
    secure = client.tls(tunnel, BLOCKED)
    key = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    secure.sendall(
        f"GET /ws HTTP/1.1\r\nHost: {BLOCKED}\r\nConnection: Upgrade\r\n{key}\r\n".encode()
    )
    head = read_until(secure, b"\r\n\r\n").decode()
    secure.close()
    assert head.startswith("HTTP/1.1 403")
    assert "x-allowance-reason: blocked" in head.lower()
    assert not origins.record.contacted(BLOCKED)


def test_refused_tunnel(client: Client, origins: Origins) -> None:
    """A platform that is not opened is refused at CONNECT when there is no time left for it."""
    source = fresh_address()
    spend_all(client, source=source)
    before = len(origins.record.tls_names)
    reply = client.get("https://chatter.example/", source=source)
    assert (reply.status, reply.connect) == (0, 403)
    assert "chatter.example" not in origins.record.tls_names[before:]


def test_sni_of_a_blocked_platform(client: Client, origins: Origins) -> None:
    """CONNECT to an innocent name with a blocked platform in the TLS handshake does not get
    there."""
    swap = ("--connect-to", f"{BLOCKED}:443:innocent.example:443")
    reply = client.get(f"https://{BLOCKED}/sni", *swap, headers=NAVIGATE)
    assert reply.status in (0, 403)
    assert not origins.record.contacted(BLOCKED)


@pytest.mark.parametrize("name", ["innocent.example", None])
def test_connect_to_a_blocked_platform(client: Client, origins: Origins, name: str | None) -> None:
    """CONNECT to a blocked platform with another name, or none, in the handshake does not get
    there."""
    status, tunnel = client.tunnel(BLOCKED)
    if status == 200:
        secure = client.tls(tunnel, name)
        request(secure, "innocent.example", "/hidden", "Sec-Fetch-Dest: document\r\n")
        assert read_all(secure).startswith(b"HTTP/1.1 403")
    tunnel.close()
    assert not [seen for seen in origins.record.requests if seen.path == "/hidden"]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://www.linkedin.com/learning/", BLOCKED),
        ("http://innocent.example/hidden-host", BLOCKED),
        (f"http://{BLOCKED}/hidden-host", "innocent.example"),
        ("http://innocent.example/hidden-host", "WWW.TIKTOK.COM."),
        ("http://innocent.example/hidden-host", f"{BLOCKED}:80"),
    ],
)
def test_host_header_of_a_blocked_platform(
    client: Client, origins: Origins, url: str, host: str
) -> None:
    """When address and Host header disagree, the request is refused, and no site hears of it."""
    before = len(origins.record.requests)
    reply = client.get(url, headers=NAVIGATE | {"Host": host}, source=fresh_address())
    assert reply.status in (400, 403, 421), reply
    assert len(origins.record.requests) == before


@pytest.mark.parametrize(
    "spelling", ["WWW.TikTok.COM", "www.tiktok.com.", "deep.below.www.tiktok.com"]
)
def test_spellings(client: Client, spelling: str) -> None:
    """Capitals, a trailing dot and names below the name are the same platform."""
    assert client.open(f"http://{spelling}/").reason == "blocked"
    assert client.get(f"https://{spelling}/", "--insecure", headers=NAVIGATE).reason == "blocked"


@pytest.mark.parametrize("http2", [False, True])
def test_upload_to_blocked(client: Client, origins: Origins, tmp_path: Path, http2: bool) -> None:
    """A large upload to a blocked platform gets its 403 at once, and nothing of it goes out."""
    body = tmp_path / "upload"
    body.write_bytes(bytes(5_000_000))
    before = len(origins.record.uploads)
    upload = ("--data-binary", f"@{body}", "-H", "Expect:")
    reply = client.get(f"https://{BLOCKED}/upload", *upload, headers=FETCH, http2=http2)
    assert_block(reply, "blocked")
    assert len(origins.record.uploads) == before
    assert not origins.record.contacted(BLOCKED)


def test_uploads_to_limited_pass(client: Client, tmp_path: Path) -> None:
    """An upload within the allowance arrives whole."""
    body = tmp_path / "upload"
    body.write_bytes(bytes(range(256)) * 8000)
    upload = ("--data-binary", f"@{body}")
    reply = client.get(
        "https://www.youtube.com/upload", *upload, headers=FETCH, source=fresh_address()
    )
    assert reply.json()["bytes"] == 2_048_000


def test_other_protocols_pass(client: Client) -> None:
    """A tunnel to an unlimited host carries any bytes, also where the server speaks first."""
    status, tunnel = client.tunnel("echo.example")
    assert status == 200
    tunnel.sendall(b"\x00\x01ping")
    assert read_until(tunnel, b"ping") == b"\x00\x01ping"
    tunnel.close()
    status, tunnel = client.tunnel("banner.example")
    assert status == 200
    assert read_until(tunnel, b"\n") == BANNER
    tunnel.close()


@pytest.mark.parametrize("target", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "127.1"])
def test_no_way_to_loopback(running_office: OfficeProxy, client: Client, target: str) -> None:
    """The proxy does not lead to its own machine or to link-local addresses, by CONNECT or by plain
    HTTP."""
    port = running_office.web_port
    for chosen in (443, port):
        status, tunnel = client.tunnel(target, chosen)
        tunnel.close()
        assert 400 <= status < 500
    assert 400 <= client.get(f"http://{target}:{port}/healthz").status < 500


def test_connect_ports(client: Client) -> None:
    """CONNECT goes to port 443 only."""
    status, tunnel = client.tunnel("work.example", 22)
    tunnel.close()
    assert 400 <= status < 500


def test_headers_that_reach_the_site(client: Client) -> None:
    """A limited site gets the browser's headers and nothing about the proxy or its person."""
    reply = client.open("https://www.youtube.com/headers", source=fresh_address())
    names = set(reply.json())
    assert "sec-fetch-dest" in names
    assert not names & {
        "via",
        "x-forwarded-for",
        "forwarded",
        "proxy-connection",
        "proxy-authorization",
    }
    assert not [name for name in names if name.startswith("x-allowance")]


def test_unknown_host(client: Client) -> None:
    """A name that does not exist is a gateway error, not a hang."""
    with client.socket() as plain:
        assert isinstance(plain, socket.socket)
        request(plain, "no-such-host.invalid", "http://no-such-host.invalid/")
        assert read_all(plain, timeout=20).split()[1][:1] in (b"4", b"5")
