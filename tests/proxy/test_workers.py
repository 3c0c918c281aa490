"""The engine of one worker among several: what is not for it, and connections that may carry
requests of different people."""

from __future__ import annotations

import base64
import itertools
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from proxy_addon.proxy.addon import AllowanceAddon
from proxy_addon.proxy.light_path import LightPathPolicy
from proxy_addon.relay.workers import WorkerPlace
from tests.e2e.client import read_all
from tests.e2e.origins import Origins
from tests.proxy.harness import ProxyHarness, Serving, connect, request, serving
from tests.proxy.test_requests import decided

OURS, FOREIGN = (
    next(
        n for n in map("person{}".format, itertools.count()) if WorkerPlace(0, 2).serves(n) is here
    )
    for here in (True, False)
)
FRONT = "127.0.9.1"
PEOPLE = {"front_proxies": [FRONT], "front_proxy_header": "X-Forwarded-User"}


def among(harness: ProxyHarness, place: WorkerPlace) -> ProxyHarness:
    """The same office as a worker."""
    harness.services = harness.services._replace(place=place)
    harness.addon = AllowanceAddon(harness.services)
    return harness


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[ProxyHarness]:
    """The first of two workers, behind a front proxy."""
    made = among(ProxyHarness(tmp_path, **PEOPLE), WorkerPlace(0, 2))
    yield made
    made.close()


def of(person: str) -> dict[str, str]:
    """What a front proxy adds."""
    return {"X-Forwarded-User": person}


async def test_plain_requests_for_another_worker(worker: ProxyHarness) -> None:
    """Limited sites and our own pages are refused, and the connection is closed: two clocks would
    see one person. Other sites pass."""
    for url in ("http://www.facebook.com/", "http://allowance.internal/"):
        flow = request(url, headers=of(FOREIGN), address=FRONT)
        assert await decided(worker, flow) == "503 unavailable"
        assert flow.response is not None
        assert flow.response.headers["Connection"] == "close"
    news = request("http://news.example/", headers=of(FOREIGN), address=FRONT)
    assert await decided(worker, news) == "passes"
    assert "X-Forwarded-User" not in news.request.headers
    own = request("http://www.facebook.com/", headers=of(OURS), address=FRONT)
    assert await decided(worker, own) == "metered"


@pytest.mark.parametrize(
    ("authority", "person", "status"),
    [
        ("www.facebook.com:443", FOREIGN, 503),
        ("allowance.internal:443", FOREIGN, 503),
        ("www.facebook.com:443", OURS, None),
        ("allowance.internal:443", OURS, None),
        ("news.example:443", FOREIGN, None),
    ],
)
async def test_tunnels_for_another_worker(
    worker: ProxyHarness, authority: str, person: str, status: int | None
) -> None:
    """The same for CONNECT."""
    flow = connect(authority, of(person), address=FRONT)
    await worker.addon.http_connect(flow)
    assert (flow.response.status_code if flow.response else None) == status
    if flow.response is not None:
        assert flow.response.headers["Connection"] == "close"
        assert flow.response.headers["X-Allowance-Reason"] == "unavailable"


@pytest.mark.parametrize(("workers", "closes"), [(1, False), (2, True)])
async def test_who_signs_in_connects_anew(tmp_path: Path, workers: int, closes: bool) -> None:
    """Whoever signs in may be served by another worker: 407 closes the connection. A single process
    keeps it."""
    harness = ProxyHarness(tmp_path, passwords={"dora": "secret word"})
    among(harness, WorkerPlace(0, workers))
    try:
        tries = {"Proxy-Authorization": "Basic ZG9yYTp3cm9uZw=="}
        for flow in (
            connect("www.facebook.com:443"),
            connect("allowance.internal:443", tries),
        ):
            await harness.addon.http_connect(flow)
            assert flow.response is not None
            assert flow.response.status_code == 407
            assert ("Connection" in flow.response.headers) is closes
        plain = request("http://www.facebook.com/")
        assert await decided(harness, plain) == "407"
        harness.addon.responseheaders(plain)
        assert plain.response is not None
        assert ("Connection" in plain.response.headers) is closes
    finally:
        harness.close()


