"""Every response to a request that the proxy itself generates names the request, whatever part of
the proxy makes it: in its header as in the log."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.e2e.client import read_until
from tests.e2e.origins import Origins
from tests.e2e.waiting import until
from tests.proxy.harness import Serving, serving

ME = "ip:127.0.0.1"
HEADER = "x-allowance-request"
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}")
PAGE = {"Sec-Fetch-Dest": "document"}


@pytest.mark.parametrize("http2", [False, True])
@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("https://www.tiktok.com/", 403),
        ("https://dead.facebook.com/", 502),
        ("https://allowance.internal/", 200),
        ("https://allowance.internal/me.json", 200),
        ("https://allowance.internal/nothing", 404),
    ],
)
def test_in_a_tunnel(proxy: Serving, url: str, status: int, http2: bool) -> None:
    """Refusals, sites that cannot be reached, and our own pages, over HTTP/1.1 and HTTP/2."""
    reply = proxy.client.open(url, http2=http2)
    assert reply.status == status
    assert ID.fullmatch(reply.headers[HEADER])


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("http://www.tiktok.com/", 403),
        ("http://127.0.0.1/", 403),
        ("http://dead.facebook.com/", 502),
        ("http://allowance.internal/", 200),
    ],
)
def test_in_plain(proxy: Serving, url: str, status: int) -> None:
    """The same without a tunnel."""
    reply = proxy.client.open(url)
    assert reply.status == status
    assert ID.fullmatch(reply.headers[HEADER])


@pytest.mark.parametrize(
    ("authority", "status"),
    [("news.example:22", 403), ("dead.example:443", 502), ("chatter.example:443", 403)],
)
def test_connect(proxy: Serving, authority: str, status: int) -> None:
    """A tunnel that is refused, or whose site cannot be reached."""
    proxy.spend(ME)
    sock = proxy.client.socket()
    sock.sendall(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
    head = read_until(sock, b"\r\n\r\n").decode("latin-1").lower()
    assert head.startswith(f"http/1.1 {status} ")
    assert re.search(rf"\r\n{HEADER}: {ID.pattern}\r\n", head)


def test_sign_in(tmp_path: Path, origins: Origins) -> None:
    """407."""
    with serving(tmp_path, origins, passwords={"dora": "secret"}, sign_in="required") as proxy:
        reply = proxy.client.open("http://www.facebook.com/")
        assert reply.status == 407
        assert ID.fullmatch(reply.headers[HEADER])


@pytest.mark.parametrize("http2", [False, True])
def test_a_request_that_is_ended_is_named_as_in_the_log(proxy: Serving, http2: bool) -> None:
    """Time is up while its site has not answered: the page and the line `cut` have the same id."""
    opening = proxy.client.start(
        ["https://www.facebook.com/late?seconds=30"], http2=http2, headers=PAGE
    )
    flights = proxy.harness.addon.in_flight
    until(lambda: proxy.on_loop(lambda: len(flights._flights)) == 1, "the request to run")
    with capture_logs() as logs:
        proxy.spend(ME)
        (reply,) = opening.finish()
    assert (reply.status, reply.reason) == (403, "exhausted")
    (cut,) = [line for line in logs if line["event"] == "cut"]
    assert reply.headers[HEADER] == cut["request"]
