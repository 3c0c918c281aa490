"""What is under way: told apart by flow or connection, looked at four times a second, ended when time is up."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

import structlog
from mitmproxy import connection, http

from proxy_addon.core.types import Decision
from proxy_addon.metering.enforcer import Ticket
from proxy_addon.proxy.decision_recorder import Scribe
from proxy_addon.proxy.failures import Failures
from proxy_addon.proxy.layers.connections import Connections
from proxy_addon.proxy.layers.flow_output import request_id
from proxy_addon.proxy.layers.termination import Scissors
from proxy_addon.proxy.services import Desk

log = structlog.get_logger("allowance.proxy")

TICK = 0.25  # seconds between two looks at what is running
SETTLE = 60.0  # seconds between two rounds of housekeeping
STUBBORN = 2.0  # seconds after which what was cut and goes on loses its whole connection
SILENT = 1.0  # seconds without a byte after which a relayed tunnel counts as idle while draining


class Running:
    """Tickets by what they are for, and the end of both."""

    def __init__(self, desk: Desk, connections: Connections, failures: Failures, scribe: Scribe) -> None:
        self._desk = desk
        self._scribe = scribe
        self._connections = connections
        self._failures = failures
        self._tickets: WeakKeyDictionary[http.HTTPFlow, Ticket] = WeakKeyDictionary()
        self._tunnels: WeakKeyDictionary[connection.Client, Ticket] = WeakKeyDictionary()
        self._stubborn: dict[http.HTTPFlow, float] = {}
        self._scissors: Scissors | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._settled = desk.clock.now()

    # -- what is under way

    def begin(self, flow: http.HTTPFlow, ticket: Ticket) -> None:
        """A request of a limited platform goes on."""
        ticket.handle, ticket.request = flow, request_id(flow)
        self._tickets[flow] = ticket

    def ticket(self, flow: http.HTTPFlow) -> Ticket | None:
        """The ticket of a request that goes on."""
        return self._tickets.get(flow)

    def end(self, flow: http.HTTPFlow) -> None:
        """It is over. Twice is fine."""
        self._stubborn.pop(flow, None)
        ticket = self._tickets.pop(flow, None)
        if ticket is not None:
            self._desk.enforcer.closed(ticket)

    def begin_tunnel(self, client: connection.Client, ticket: Ticket, request: str) -> None:
        """A tunnel is metered from now on. `request`: as logs name it."""
        ticket.handle, ticket.request = client, request
        self._tunnels[client] = ticket

    def tunnel(self, client: connection.Client) -> Ticket | None:
        """The ticket of a metered tunnel."""
        return self._tunnels.get(client)

    def end_tunnel(self, client: connection.Client) -> None:
        """The tunnel is closed. Twice is fine."""
        ticket = self._tunnels.pop(client, None)
        if ticket is not None:
            self._desk.enforcer.closed(ticket)

    # -- time

    def start(self, loop: asyncio.AbstractEventLoop, scissors: Scissors) -> None:
        """Begin to look."""
        self._scissors = scissors
        self._timer = loop.call_later(TICK, self._tick, loop)

    def stop(self) -> None:
        """Stop looking."""
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(TICK, self._tick, loop)
        self.look()

    def look(self) -> None:
        """End what has to end now."""
        try:
            now = self._desk.clock.now()
            for due in self._desk.enforcer.due(now):
                self._end(due.ticket, due.decision, due.delay, now)
            self._insist(now)
            if now - self._settled > SETTLE:
                self._settled = now
                self._desk.enforcer.settle(now)
        except Exception:
            self._failures.note("look")
            self._apply_failure()

    def _end(self, ticket: Ticket, decision: Decision, delay: float, now: float) -> None:
        try:
            self._desk.enforcer.closed(ticket)
            self._desk.metrics.cut(ticket.kind, delay)
            log.info(
                "cut", request=ticket.request, kind=ticket.kind, platform=ticket.target.platform,
                role=ticket.person.roles[0], reason=decision.reason.value, rule=decision.rule,
            )  # fmt: skip
            self._scribe.tell(ticket.request, ticket.person, decision, now)
        except Exception:
            self._failures.note("cut")
        self._sever(ticket.handle, now)

    def _sever(self, handle: object, now: float) -> None:
        if isinstance(handle, http.HTTPFlow):
            self._stubborn[handle] = now
            if self._scissors is not None:
                conn = self._connections.known(handle.client_conn)
                self._scissors.http(handle, cuttable=conn is not None and conn.cuttable)
        elif isinstance(handle, connection.Client):
            self.close(handle)

    def _insist(self, now: float) -> None:
        """What was cut and has not ended (a site that is still being connected to) ends with its client."""
        for flow, since in list(self._stubborn.items()):
            if now - since >= STUBBORN:
                del self._stubborn[flow]
                self.close(flow.client_conn)

    def _apply_failure(self) -> None:
        """Nothing could be decided: what runs goes on or ends as `on_failure` says."""
        running = [*self._tickets.values(), *self._tunnels.values()]
        for ticket in running:
            decision = self._failures.verdict(ticket.person, ticket.target)
            if decision.blocks:
                self._forget(ticket)
                self._end(ticket, decision, 0.0, self._desk.clock.now())

    def _forget(self, ticket: Ticket) -> None:
        if isinstance(ticket.handle, http.HTTPFlow):
            self._tickets.pop(ticket.handle, None)
        elif isinstance(ticket.handle, connection.Client):
            self._tunnels.pop(ticket.handle, None)

    # -- the drain

    def close(self, client: connection.Client) -> None:
        """End a client connection with all that is in it."""
        if self._scissors is not None:
            self._scissors.client(client)

    def close_idle(self, at: float) -> None:
        """While draining: close connections in which nothing is under way. `at`: seconds on the loop's clock."""
        if self._scissors is None:
            return
        for client in list(self._scissors.clients()):
            conn = self._connections.of(client)
            relayed = conn.passed or conn.ticket is not None
            if conn.open == 0 and (not relayed or self._silent(client, at)):
                self._scissors.client(client)

    def _silent(self, client: connection.Client, at: float) -> bool:
        """Of a relayed tunnel we know only when something passed last."""
        conn = self._connections.of(client)
        active = self._scissors.last_active(client) if self._scissors is not None else 0.0
        if conn.activity[0] != active:
            conn.activity = (active, at)
        return at - conn.activity[1] >= SILENT

    def close_all(self) -> None:
        """The drain is over: end what still runs."""
        if self._scissors is not None:
            for client in list(self._scissors.clients()):
                self._scissors.client(client)
