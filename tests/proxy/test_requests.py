"""`proxy_addon/proxy/requests.py`: which platform a request is for, who asks, and what becomes of
it."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from mitmproxy import http
from mitmproxy.proxy.server_hooks import ServerConnectHook

from tests.e2e.waiting import until
from tests.proxy.harness import (
    PAGE,
    ProxyHarness,
    Serving,
    breaks,
    connect,
    inside,
    request,
    serving,
)

ME = "ip:127.0.0.1"
PASSWORD = "correct horse battery"
DORA = "Basic " + base64.b64encode(f"dora:{PASSWORD}".encode()).decode()


async def decided(harness: ProxyHarness, flow: http.HTTPFlow) -> str:
    """What became of a request: its status and reason, or "passes" or "metered"."""
    await harness.addon.requestheaders(flow)
    if flow.response is None:
        return "metered" if harness.addon.in_flight.flight(flow) else "passes"
    reason = flow.response.headers.get("X-Allowance-Reason", "")
    return f"{flow.response.status_code} {reason}".strip()


@pytest.mark.parametrize(
    ("url", "host", "expected"),
    [
        ("http://news.example/", None, "passes"),
        ("http://notfacebook.com/", None, "passes"),
        ("http://www.facebook.com/", None, "metered"),
        ("http://WWW.Facebook.COM./", None, "metered"),
        ("http://www.tiktok.com/", None, "403 blocked"),
        ("http://news.example/", "www.tiktok.com", "403 blocked"),
        ("http://www.tiktok.com/", "news.example", "403 blocked"),
        ("http://news.example/", "www.tiktok.com:80", "403 blocked"),
        ("http://news.example/", "user@www.tiktok.com", "403 blocked"),
        ("http://www.facebook.com/", "www.tiktok.com", "421"),
        ("http://www.linkedin.com/learning/a", None, "metered"),
    ],
)
async def test_every_name_counts(
    harness: ProxyHarness, url: str, host: str | None, expected: str
) -> None:
    """If the address or Host names a limited platform the request is that platform's; two of them
    are refused."""
    assert (
        await decided(harness, request(url, headers={"Host": host} if host else None)) == expected
    )


@pytest.mark.parametrize(
    ("authority", "sni", "host", "expected"),
    [
        ("www.tiktok.com:443", None, "news.example", "403 blocked"),
        ("news.example:443", "www.tiktok.com", "news.example", "403 blocked"),
        ("www.facebook.com:443", None, "www.facebook.com", "metered"),
        ("www.facebook.com:443", None, "www.tiktok.com", "421"),
        ("www.linkedin.com:443", None, "www.linkedin.com", "metered"),
    ],
)
async def test_names_around_a_tunnel(
    harness: ProxyHarness, authority: str, sni: str | None, host: str, expected: str
) -> None:
    """CONNECT and TLS name a platform just as well as Host does."""
    outer = connect(authority)
    await harness.addon.http_connect(outer)
    conn = harness.addon.connections.of(outer.client_conn)
    conn.hosts = (*conn.hosts, *([sni] if sni else []))
    flow = inside(outer, f"https://{authority.partition(':')[0]}/", PAGE | {"Host": host})
    assert await decided(harness, flow) == expected


@pytest.mark.parametrize(
    ("authority", "hosts", "expected"),
    [
        ("", ["www.facebook.com", "www.tiktok.com"], "421"),
        ("", ["www.tiktok.com", "www.facebook.com"], "421"),
        ("", ["www.facebook.com", "www.facebook.com"], "metered"),
        ("www.tiktok.com", ["www.facebook.com"], "421"),
        ("www.tiktok.com:443", ["www.facebook.com"], "421"),
        ("www.facebook.com", ["www.tiktok.com"], "421"),
        ("www.facebook.com", ["www.facebook.com"], "metered"),
        ("www.facebook.com", [], "metered"),
    ],
)
async def test_several_names_in_one_request(
    harness: ProxyHarness, authority: str, hosts: list[str], expected: str
) -> None:
    """In an opened tunnel: more than one Host field, and an address in absolute form (or HTTP/2's
    `:authority`) beside Host. A site may go by any of them."""
    outer = connect("www.facebook.com:443")
    await harness.addon.http_connect(outer)
    flow = inside(outer, "https://www.facebook.com/", PAGE)
    flow.request.headers.set_all("Host", hosts)
    flow.request.authority = authority
    assert await decided(harness, flow) == expected


async def test_out_of_time(harness: ProxyHarness) -> None:
    """With nothing left every kind of request is refused, but for what is free; others are not
    affected."""
    harness.spend(ME)
    assert await decided(harness, request("http://x.com/", headers=PAGE)) == "403 exhausted"
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    socket = request("http://x.com/ws", headers=upgrade)
    assert await decided(harness, socket) == "403 exhausted"
    assert (
        await decided(harness, request("http://www.linkedin.com/learning/a", headers=PAGE))
        == "metered"
    )
    assert (
        await decided(harness, request("http://x.com/", headers=PAGE, address="127.0.3.1"))
        == "metered"
    )


async def test_buttons_cost_nothing_and_pass_when_time_is_up(harness: ProxyHarness) -> None:
    """A like button on a news page passes and costs nothing, also with no time left; a player, and
    data for a program, are refused then."""
    embed = {
        "Sec-Fetch-Dest": "image",
        "Sec-Fetch-Mode": "no-cors",
        "Sec-Fetch-Site": "cross-site",
        "Referer": "https://news.example/",
    }
    flow = request("http://www.facebook.com/like.png", headers=embed)
    assert await decided(harness, flow) == "metered"
    flow.response = http.Response.make(200, b"", {"content-type": "image/png"})
    flow.response.headers["content-length"] = "900"
    harness.addon.responseheaders(flow)
    assert harness.visits == []
    assert harness.counted("ignored_total", platform="facebook", activity="embed") == 1
    harness.spend(ME)
    button = request("http://www.facebook.com/like.png", headers=embed)
    assert await decided(harness, button) == "metered"
    frame = embed | {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Mode": "navigate"}
    player = request("http://www.facebook.com/plugins/video.php?href=1", headers=frame)
    assert await decided(harness, player) == "403 exhausted"
    data = request("http://www.facebook.com/api", headers=embed | {"Sec-Fetch-Dest": "empty"})
    assert await decided(harness, data) == "403 exhausted"


async def test_heads_up_once(tmp_path: Path) -> None:
    """With little left the next page load shows a page first, and only once."""
    harness = ProxyHarness(tmp_path, warn="2m")
    harness.spend(ME, 800.0)
    flow = request("http://x.com/", headers=PAGE)
    assert await decided(harness, flow) == "200"
    assert flow.response is not None
    assert b"http://x.com/" in (flow.response.content or b"")
    assert await decided(harness, request("http://x.com/", headers=PAGE)) == "metered"
    assert harness.counted("notices_total", allowance="short") == 1
    harness.close()


@pytest.fixture
def strict(tmp_path: Path) -> ProxyHarness:
    """People sign in."""
    return ProxyHarness(tmp_path, passwords={"dora": PASSWORD}, sign_in="required")


async def test_challenge_only_where_wanted(strict: ProxyHarness) -> None:
    """Limited platforms and the employee page ask for sign-in; what is not limited never does."""
    assert await decided(strict, request("http://news.example/")) == "passes"
    for url in ("http://x.com/", "http://www.tiktok.com/", "http://allowance.internal/"):
        flow = request(url)
        assert await decided(strict, flow) == "407"
        assert flow.response is not None
        assert flow.response.headers["Proxy-Authenticate"].startswith("Basic ")
    for authority, expected in (
        ("news.example:443", None),
        ("x.com:443", 407),
        ("chatter.example:443", 407),
        ("allowance.internal:443", None),  # for the open pages: see test_open_requests.py
    ):
        outer = connect(authority)
        await strict.addon.http_connect(outer)
        assert (outer.response.status_code if outer.response else None) == expected
    tried = connect("allowance.internal:443", {"Proxy-Authorization": "Basic bm9ib2R5Og=="})
    await strict.addon.http_connect(tried)
    assert tried.response is not None
    assert tried.response.status_code == 407
    strict.close()


async def test_signed_in(strict: ProxyHarness) -> None:
    """With the right password the request goes on, and the credentials stay here."""
    flow = request(
        "http://x.com/",
        headers=PAGE | {"Proxy-Authorization": DORA, "Proxy-Connection": "keep-alive"},
    )
    assert await decided(strict, flow) == "metered"
    flight = strict.addon.in_flight.flight(flow)
    assert flight is not None
    assert flight.person.name == "dora"
    assert "proxy" not in str(flow.request.headers).lower()
    assert PASSWORD not in str(flow.get_state())
    strict.close()


async def test_strangers_are_refused(tmp_path: Path) -> None:
    """`unidentified: refuse`: a reason of its own, counted for nobody in particular."""
    harness = ProxyHarness(tmp_path, unidentified="refuse")
    assert await decided(harness, request("http://x.com/", headers=PAGE)) == "403 unidentified"
    assert await decided(harness, request("http://news.example/")) == "passes"
    labels = {"platform": "x", "verdict": "block", "reason": "unidentified"}
    assert harness.counted("requests_total", role="nobody", **labels) == 1
    harness.close()


async def test_a_refused_connect_is_no_tunnel(strict: ProxyHarness) -> None:
    """After a CONNECT that was refused, a plain request on the same connection is asked for sign-in
    itself."""
    outer = connect("x.com:443")
    await strict.addon.http_connect(outer)
    plain = inside(outer, "http://x.com/", PAGE)
    assert await decided(strict, plain) == "407"
    strict.close()


# -- on real sockets


def test_site_is_not_contacted(proxy: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision is made before any connection to the site: a blocked request opens none."""
    opened: list[object] = []
    monkeypatch.setattr(
        proxy.harness.addon, "server_connect", lambda data: opened.append(data.server.address)
    )
    for url in ("http://www.tiktok.com/", "https://www.tiktok.com/"):
        assert proxy.client.open(url).status == 403
    assert opened == []
    assert proxy.client.open("https://x.com/").status == 200
    assert opened == [("x.com", 443)]
    assert ServerConnectHook.name == "server_connect"


