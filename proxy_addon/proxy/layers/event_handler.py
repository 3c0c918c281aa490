"""mitmproxy's handler of one client's connections, without a task and a turn of the loop for each
hook.

mitmproxy starts a task for every hook, and the end of a hook waits for a lock until the event in
which it began has been handled: a turn of the event loop later. Hooks of ours are done at once,
nearly always, so here they are called at once, and events wait in a queue where mitmproxy has them
wait for the lock. In the same order the same things happen; only a hook that really waits (a
password is checked, a page is made) gets a task.

What a client or a site has sent is read no faster than its share allows (`budgets/shares.py`), and
than it can be passed on (`budgets/back_pressure.py`).

An exception in a layer is a bug, of mitmproxy or of ours. What the layers knew is lost with it, so
all connections of this client are closed, and `on_crash` is told: nobody waits for an answer that
nobody would send, and nothing goes on unseen.

Once a tunnel has been opened, its events go to the layers inside directly (`opened_tunnel.py`).

Internals of mitmproxy are used; `tests/proxy/layers/test_event_handler.py` pins them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from time import thread_time
from types import SimpleNamespace
from typing import Any

import structlog
from mitmproxy import flow
from mitmproxy.connection import Connection, ConnectionState
from mitmproxy.proxy import commands, events, layer, mode_servers, server
from mitmproxy.proxy.layers.http._http2 import Http2Server
from mitmproxy.utils import asyncio_utils

from proxy_addon.proxy.budgets.back_pressure import HELD_BYTES, RoomWanted, back_pressure_of, unsent
from proxy_addon.proxy.budgets.loop_turns import turns_of_loop
from proxy_addon.proxy.budgets.shares import MEMORY, share_of
from proxy_addon.proxy.layers.addon_manager import CachedHooksManager
from proxy_addon.proxy.layers.client_side import Http1ClientSide
from proxy_addon.proxy.layers.opened_tunnel import OpenedTunnel

log = structlog.get_logger("allowance.proxy")

STALLED_SECONDS = 5.0  # in which a client over HTTP/1.1 reads nothing
STALLED_BYTES = 512 << 10  # that such a connection takes: buffers of TLS, sockets and an answer

# Not the first event of a client: what ends its connections may come at any time, but after it.
_WAITS_FOR_TURN = frozenset({events.DataReceived, events.Wakeup, events.OpenConnectionCompleted})


class EventHandler(mode_servers.ProxyConnectionHandler):
    """Drop-in for `ProxyConnectionHandler`."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)  # type: ignore[no-untyped-call]
        self._waiting: deque[events.Event] = deque()
        self._busy = False
        self._shortens = True
        self._turns = turns_of_loop()
        self._share = share_of(self.client)
        self._pressure = back_pressure_of(self.client)
        self._pressure.serves(self)
        self._early = 0  # bytes of the client that came while a connection to a site was opened
        # Called while the exception is handled. Its answer goes to a client that waits for one.
        self.on_crash: Callable[[], bytes] | None = None

    async def server_event(self, event: events.Event) -> None:
        """Handle an event; if one is being handled, this one follows."""
        if not self._turns.is_free and type(event) in _WAITS_FOR_TURN:
            await self._turns.turn(self._share)
        if self._server_event_lock.locked():
            async with self._server_event_lock:
                self._take(event)
        else:
            self._take(event)
        if type(event) is events.DataReceived:
            if event.connection is self.client:
                self._early += len(event.data)
            await self._share.of(event.connection).rested()

    def _take(self, event: events.Event) -> None:
        self._waiting.append(event)
        if self._busy:
            return
        self._busy, spent = True, 0.0
        try:
            while self._waiting:
                spent += self._handle(self._waiting.popleft())
        finally:
            self._busy = False
            self._turns.spent(self._share, spent)

    def _handle(self, event: events.Event) -> float:
        """Gives the seconds of the processor that it took."""
        self.timeout_watchdog.register_activity()
        started = thread_time()
        if self._shortens and type(event) is events.DataReceived:
            self._shorten()
        try:
            for command in self.layer.handle_event(event):
                if type(command) is commands.SendData:
                    if command.connection in self.transports:
                        self._write(command.connection, command.data)
                elif isinstance(command, commands.StartHook):
                    self._start_hook(command)
                else:
                    self._perform(command)
        except Exception:
            self._crashed()
        seconds = thread_time() - started
        self._share.handled(event, seconds)
        self._pressure.changed()
        return seconds

    def _crashed(self) -> None:
        """End everything, with our page where nothing else has been said yet."""
        broken, self.layer = self.layer, BrokenLayer()  # type: ignore[assignment]
        self._shortens = False
        page = b""
        if self.on_crash is None:
            self.log("mitmproxy has crashed!", logging.ERROR, exc_info=True)
        else:
            page = self.on_crash()
        for connection, open_one in list(self.transports.items()):
            if connection is self.client and awaits_answer(broken):
                self._write(connection, page)
            if open_one.handler is not None:
                self.close_connection(connection)
            elif isinstance(open_one.writer, asyncio.StreamWriter):
                open_one.writer.close()

    def _shorten(self) -> None:
        """See `opened_tunnel.py`."""
        try:
            tunnel = OpenedTunnel.of(self.layer)
        except Exception:
            self._shortens = False
            _log_once()
            return
        if tunnel is not None:
            self._shortens = False
            self.layer = tunnel  # type: ignore[assignment]  # nothing but events is given to it

    def _write(self, connection: Connection, data: bytes) -> None:
        writer = self.transports[connection].writer
        assert writer is not None
        if not writer.is_closing():
            writer.write(data)

    def _perform(self, command: commands.Command) -> None:
        """What a command asks for, as mitmproxy's handler does it."""
        if isinstance(command, commands.OpenConnection):
            assert command.connection not in self.transports
            task = self._task(
                self.open_connection(command), f"server connection {command.connection.address}"
            )
            self.transports[command.connection] = server.ConnectionIO(handler=task)
        elif isinstance(command, commands.RequestWakeup):
            self.wakeup_timer.add(self._task(self.wakeup(command), "wakeup timer"))
        elif isinstance(command, commands.Log):
            self.log(command.message, command.level)
        elif not isinstance(command, commands.ConnectionCommand):
            raise RuntimeError(f"Unexpected command: {command}")
        elif command.connection not in self.transports:
            pass  # it has already been closed
        elif isinstance(command, commands.CloseConnection):
            half = isinstance(command, commands.CloseTcpConnection) and command.half_close
            self.close_connection(command.connection, half)
        elif isinstance(command, commands.SendData):
            self._write(command.connection, command.data)
        else:
            raise RuntimeError(f"Unexpected command: {command}")

    def _task(self, work: Any, name: str, *, keep_ref: bool = False) -> Any:
        return asyncio_utils.create_task(
            work, name=name, keep_ref=keep_ref, client=self.client.peername
        )

    # -- hooks

    def _start_hook(self, hook: commands.StartHook) -> None:
        addons = self.master.addons
        (message,) = hook.args()
        if not isinstance(addons, CachedHooksManager):
            self._task(self.hook_task(hook), f"handle_hook({hook.name})", keep_ref=True)
            return
        rest = addons.start_lifecycle(hook, message)
        if rest is not None or (isinstance(message, flow.Flow) and message.intercepted):
            task = self._finish_hook(hook, message, rest)
            self._task(task, f"handle_hook({hook.name})", keep_ref=True)
        elif hook.blocking:
            self._waiting.append(events.HookCompleted(hook))

    async def _finish_hook(
        self, hook: commands.StartHook, message: Any, rest: Awaitable[None] | None
    ) -> None:
        with self.timeout_watchdog.disarm():
            if rest is not None:
                await rest
            if isinstance(message, flow.Flow):
                await message.wait_for_resume()
        if hook.blocking:
            await self.server_event(events.HookCompleted(hook))

    # -- back pressure: see `budgets/back_pressure.py`

    async def drain_writers(self) -> None:
        """Called when something was read from a connection, in its task: wait until more may be."""
        task = asyncio.current_task()
        connection = next(
            (c for c, io in self.transports.items() if io.handler is task), self.client
        )
        for other, opened in list(self.transports.items()):
            if self._waits_for(other, connection):
                await self._drained(other, opened)
        while self._pressure.is_full(connection) or self._is_early(connection):
            await self._pressure.change()

    def _waits_for(self, other: Connection, connection: Connection) -> bool:
        """Whether a connection is not read while another one is not drained."""
        if connection is not self.client or other is self.client:
            return other is self.client
        return not self._is_multiplexed()

    def _is_early(self, connection: Connection) -> bool:
        """Whether the client has sent enough to a site that is not connected yet."""
        if connection is not self.client:
            return False
        opening = any(  # those that could not be opened stay among them
            opened.writer is None and site.error is None and getattr(site, "address", None)
            for site, opened in self.transports.items()
        )
        if not opening or self._is_multiplexed():
            self._early = 0
        return self._early > HELD_BYTES

    def _is_multiplexed(self) -> bool:
        return isinstance(self._pressure.side(self.client), Http2Server)

    async def _drained(self, connection: Connection, opened: server.ConnectionIO) -> None:
        writer = opened.writer
        if not isinstance(writer, asyncio.StreamWriter):
            return
        if writer.transport.is_closing() or writer.transport.get_write_buffer_size():
            timer = self._stall_timer(connection)
            try:
                await writer.drain()
            except OSError as error:
                # A site that is still read ends after its last byte: see `reset_connections.py`.
                is_read = connection is not self.client and (
                    connection.state & ConnectionState.CAN_READ
                )
                if opened.handler is not None and not is_read:
                    opened.handler.cancel(f"Error sending data: {error}")
            finally:
                if timer is not None:
                    timer.cancel()
                    self._share.of(connection).keep(0)

    def _stall_timer(self, connection: Connection) -> asyncio.TimerHandle | None:
        """Over HTTP/2 what waits is counted as it comes (`budgeted_http2.py`)."""
        if connection is not self.client or self._is_multiplexed():
            return None
        return asyncio.get_running_loop().call_later(STALLED_SECONDS, self._stalled)

    def _stalled(self) -> None:
        """The client has not read for a while: what this takes is counted among all that its person
        has us keep, and is too much with many connections."""
        if self._share.of(self.client).keep(STALLED_BYTES):
            return
        self._share.exceeded(self.client, MEMORY)
        writer = self.transports[self.client].writer
        if isinstance(writer, asyncio.StreamWriter):
            writer.transport.abort()

    async def wakeup(self, request: commands.RequestWakeup) -> None:
        """As mitmproxy's, or when there is room."""
        if not isinstance(request, RoomWanted):
            await super().wakeup(request)
            return
        while request.is_full():
            await self._change()
        task = asyncio.current_task()
        assert task is not None
        self.wakeup_timer.discard(task)
        await self.server_event(events.Wakeup(request))

    async def _change(self) -> None:
        """Wait until an event was handled, or a site has taken what waited for it."""
        stalled = [
            self._task(self._drained(connection, each), "drain")
            for connection, each in self.transports.items()
            if connection is not self.client and unsent(each) > HELD_BYTES
        ]
        first = [self._task(self._pressure.change(), "back pressure"), *stalled]
        try:
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in first:
                each.cancel()


class BrokenLayer:
    """In the place of layers in which an exception occurred: what their connections still say is
    not heard."""

    context = SimpleNamespace(layers=())  # for those who look for layers that know an event

    def handle_event(self, _: events.Event) -> layer.CommandGenerator[None]:
        """See `EventHandler`."""
        yield from ()


def awaits_answer(top: Any) -> bool:
    """Whether a client that speaks HTTP/1 in clear text has asked for something, and nothing has
    been sent to it yet."""
    stack = getattr(getattr(top, "context", None), "layers", ())
    for each in stack[1:2]:
        side = getattr(each, "connections", {}).get(each.context.client)
        if type(side) is Http1ClientSide and side.state != side.passthrough:
            return side.request is not None and side.response is None
    return False


def install() -> None:
    """From now on clients that connect get this handler."""
    mode_servers.ProxyConnectionHandler = EventHandler  # type: ignore[misc]


_logged: list[str] = []


def _log_once() -> None:
    if not _logged:
        _logged.append("tunnel")
        log.warning(
            "a tunnel goes through all layers", hint="it works, but costs more", exc_info=True
        )
