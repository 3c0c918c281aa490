"""All connections of the light path: accepting, counting, draining, and what happens to them from
outside."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from proxy_addon.network.connect_errors import kind_of
from proxy_addon.network.resolver import CONNECT_SECONDS
from proxy_addon.relay.handoff import Handoff
from proxy_addon.relay.interface import ConnectSite, ProtocolFactory, RelayCounts, RelayPolicy
from proxy_addon.relay.listen_queue import ListenQueue
from proxy_addon.relay.open_connections import OpenConnections
from proxy_addon.relay.page_connections import PageConnections
from proxy_addon.relay.placement import Placement
from proxy_addon.relay.tunnel import ClientSide

SWEEP_SECONDS = 5.0  # seconds between two looks at what is open
IDLE_SECONDS = 600.0  # a tunnel in which nothing passes for this long is closed
HEAD_SECONDS = 30.0  # a head has to be complete after this long, and a greeting that has begun
SILENT_SECONDS = 75.0  # a connection or a tunnel in which nobody has said anything is closed
SPREAD_SECONDS = 4.5  # seconds over which tunnels are closed after a change of rules
CLOSED_A_SECOND = 200.0  # as long as there are few enough, so many of them in a second
LOOKED_AT_ONCE = 1000  # connections in one turn of the loop
STALLED_SECONDS = 10.0  # a closed connection whose rest nobody reads is given up after this long


class Acceptor:
    """The connections of one event loop."""

    def __init__(
        self,
        policy: RelayPolicy,
        connect: ConnectSite,
        counts: RelayCounts,
        most_descriptors: int = 0,
        placement: Placement | None = None,
    ) -> None:
        """A connection whose descriptor is `most_descriptors` or higher is refused; 0: none is.
        `placement`: there are other workers, and each person is served by one."""
        self.policy = policy
        self.connect = connect
        self._counts = counts
        self._most_descriptors = most_descriptors
        self._placement = placement
        self._attaching: set[asyncio.Task[None]] = set()
        self._clients: set[ClientSide] = set()
        self._pages = PageConnections(policy, counts)
        self._open = OpenConnections()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._clients) + len(self._pages)

    # -- listening

    def install(self, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
        """From now on servers of this loop accept here first. Returns what ends that for servers
        that are made later."""
        plain = loop.create_server

        async def create_server(factory: ProtocolFactory, *address: Any, **options: Any) -> Any:
            queue = ListenQueue(lambda sock: self._attach(factory, sock))

            def accepted() -> ClientSide:
                queue.accepted()
                return ClientSide(self, factory)

            server = queue.server = await plain(accepted, *address, **options)
            if self._placement is not None:
                self._placement.workers.start(lambda *sent: self._attach(factory, *sent))
            return server

        loop.create_server = create_server  # type: ignore[method-assign, assignment]
        self._sweep(loop)

        def uninstall() -> None:
            loop.create_server = plain  # type: ignore[method-assign]

        return uninstall

    def stop(self) -> None:
        """End everything, and look no more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._placement is not None:
            self._placement.workers.stop()
        self.close_all()

    def _attach(
        self, engine: ProtocolFactory, sock: socket.socket, handoff: Handoff | None = None
    ) -> None:
        """A connection was accepted here, or another worker has passed it on."""
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._connect(engine, sock, handoff))
        self._attaching.add(task)
        task.add_done_callback(self._attaching.discard)

    async def _connect(
        self, engine: ProtocolFactory, sock: socket.socket, handoff: Handoff | None
    ) -> None:
        client = ClientSide(self, engine)
        if handoff is not None:
            client.receive(handoff)
        try:
            loop = asyncio.get_running_loop()
            await loop.connect_accepted_socket(lambda: client, sock)
        except OSError:  # its client has gone
            sock.close()
        except Exception:
            self.policy.failed("light_path")
            sock.close()

    def keeps(self, client: ClientSide) -> bool:
        """See `TunnelOwner`."""
        return self._placement is None or self._placement.keeps(client)

    # -- what connections report

    def opened(self, client: ClientSide) -> None:
        """A client has connected."""
        if not client.address:  # it has gone before it was accepted
            client.transport.abort()
            return
        sock = client.transport.get_extra_info("socket")
        if 0 < self._most_descriptors <= sock.fileno():
            if not client.handoff.answered:
                client.transport.write(self.policy.crowded())
            client.transport.close()
            return
        self._clients.add(client)
        if client.hops:
            client.go_on()
        elif self.policy.is_balancer(client.address):
            client.expect_balancer_header()
        else:
            self.identified(client)

    def identified(self, client: ClientSide) -> bool:
        """It is known whose connection this is, as far as its address tells; whether it may be
        relayed."""
        if not self._is_allowed(client):
            client.to_engine()  # which refuses clients that are not served
            return False
        if not client.hops and self._has_too_many(client):
            return False
        if not self.policy.relays:
            client.hand_over()
        return self.policy.relays

    def _has_too_many(self, client: ClientSide) -> bool:
        """Whether its address has too many connections open; then this one is refused."""
        try:
            most = self.policy.most_connections(client.address)
            if most is None or self._open.admits(client.address, client.transport, most):
                return False
            client.transport.write(self.policy.too_many(client.address))
        except Exception:
            self.policy.failed("light_path")
            return False
        client.close()
        return True

    def _is_allowed(self, client: ClientSide) -> bool:
        try:
            return self.policy.client_allowed(client.address)
        except Exception:
            self.policy.failed("light_path")
            return False

    def handed_over(self, client: ClientSide) -> None:
        """The engine has the connection now, and counts it."""
        self._clients.discard(client)

    def page(self, client: ClientSide, data: bytes) -> bool | None:
        """Whether our own pages answer this connection from now on; see `PageConnections.takes`."""
        self._clients.discard(client)
        taken = self._pages.takes(client, data)
        if not taken:
            self._clients.add(client)
        return taken

    def given_back(self, client: ClientSide) -> None:
        """What comes next on a connection of our own pages is not for them."""
        self._clients.add(client)

    def relayed(self, client: ClientSide) -> bool:
        """A tunnel is about to pass bytes on; False: the engine has to decide after all."""
        assert client.terms is not None
        try:
            relayed = client.terms.begun(client)
        except Exception:
            self.policy.failed("light_path")
            relayed = False
        if relayed:
            self._counts.accepted()
            self._counts.tunnel("passed")
        return relayed

    def unreachable(self, client: ClientSide, error: OSError) -> None:
        """The site of a tunnel cannot be connected to."""
        self._counts.accepted()
        self._counts.upstream_failed(kind_of(str(error)))
        if not client.transport.is_closing():
            client.transport.write(self.policy.unreachable(error))
            client.transport.close()

    def closed(self, client: ClientSide) -> None:
        """A connection is over."""
        if client in self._clients:
            self._clients.discard(client)
            self.count(client)
            self._end(client)

    def _end(self, client: ClientSide) -> None:
        try:
            if client.terms is not None:
                client.terms.ended()
        except Exception:
            self.policy.failed("light_path")

    # -- from outside

    def follow_rules(self) -> None:
        """The rules have changed: a tunnel to a host about which something has to be decided now is
        closed. Its client connects again; very many are closed within some seconds, not at once."""
        self._pages.follow_rules()
        loop = asyncio.get_running_loop()
        closing = [client for client in self._clients if self._no_longer_fits(client)]
        spread = min(SPREAD_SECONDS, len(closing) / CLOSED_A_SECOND)
        for number, client in enumerate(closing):
            if spread < SWEEP_SECONDS / 100:
                client.close()
            else:
                loop.call_later(spread * number / len(closing), client.close)

    def _no_longer_fits(self, client: ClientSide) -> bool:
        terms = client.terms
        if terms is None or terms.watched:
            return False
        try:
            return any(map(terms.needs_engine, client.hosts))
        except Exception:
            self.policy.failed("light_path")
            return True

    def close_idle(self, now: float, idle: float, unanswered: float) -> None:
        """While draining: close what has been idle for so many seconds, or for `unanswered` where
        a client has just come or waits for its site. `now`: seconds on the loop's clock."""
        for client in list(self._clients):
            if self.count(client) or client.is_connecting:
                continue
            patience = unanswered if client.is_expected_to_go_on else idle
            if now - client.active >= patience and not client.has_unread():
                client.close()
        self._pages.close_idle(now, idle, unanswered)

    def close_all(self) -> None:
        """Draining is over: end what still runs."""
        for client in list(self._clients):
            client.close()
        self._pages.close_all()

    # -- the periodic look

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(SWEEP_SECONDS, self._sweep, loop)
        now = loop.time()
        self._look_at(list(self._clients), now)
        self._pages.close_overdue(now)
        self._open.sweep()

    def _look_at(self, clients: list[ClientSide], now: float) -> None:
        """Some of them in one turn of the loop: others wait while this runs."""
        least = min(STALLED_SECONDS, HEAD_SECONDS, CONNECT_SECONDS, IDLE_SECONDS, SILENT_SECONDS)
        for client in clients[:LOOKED_AT_ONCE]:
            site = client.site
            if client.sent or (site is not None and site.received):
                self.count(client)
            elif now - client.active >= least:
                self._close_overdue(client, now)
        if len(clients) > LOOKED_AT_ONCE:
            loop = asyncio.get_running_loop()
            loop.call_soon(self._look_at, clients[LOOKED_AT_ONCE:], now)

    def count(self, client: ClientSide) -> bool:
        """Count what has passed in a tunnel since the last time; whether anything has."""
        sent, client.sent = client.sent, 0
        received = 0
        if client.site is not None:
            received, client.site.received = client.site.received, 0
        if not sent and not received:
            return False
        client.active = asyncio.get_running_loop().time()
        self._counts.volume(sent, received)
        try:
            if client.terms is not None:
                client.terms.passed(sent + received)
        except Exception:
            self.policy.failed("light_path")
        return True

    def _close_overdue(self, client: ClientSide, now: float) -> None:
        """Close what has waited for too long."""
        idle = now - client.active
        if client.transport.is_closing():
            if idle >= STALLED_SECONDS:
                client.abort()
        elif client.awaits_site:
            if idle >= CONNECT_SECONDS:
                client.give_up()
        elif idle >= _patience(client):
            client.close()


def _patience(client: ClientSide) -> float:
    """Seconds for which a connection may be as it is."""
    if client.is_reading:
        return HEAD_SECONDS
    silent = client.waits_for_greeting or (client.site is None and not client.is_connecting)
    return min(SILENT_SECONDS, IDLE_SECONDS) if silent else IDLE_SECONDS
