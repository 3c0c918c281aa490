"""`proxy_addon/proxy/layers/event_handler.py` does the same things in the same order as mitmproxy's
own handler, and pins the internals that it uses."""

from __future__ import annotations

import asyncio
import random
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from mitmproxy import exceptions, options
from mitmproxy.master import Master
from mitmproxy.proxy import commands, context, events, layer, mode_servers, mode_specs
from mitmproxy.proxy.layers.http import HttpRequestHook, HttpResponseHook
from mitmproxy.test import tflow

from proxy_addon.proxy.layers.addon_manager import DONE, CachedHooksManager
from proxy_addon.proxy.layers.event_handler import EventHandler
from tests.e2e.waiting import until
from tests.proxy.harness import Serving

MITMPROXYS = mode_servers.ProxyConnectionHandler
SCRIPTS = 40
SECONDS = 5.0


class Hooks:
    """An add-on that writes down its calls; `waits` makes a hook wait, `fails` and `halts` what
    they say."""

    def __init__(self, said: list[str]) -> None:
        self._said = said

    def request(self, flow: Any) -> Any:
        """As the comment of the flow says."""
        self._said.append(f"request {flow.comment}")
        if "fails" in flow.comment:
            raise ValueError(flow.comment)
        if "halts" in flow.comment:
            raise exceptions.AddonHalt
        if "waits" in flow.comment:
            return self._wait(flow)
        return DONE if "done" in flow.comment else None

    async def _wait(self, flow: Any) -> None:
        await asyncio.sleep(0.001)
        self._said.append(f"waited {flow.comment}")


class Late:
    """An add-on after it."""

    def __init__(self, said: list[str]) -> None:
        self._said = said

    def request(self, flow: Any) -> None:
        """Say so."""
        self._said.append(f"late request {flow.comment}")

    def response(self, flow: Any) -> None:
        """Say so."""
        self._said.append(f"late response {flow.comment}")


class Inner(layer.Layer):
    """Does what the letters say that it is given: s sends, h d w f o are hooks that return at
    once, with DONE, wait, fail or halt, r is a hook of another kind, x is a bug."""

    COMMENTS = {"h": "", "d": "done", "w": "waits", "f": "fails", "o": "halts"}

    def __init__(self, ctx: context.Context, said: list[str]) -> None:
        super().__init__(ctx)
        self._said = said

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if not isinstance(event, events.DataReceived):
            self._said.append(type(event).__name__)
            return
        for number, letter in enumerate(event.data.decode()):
            where = f"{letter}{number}"
            if letter == "s":
                yield commands.SendData(self.context.client, f"[{where}]".encode())
            elif letter == "x":
                raise RuntimeError("a bug in a layer")
            else:
                flow = tflow.tflow()
                flow.comment = f"{where} {self.COMMENTS.get(letter, '')}"
                yield HttpResponseHook(flow) if letter == "r" else HttpRequestHook(flow)
            self._said.append(f"after {where}")
        yield commands.Log("handled")


@contextmanager
def eager(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Tasks begin at once, as mitmproxy has it."""
    loop.set_task_factory(asyncio.eager_task_factory)
    yield
    loop.set_task_factory(None)


async def connected(
    kind: type[MITMPROXYS], said: list[str]
) -> tuple[Any, socket.socket, asyncio.StreamWriter]:
    """A handler with a real connection, the client's end of it, and the handler's."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    writer.transport._extra.update(  # type: ignore[attr-defined]
        peername=("127.0.0.1", 50000), sockname=("127.0.0.1", 8080)
    )
    master = Master(options.Options(), asyncio.get_running_loop())
    master.options.add_option("tcp_timeout", int, 600, "")
    master.addons = CachedHooksManager(master)
    master.addons.add(Hooks(said), Late(said))
    mode = mode_specs.ProxyMode.parse("regular")
    handler: Any = kind(master, reader, writer, master.options, mode)
    handler.layer = Inner(handler.layer.context, said)
    return handler, theirs, writer


