"""The event loop: uvloop where it works, else asyncio's own.

uvloop is the same interface with less CPU for each event. Before it is used, a small loop does once
what the proxy relies on: among that, that what we put in the place of a loop's methods
(`network/resolver.py`, `relay/acceptor.py`, `system/reuseport.py`) is what is called. A version
that cannot do it is not used.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal

import structlog

try:
    import uvloop
except ImportError:  # it does not exist for every system
    uvloop = None  # type: ignore[assignment]

log = structlog.get_logger("allowance.run")

Uvloop = Literal["auto", "on", "off"]
type LoopFactory = Callable[[], asyncio.AbstractEventLoop]

CHECK_SECONDS = 5.0


def loop_factory(wanted: Uvloop) -> LoopFactory:
    """What makes the event loop of a proxy process. Says in one line of the log when uvloop is not
    used although it is wanted."""
    if wanted == "off":
        return asyncio.new_event_loop
    try:
        made = _uvloop()
        _check(made)
    except Exception as error:
        because = str(error) or type(error).__name__
        if wanted == "on":
            log.warning("uvloop is not used", because=because)
        else:
            log.info("uvloop is not used", because=because)
        return asyncio.new_event_loop
    return made


def _uvloop() -> LoopFactory:
    """uvloop's loop. Raises RuntimeError where it is not installed."""
    if uvloop is None:
        raise RuntimeError("it is not installed")
    return uvloop.Loop


def _check(factory: LoopFactory) -> None:
    """Raises what goes wrong when a loop does once what the proxy relies on."""
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(asyncio.wait_for(_all_checks(), CHECK_SECONDS))


async def _all_checks() -> None:
    loop: Any = asyncio.get_running_loop()
    await _sockets(loop)
    await _replaced_methods(loop)
    loop.set_task_factory(asyncio.eager_task_factory)  # as mitmproxy does
    task = loop.create_task(_nothing(), name="check")
    _require(task.done(), "tasks do not begin at once")
    await task
    if threading.current_thread() is threading.main_thread():
        loop.add_signal_handler(signal.SIGURG, int)
        _require(loop.remove_signal_handler(signal.SIGURG), "signals cannot be handled")


async def _nothing() -> None:
    """Done at once."""


async def _sockets(loop: Any) -> None:
    """A server on a shared port, a client, bytes both ways, and a half-close."""
    server = await asyncio.start_server(_echo, "127.0.0.1", 0, reuse_port=True)
    port = server.sockets[0].getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=sock.dup())
        descriptor = writer.get_extra_info("socket").fileno()
        _require(descriptor >= 0, "a transport does not show its socket")
        writer.write(b"echo")
        writer.write_eof()
        _require(await reader.read() == b"echo", "a half-closed connection loses bytes")
        writer.close()
        await writer.wait_closed()
    server.close()


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.read())
    writer.close()


async def _replaced_methods(loop: Any) -> None:
    """What stands in the place of `create_connection` and `create_server` is what is called."""
    asked: list[str] = []

    def instead(name: str) -> Callable[..., Any]:
        async def refuse(*_: Any, **__: Any) -> Any:
            asked.append(name)
            raise ConnectionRefusedError(name)

        return refuse

    names = ("create_connection", "create_server")
    for name in names:
        setattr(loop, name, instead(name))
    with suppress(ConnectionRefusedError):
        await asyncio.open_connection("localhost", 9)
    with suppress(ConnectionRefusedError):
        (await asyncio.start_server(_echo, "127.0.0.1", 0)).close()
    for name in names:
        delattr(loop, name)
    _require(asked == [*names], "methods of the loop cannot be replaced")


def _require(holds: object, problem: str) -> None:
    if not holds:
        raise RuntimeError(problem)