def two_requests(proxy: Serving, url: str) -> bytes:
    """What comes back for requests of two people, one behind the other, on one connection."""
    sock = proxy.client.socket(FRONT)
    host = url.split("/")[2]
    for person, last in ((OURS, ""), (f"{OURS}-2", "Connection: close\r\n")):
        user = base64.b64encode(f"{person}:unused".encode()).decode()
        fields = f"Host: {host}\r\nProxy-Authorization: Basic {user}\r\n{last}"
        sock.sendall(f"GET {url} HTTP/1.1\r\n{fields}\r\n".encode())
    return read_all(sock)


SITES = ("http://news.example/", "http://www.facebook.com/", "http://allowance.internal/me.json")


@pytest.mark.parametrize(("workers", "answers"), [(1, 2), (2, 1)])
@pytest.mark.parametrize("url", SITES)
def test_one_request_on_a_connection_of_a_front_proxy(
    tmp_path: Path, origins: Origins, workers: int, answers: int, url: str
) -> None:
    """The second request may be of somebody whose worker is another one: behind a front proxy a
    worker says that it closes after each plain request, and does. A single process keeps the
    connection, and decides for each person."""
    proxy = serving(tmp_path, origins, resolve=origins.resolve(), **PEOPLE)
    among(proxy.harness, WorkerPlace(0, workers))
    with proxy:
        received = two_requests(proxy, url)
    assert received.count(b"HTTP/1.1 ") == answers
    assert received.lower().count(b"\r\nconnection: close\r\n") >= (1 if workers > 1 else 0)


def test_a_connection_of_a_person_is_kept(tmp_path: Path, origins: Origins) -> None:
    """It carries requests of one person only, so a worker keeps it like a single process."""
    proxy = serving(tmp_path, origins, **PEOPLE)
    among(proxy.harness, WorkerPlace(0, 2))
    with proxy:
        sock: socket.socket = proxy.client.socket("127.0.9.2")
        for last in ("", "Connection: close\r\n"):
            fields = f"Host: news.example\r\n{last}"
            sock.sendall(f"GET http://news.example/ HTTP/1.1\r\n{fields}\r\n".encode())
        assert read_all(sock).count(b"HTTP/1.1 200") == 2


def basic(user: str) -> dict[bytes, bytes]:
    """The header fields of somebody who signs in."""
    return {b"proxy-authorization": b"Basic " + base64.b64encode(user.encode())}


async def test_whose_a_connection_is(tmp_path: Path) -> None:
    """By the front proxy's word, the device, or a password: from memory once it has been checked.
    Who gives a wrong one is nobody."""
    harness = ProxyHarness(tmp_path, passwords={"emil": "secret word"}, **PEOPLE)
    policy = LightPathPolicy(harness.services, harness.addon.failures, harness.addon._recorder)
    try:
        assert policy.owner_now(FRONT, {b"x-forwarded-user": b"kim"}) == "kim"
        assert policy.owner_now(FRONT, basic("sam:unused")) == "sam"
        assert policy.owner_now("127.0.3.1", {b"x-forwarded-user": b"kim"}) == "dora"
        right, wrong = basic("emil:secret word"), basic("emil:wrong")
        assert policy.owner_now("10.0.0.9", right) is None
        assert await policy.owner("10.0.0.9", right) == "emil"
        assert policy.owner_now("10.0.0.9", right) == "emil"
        assert await policy.owner("10.0.0.9", wrong) == "ip:10.0.0.9"
    finally:
        harness.close()


def test_a_worker_that_does_not_take_is_logged_once_a_minute(harness: ProxyHarness) -> None:
    """The answer is in our words."""
    policy = LightPathPolicy(harness.services, harness.addon.failures, harness.addon._recorder)
    with capture_logs() as logs:
        pages = [policy.away() for _ in range(3)]
    assert all(page.startswith(b"HTTP/1.1 503 ") for page in pages)
    assert all(b"\r\nConnection: close\r\n" in page for page in pages)
    assert [line["event"] for line in logs] == [
        "connections refused: the worker of their person does not take them"
    ]
