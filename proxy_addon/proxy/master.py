"""Our own mitmproxy master: only the add-ons that a forward proxy needs; signals and draining.

In front of it stands the light path (`relay/`), which accepts every connection and hands it over
when something has to be decided about it.

On SIGTERM or SIGINT, after `drain_notice`, no new connections are accepted, those that are idle for
a second are closed (for five, where a request may be on its way or with its site), and running
responses may finish for `drain` seconds; then everything is closed. A second signal ends the wait.
"""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import structlog
from mitmproxy import options
from mitmproxy.addons import core, disable_h2c, next_layer, proxyserver, tlsconfig, upstream_auth
from mitmproxy.master import Master

from proxy_addon.config.parsers import HostPort, UpstreamProxy
from proxy_addon.proxy.addon import AllowanceAddon
from proxy_addon.proxy.budgets import relayed_websocket
from proxy_addon.proxy.in_flight import IDLE_SECONDS, UNANSWERED_SECONDS
from proxy_addon.proxy.layers import debug_checks, event_handler, site_side
from proxy_addon.proxy.layers.addon_manager import CachedHooksManager
from proxy_addon.proxy.layers.termination import Terminator
from proxy_addon.proxy.layers.tunnel_choice import PAGE_HOST
from proxy_addon.proxy.page_certificate import PageCertificate
from proxy_addon.proxy.tls_buffers import TlsBuffers
from proxy_addon.proxy.tls_sessions import TlsSessions
from proxy_addon.proxy.traffic import TrafficCounts
from proxy_addon.relay.acceptor import Acceptor
from proxy_addon.relay.workers import Workers
from proxy_addon.system.descriptors import NEARLY_ALL

log = structlog.get_logger("allowance.run")

_POLL_SECONDS = 0.05  # seconds between two checks whether all connections have ended
_TELL_SECONDS = 0.5  # seconds between two looks for clients that have to be told of the drain


class ListenError(Exception):
    """The proxy port could not be opened; one line with the remedy."""


class RunnerOptions(NamedTuple):
    """The options for mitmproxy."""

    listen: HostPort
    confdir: Path
    trusted_ca: Path | None
    upstream: UpstreamProxy | None
    drain: float
    light_path: bool = True
    descriptors: int = 0  # how many this process may have; 0: no limit
    drain_notice: float = 0.0  # seconds
    workers: Workers | None = None  # those that pass connections on to each other


