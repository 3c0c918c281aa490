"""`proxy_addon/proxy/master.py`: the add-ons that a forward proxy needs, its port, its end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket

import pytest
from mitmproxy import ctx

from proxy_addon.config.parsers import HostPort, UpstreamProxy
from proxy_addon.proxy.master import ListenError, Runner, RunnerOptions
from tests.e2e.waiting import free_port
from tests.proxy.harness import ProxyHarness


def runner(
    harness: ProxyHarness, port: int, drain: float = 0.0, **more
) -> tuple[Runner, asyncio.Event]:
    """A runner and the event that is set when it accepts connections."""
    running = asyncio.Event()
    wanted = RunnerOptions(
        HostPort("127.0.0.1", port), harness.settings.confdir, None, more.get("upstream"), drain
    )
    return Runner(
        wanted, harness.addon, running.set, more.get("on_stopping", lambda: None)
    ), running


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_until_a_signal(harness: ProxyHarness, number: int) -> None:
    """It accepts connections when it says so, drains at a signal, and leaves nothing listening."""
    port = free_port()
    told: list[bool] = []
    made, running = runner(harness, port, on_stopping=lambda: told.append(made.draining))
    task = asyncio.ensure_future(made.run())
    await asyncio.wait_for(running.wait(), 10)
    assert not told
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    assert not made.draining
    os.kill(os.getpid(), number)
    await asyncio.wait_for(task, 10)
    assert told == [True]
    writer.close()
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_taken_port(harness: ProxyHarness) -> None:
    """A port that somebody else has is an error, not a proxy that nobody reaches."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        made, running = runner(harness, holder.getsockname()[1])
        with pytest.raises(ListenError, match="in use"):
            await asyncio.wait_for(made.run(), 10)
    assert not running.is_set()


async def test_add_ons_and_options(harness: ProxyHarness) -> None:
    """No page of mitmproxy's, no scripts, no recording; late connections; the office's upstream
    proxy."""
    upstream = UpstreamProxy("http", "proxy.example", 3128, "user:secret")
    made, running = runner(harness, free_port(), upstream=upstream)
    task = asyncio.ensure_future(made.run())
    await asyncio.wait_for(running.wait(), 10)
    names = set(ctx.master.addons.lookup)
    assert not {"onboarding", "save", "script", "dumper", "proxyauth", "block"} & names
    assert {"allowance", "proxyserver", "tlsconfig", "nextlayer", "upstreamauth"} <= names
    assert ctx.options.connection_strategy == "lazy"
    assert ctx.options.mode == ["upstream:http://proxy.example:3128"]
    assert ctx.options.upstream_auth == "user:secret"
    made.stop()
    await asyncio.wait_for(task, 10)


async def test_notice_before_the_drain(harness: ProxyHarness) -> None:
    """It says that it drains while its port still accepts; a second signal ends the wait."""
    port = free_port()
    running = asyncio.Event()
    wanted = RunnerOptions(
        HostPort("127.0.0.1", port), harness.settings.confdir, None, None, 0.0, drain_notice=60.0
    )
    made = Runner(wanted, harness.addon, running.set)
    task = asyncio.ensure_future(made.run())
    await asyncio.wait_for(running.wait(), 10)
    made.stop()
    await asyncio.sleep(0.1)
    assert made.draining
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    assert not task.done()
    made.stop()
    await asyncio.wait_for(task, 10)
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", port)