async def played(kind: type[MITMPROXYS], script: list[str]) -> tuple[list[str], bytes]:
    """What is said and sent when a client sends these pieces, all at once."""
    said: list[str] = []
    with eager(asyncio.get_running_loop()):
        handler, client, writer = await connected(kind, said)
        pieces = [events.DataReceived(handler.client, piece.encode()) for piece in script]
        await asyncio.wait_for(
            asyncio.gather(*(handler.server_event(piece) for piece in pieces)), SECONDS
        )
        for _ in range(1000):
            if not handler.layer._paused and not handler.layer._paused_event_queue:
                break
            await asyncio.sleep(0.002)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    client.setblocking(True)
    sent = b""
    while piece := client.recv(65_536):
        sent += piece
    client.close()
    return said, sent


@pytest.mark.parametrize("seed", range(SCRIPTS))
async def test_the_same_in_the_same_order(seed: int) -> None:
    """Scripts of writes and hooks of all kinds, in pieces that arrive at the same time: our handler
    sends the same bytes and calls the same hooks in the same order as mitmproxy's."""
    chance = random.Random(seed)
    pieces = [
        "".join(chance.choices("shdwfor", k=chance.randint(0, 6)))
        for _ in range(chance.randint(1, 4))
    ]
    assert await played(EventHandler, pieces) == await played(MITMPROXYS, pieces)


async def test_a_bug_in_a_layer_ends_all_connections() -> None:
    """What came before is sent, what comes after is not handled, and whoever wants to know is
    told, with the exception at hand."""
    said: list[str] = []
    told: list[BaseException | None] = []
    with eager(asyncio.get_running_loop()):
        handler, client, writer = await connected(EventHandler, said)
        handler.on_crash = lambda: told.append(sys.exception()) or b"not asked for"
        for piece in (b"ss", b"sx", b"sh"):
            await handler.server_event(events.DataReceived(handler.client, piece))
        await asyncio.wait_for(writer.wait_closed(), SECONDS)
    client.setblocking(True)
    assert client.recv(100) == b"[s0][s1][s0]"
    assert client.recv(100) == b""
    assert [str(error) for error in told] == ["a bug in a layer"]
    assert "request h1 " not in said
    client.close()


async def test_hooks_that_are_done_need_no_task() -> None:
    """What returns at once is called while the event is handled, not later."""
    said: list[str] = []
    with eager(asyncio.get_running_loop()):
        handler, client, writer = await connected(EventHandler, said)
        before = asyncio.all_tasks()
        await handler.server_event(events.DataReceived(handler.client, b"hdr"))
        assert said[-1] == "after r2"
        assert asyncio.all_tasks() == before
        writer.close()
        client.close()


async def test_a_lock_that_is_held_is_waited_for() -> None:
    """Whoever takes mitmproxy's lock keeps events out, as with mitmproxy's handler."""
    said: list[str] = []
    with eager(asyncio.get_running_loop()):
        handler, client, writer = await connected(EventHandler, said)
        async with handler._server_event_lock:
            waiting = asyncio.ensure_future(
                handler.server_event(events.DataReceived(handler.client, b"h"))
            )
            await asyncio.sleep(0.01)
            assert said == []
        await asyncio.wait_for(waiting, SECONDS)
        assert said[-1] == "after h0"
        writer.close()
        client.close()


async def test_back_pressure() -> None:
    """A client that reads nothing is waited for once its buffers are full, and no longer when it
    has read."""
    with eager(asyncio.get_running_loop()):
        handler, client, writer = await connected(EventHandler, [])
        await asyncio.wait_for(handler.drain_writers(), SECONDS)
        writer.write(bytes(8_000_000))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(handler.drain_writers(), 0.1)
        client.setblocking(False)
        loop, left = asyncio.get_running_loop(), 8_000_000
        waiting = asyncio.ensure_future(handler.drain_writers())
        while left:
            left -= len(await loop.sock_recv(client, 1_000_000))
        await asyncio.wait_for(waiting, SECONDS)
        writer.close()
        client.close()


def test_it_is_the_one_that_serves(proxy: Serving) -> None:
    """A proxy that is started gives every client this handler."""
    with proxy.client.socket() as client:
        client.sendall(b"GET http://www.facebook.com/ HTTP/1.1\r\n")
        until(lambda: len(handlers(proxy)) == 1, "the client to be connected")
        assert [type(each) for each in handlers(proxy)] == [EventHandler]


def handlers(proxy: Serving) -> list[Any]:
    """Of all clients that the engine has."""
    runner = proxy._runner
    assert runner is not None
    return proxy.on_loop(lambda: list(runner.server.connections.values()))