def test_secrets_stay_here(tmp_path: Path, origins, capsys: pytest.CaptureFixture[str]) -> None:
    """Password and forwarded user reach neither the site nor the log, through tunnels and
    without."""
    with serving(tmp_path, origins, passwords={"dora": PASSWORD}, sign_in="required") as proxy:
        user = f"dora:{PASSWORD}"
        for url in ("http://x.com/headers", "https://x.com/headers", "http://news.example/headers"):
            reply = proxy.client.get(url, user=user, headers={"X-Forwarded-User": "eve"})
            assert reply.status == 200, reply
            assert not {"proxy-authorization", "x-forwarded-user", "proxy-connection"} & set(
                reply.json()
            )
        assert proxy.client.get("http://x.com/headers", user="dora:wrong").status == 407
    text = capsys.readouterr().out
    assert PASSWORD not in text
    assert "wrong" not in text


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_employee_page(proxy: Serving, scheme: str) -> None:
    """The page works by both schemes, and belongs to who the proxy says, whatever headers say."""
    headers = {"X-Forwarded-User": "dora", "X-Proxy-User": "dora", "Allowance-Person": "dora"}
    assert proxy.client.get(f"{scheme}://allowance.internal/", headers=headers).status == 200
    mine = proxy.client.get(f"{scheme}://allowance.internal/me.json?user=dora", headers=headers)
    assert mine.json()["user"] == ME
    dora = proxy.client.get(f"{scheme}://allowance.internal/me.json", source="127.0.3.1")
    assert dora.json()["user"] == "dora"


def test_numeric_hosts_through_the_table(tmp_path: Path, origins) -> None:
    """--resolve sends numeric hosts elsewhere too, over one connection again and again."""
    plain = origins.port("plain")
    with serving(tmp_path, origins, resolve=[f"192.0.2.7:80=127.0.0.1:{plain}"]) as proxy:
        urls = [f"http://192.0.2.7/api/{number}" for number in range(8)]
        answers = [
            reply.status for reply in proxy.client.start(urls, "--parallel-max", "1").finish()
        ]
        assert answers == [200] * 8
        until(lambda: proxy.connections() == 0, "the connections to be gone")


@pytest.mark.parametrize(
    ("unidentified", "url"),
    [("refuse", "http://x.com/"), ("{role: guest}", "http://www.tiktok.com/")],
)
async def test_a_refusal_whose_page_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unidentified: str, url: str
) -> None:
    """What was refused stays refused, also where failures let through."""
    harness = ProxyHarness(tmp_path, unidentified=unidentified, on_failure="allow")
    monkeypatch.setattr("proxy_addon.proxy.requests.responses.block", breaks)
    assert await decided(harness, request(url, headers=PAGE)) == "503 unavailable"
    harness.close()
