"""`proxy_addon/proxy/in_flight.py`: what is looked at, what is ended, what a drain closes."""

from __future__ import annotations

import asyncio
import time

import pytest
from mitmproxy import connection, http

from tests.e2e.client import read_until
from tests.e2e.waiting import until
from tests.proxy.harness import PAGE, ProxyHarness, breaks, connect, request, serving

ME = "ip:127.0.0.1"


class RecordingTerminator:
    """In the place of the terminator: records what would be ended."""

    def __init__(self) -> None:
        self.flows: list[tuple[http.HTTPFlow, bool]] = []
        self.closed: list[connection.Client] = []

    def http(self, flow: http.HTTPFlow, *, cuttable: bool, answer: object = None) -> None:
        """One exchange."""
        self.flows.append((flow, cuttable))

    def client(self, client: connection.Client) -> None:
        """One connection."""
        self.closed.append(client)


@pytest.fixture
async def terminator(harness: ProxyHarness):
    """The add-on with a recording terminator, on the test's own loop."""
    terminator = RecordingTerminator()
    harness.addon.start(asyncio.get_running_loop(), terminator)  # type: ignore[arg-type]
    yield terminator
    harness.addon.stop()


async def let_through(harness: ProxyHarness, url: str = "http://x.com/") -> http.HTTPFlow:
    """A request that goes on."""
    flow = request(url, headers=PAGE)
    await harness.addon.requestheaders(flow)
    assert harness.addon.in_flight.flight(flow) is not None
    return flow


async def test_time_is_up(harness: ProxyHarness, terminator: RecordingTerminator) -> None:
    """At zero what runs is ended once, tunnels with their connection; the delay is measured."""
    flow, tunnel = await let_through(harness), connect("chatter.example:443")
    harness.addon.connections.of(flow.client_conn).cuttable = True
    await harness.addon.http_connect(tunnel)
    harness.addon.in_flight.end_due()
    assert (terminator.flows, terminator.closed) == ([], [])
    harness.spend(ME)
    harness.addon.in_flight.end_due()
    harness.addon.in_flight.end_due()
    assert terminator.flows == [(flow, True)]
    assert terminator.closed == [tunnel.client_conn]
    assert harness.counted("cut_total", kind="http") == 1
    assert harness.counted("cut_total", kind="tunnel") == 1


async def test_stubborn(harness: ProxyHarness, terminator: RecordingTerminator) -> None:
    """What has been cut and is not over two seconds later loses its connection; what is over does
    not."""
    flow, ended = await let_through(harness), await let_through(harness)
    harness.spend(ME)
    harness.addon.in_flight.end_due()
    harness.addon.error(ended)
    harness.clock.advance(3.0)
    harness.addon.in_flight.end_due()
    assert terminator.closed == [flow.client_conn]


@pytest.mark.parametrize(("on_failure", "ends"), [("allow", 0), ("last-known", 0), ("block", 1)])
async def test_look_that_fails(tmp_path, on_failure: str, ends: int) -> None:
    """When nothing can be decided any more, what runs goes on or ends as `on_failure` says; counted
    each time."""
    harness, terminator = ProxyHarness(tmp_path, on_failure=on_failure), RecordingTerminator()
    harness.addon.start(asyncio.get_running_loop(), terminator)  # type: ignore[arg-type]
    await let_through(harness)
    harness.break_engine("due")
    harness.addon.in_flight.end_due()
    harness.addon.in_flight.end_due()
    assert len(terminator.flows) == ends
    assert harness.counted("errors_total", where="look") == 2
    harness.addon.stop()
    harness.close()


async def test_one_failure_does_not_save_the_others(
    harness: ProxyHarness, terminator: RecordingTerminator
) -> None:
    """When counting a cut fails, this one is ended all the same, and so is the next."""
    await let_through(harness)
    await let_through(harness)
    harness.spend(ME)
    harness.enforcer.closed = breaks  # type: ignore[method-assign]
    harness.addon.in_flight.end_due()
    assert len(terminator.flows) == 2
    assert harness.counted("errors_total", where="cut") == 2


async def test_it_looks_by_itself(harness: ProxyHarness, terminator: RecordingTerminator) -> None:
    """The loop looks four times a second."""
    flow = await let_through(harness)
    harness.spend(ME)
    async with asyncio.timeout(5):
        while not terminator.flows:
            await asyncio.sleep(0.02)
    assert terminator.flows[0][0] is flow


# -- the drain, on real sockets


def test_drain(tmp_path, origins) -> None:
    """Idle connections and silent tunnels are closed soon, running answers finish, then it
    ends."""
    with serving(tmp_path, origins, drain=20.0) as proxy:
        idle = proxy.client.socket()
        idle.sendall(b"GET http://news.example/ HTTP/1.1\r\nHost: news.example\r\n\r\n")
        assert b" 200 " in read_until(idle, b"\r\n\r\n")
        _, silent = proxy.client.tunnel("echo.example")
        silent.sendall(b"hello")
        assert silent.recv(5) == b"hello"
        running = proxy.client.start(
            ["https://news.example/stream?seconds=2&rate=10000"], trust=origins.ca_file
        )
        until(lambda: running.received() > 0, "the download to run")
        proxy.stop()
        idle.settimeout(5)
        while idle.recv(65_536):  # the rest of the answer
            pass
        silent.settimeout(5)
        assert silent.recv(1) == b""
        (reply,) = running.finish()
        assert (reply.exit_code, len(reply.body)) == (0, 20_000)
        until(lambda: not proxy.running, "the end", 5)


@pytest.mark.parametrize("light_path", [True, False])
def test_a_drain_leaves_what_has_just_begun(tmp_path, origins, light_path) -> None:
    """A connection that was accepted but has asked nothing, and a tunnel whose first bytes have not
    come, are not idle yet: both get their answer."""
    with serving(tmp_path, origins, drain=20.0, light_path=light_path) as proxy:
        accepted = proxy.client.socket()
        _, tunnel = proxy.client.tunnel("echo.example")
        until(lambda: proxy.connections() == 2, "both connections")
        proxy.stop()
        time.sleep(0.4)  # several looks at what is idle
        accepted.sendall(b"CONNECT echo.example:443 HTTP/1.1\r\n\r\n")
        assert b" 200 " in read_until(accepted, b"\r\n\r\n")
        for connection in (accepted, tunnel):
            connection.sendall(b"hello")
            assert connection.recv(5) == b"hello"
        until(lambda: not proxy.running, "the end", 15)


def test_hard_end_after_the_drain_time(tmp_path, origins) -> None:
    """What still runs when the drain time is over is ended."""
    with serving(tmp_path, origins, drain=1.0) as proxy:
        running = proxy.client.start(["http://x.com/stream?seconds=60&rate=10000"])
        until(lambda: running.received() > 0, "the download to run")
        proxy.stop()
        (reply,) = running.finish(10)
        assert reply.exit_code != 0
        until(lambda: not proxy.running, "the end", 5)


def test_second_signal(tmp_path, origins) -> None:
    """Asked twice, it does not wait."""
    with serving(tmp_path, origins, drain=60.0) as proxy:
        running = proxy.client.start(["http://x.com/stream?seconds=60&rate=10000"])
        until(lambda: running.received() > 0, "the download to run")
        proxy.stop()
        proxy.stop()
        assert running.finish(10)[0].exit_code != 0
        until(lambda: not proxy.running, "the end", 5)