class Runner:
    """One proxy process. `on_running` is called when connections are accepted, `on_stopping` when
    no more are."""

    def __init__(
        self,
        wanted: RunnerOptions,
        addon: AllowanceAddon,
        on_running: Callable[[], None],
        on_stopping: Callable[[], None] = lambda: None,
    ) -> None:
        self._wanted = wanted
        self._addon = addon
        self._on_running = on_running
        self._on_stopping = on_stopping
        self._stop = asyncio.Event()
        self._end_now = asyncio.Event()
        self._acceptor: Acceptor | None = None
        self.server: proxyserver.Proxyserver | None = None
        self.tls_sessions = TlsSessions(addon.connections, addon.failures)

    async def run(self) -> None:
        """Serve until a signal comes. Raises ListenError when the port cannot be opened."""
        loop, wanted = asyncio.get_running_loop(), self._wanted
        self._addon.services.resolver.install(loop)
        debug_checks.leave_out()
        event_handler.install()
        relayed_websocket.install()
        site_side.install()
        self.server = server = proxyserver.Proxyserver()
        master = self._master(loop, server)
        self.install_signal_handlers(loop)
        self._acceptor = acceptor = self._addon.accept(
            upstream=wanted.upstream,
            relays=wanted.light_path,
            most_descriptors=int(wanted.descriptors * NEARLY_ALL),
            pages=self._pages_tls(),
            workers=wanted.workers,
        )
        uninstall = acceptor.install(loop)
        running = asyncio.ensure_future(master.run())
        try:
            await self._until_listening(server, running)
            uninstall()
            self._addon.start(loop, Terminator(server))
            self._on_running()
            await self._stop.wait()
            self._on_stopping()
            await self._give_notice()
            await self._drain(server)
        finally:
            self._addon.stop()
            master.shutdown()
            await running

    def _pages_tls(self) -> Callable[[], ssl.SSLContext] | None:
        """TLS for our own pages; None: all of them go through mitmproxy."""
        if not self._wanted.light_path:
            return None
        now = self._addon.services.clock.now
        return PageCertificate(self._wanted.confdir, PAGE_HOST, now).context

    def _master(self, loop: asyncio.AbstractEventLoop, server: proxyserver.Proxyserver) -> Master:
        master = Master(options.Options(), loop)
        master.addons = CachedHooksManager(master)
        master.addons.add(
            core.Core(),
            disable_h2c.DisableH2C(),
            upstream_auth.UpstreamAuth(),
            server,
            self._addon,
            TrafficCounts(server, self._addon.services.traffic),
            next_layer.NextLayer(),
            tlsconfig.TlsConfig(),
            TlsBuffers(),
            self.tls_sessions,
        )
        wanted = self._wanted
        master.options.update(
            confdir=str(wanted.confdir),
            listen_host=wanted.listen.host,
            listen_port=wanted.listen.port,
            connection_strategy="lazy",
            mode=[_mode(wanted.upstream)],
            ssl_verify_upstream_trusted_ca=str(wanted.trusted_ca) if wanted.trusted_ca else None,
            upstream_auth=wanted.upstream.credentials if wanted.upstream else None,
        )
        return master

    async def _until_listening(
        self, server: proxyserver.Proxyserver, running: asyncio.Future[None]
    ) -> None:
        while not server.listen_addrs():
            if running.done() or any(s.last_exception for s in server.servers):
                error = next((s.last_exception for s in server.servers if s.last_exception), None)
                raise ListenError(str(error or "the proxy could not be started"))
            await asyncio.sleep(0.005)
        while not server.is_running:
            await asyncio.sleep(0.005)

    @property
    def draining(self) -> bool:
        """True once a stop has been requested."""
        return self._stop.is_set()

    def install_signal_handlers(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have SIGTERM and SIGINT call `stop`."""
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)

    def stop(self) -> None:
        """Start draining; the second call ends it at once."""
        if self._stop.is_set():
            self._end_now.set()
        self._stop.set()

    async def _give_notice(self) -> None:
        """Health checks say that the end is near, while new connections are still accepted: a
        balancer has time to send them elsewhere."""
        if self._wanted.drain_notice > 0:
            log.info("draining soon", seconds=self._wanted.drain_notice)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._end_now.wait(), self._wanted.drain_notice)

    async def _drain(self, server: proxyserver.Proxyserver) -> None:
        """Accept no new connections; those that are open may finish for a while."""
        log.info("draining", connections=self.connections(), seconds=self._wanted.drain)
        await server.servers.update([])
        told = 0.0
        deadline = asyncio.get_running_loop().time() + self._wanted.drain
        while self.connections() and not self._end_now.is_set():
            now = asyncio.get_running_loop().time()
            if now >= deadline:
                break
            if now - told >= _TELL_SECONDS:  # again: a tunnel may have been opened meanwhile
                self._addon.drain()
                told = now
            self._addon.in_flight.close_idle(now)
            if self._acceptor is not None:
                self._acceptor.close_idle(now, IDLE_SECONDS, UNANSWERED_SECONDS)
            await asyncio.sleep(_POLL_SECONDS)
        self._addon.in_flight.drain(ends=True)
        await asyncio.sleep(_POLL_SECONDS)
        self._addon.in_flight.close_all()
        if self._acceptor is not None:
            self._acceptor.stop()
        await asyncio.sleep(_POLL_SECONDS)

    def connections(self) -> int:
        """How many client connections are open."""
        through_mitmproxy = 0 if self.server is None else len(self.server.connections)
        return through_mitmproxy + (0 if self._acceptor is None else len(self._acceptor))


def _mode(upstream: UpstreamProxy | None) -> str:
    return f"upstream:{upstream.url}" if upstream is not None else "regular"
