"""What is under way: told apart by flow or connection, looked at four times a second, ended when time is up."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

import structlog
from mitmproxy import connection, http

from proxy_addon.core.types import Decision
from proxy_addon.metering.flight import Flight
from proxy_addon.proxy.decision_recorder import DecisionRecorder
from proxy_addon.proxy.failures import Failures
from proxy_addon.proxy.layers.connections import Connections
from proxy_addon.proxy.layers.flow_output import request_id
from proxy_addon.proxy.layers.termination import Terminator
from proxy_addon.proxy.services import Services

log = structlog.get_logger("allowance.proxy")

TICK = 0.25  # seconds between two looks at what is running
SETTLE = 60.0  # seconds between two rounds of housekeeping
STUBBORN = 2.0  # seconds after which what was cut and goes on loses its whole connection
SILENT = 1.0  # seconds without a byte after which a relayed tunnel counts as idle while draining


class InFlight:
    """Flights by what they are for, and the end of both."""

    def __init__(
        self,
        services: Services,
        connections: Connections,
        failures: Failures,
        recorder: DecisionRecorder,
    ) -> None:
        self._services = services
        self._recorder = recorder
        self._connections = connections
        self._failures = failures
        self._flights: WeakKeyDictionary[http.HTTPFlow, Flight] = WeakKeyDictionary()
        self._tunnels: WeakKeyDictionary[connection.Client, Flight] = WeakKeyDictionary()
        self._stubborn: dict[http.HTTPFlow, float] = {}
        self._terminator: Terminator | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._settled = services.clock.now()

    # -- what is under way

    def begin(self, flow: http.HTTPFlow, flight: Flight) -> None:
        """A request of a limited platform goes on."""
        flight.handle, flight.request = flow, request_id(flow)
        self._flights[flow] = flight

    def flight(self, flow: http.HTTPFlow) -> Flight | None:
        """The flight of a request that goes on."""
        return self._flights.get(flow)

    def end(self, flow: http.HTTPFlow) -> None:
        """It is over. Twice is fine."""
        self._stubborn.pop(flow, None)
        flight = self._flights.pop(flow, None)
        if flight is not None:
            self._services.enforcer.closed(flight)

    def begin_tunnel(self, client: connection.Client, flight: Flight, request: str) -> None:
        """A tunnel is metered from now on. `request`: as logs name it."""
        flight.handle, flight.request = client, request
        self._tunnels[client] = flight

    def tunnel(self, client: connection.Client) -> Flight | None:
        """The flight of a metered tunnel."""
        return self._tunnels.get(client)

    def end_tunnel(self, client: connection.Client) -> None:
        """The tunnel is closed. Twice is fine."""
        flight = self._tunnels.pop(client, None)
        if flight is not None:
            self._services.enforcer.closed(flight)

    # -- time

    def start(self, loop: asyncio.AbstractEventLoop, terminator: Terminator) -> None:
        """Begin to look."""
        self._terminator = terminator
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
            now = self._services.clock.now()
            for due in self._services.enforcer.due(now):
                self._end(due.flight, due.decision, due.delay, now)
            self._insist(now)
            if now - self._settled > SETTLE:
                self._settled = now
                self._services.enforcer.settle(now)
        except Exception:
            self._failures.note("look")
            self._apply_failure()

    def _end(self, flight: Flight, decision: Decision, delay: float, now: float) -> None:
        try:
            self._services.enforcer.closed(flight)
            self._services.metrics.cut(flight.kind, delay)
            log.info(
                "cut",
                request=flight.request,
                kind=flight.kind,
                platform=flight.target.platform,
                role=flight.person.roles[0],
                reason=decision.reason.value,
                rule=decision.rule,
            )
            self._recorder.tell(flight.request, flight.person, decision, now)
        except Exception:
            self._failures.note("cut")
        self._sever(flight.handle, now)

    def _sever(self, handle: object, now: float) -> None:
        if isinstance(handle, http.HTTPFlow):
            self._stubborn[handle] = now
            if self._terminator is not None:
                conn = self._connections.known(handle.client_conn)
                self._terminator.http(handle, cuttable=conn is not None and conn.cuttable)
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
        running = [*self._flights.values(), *self._tunnels.values()]
        for flight in running:
            decision = self._failures.verdict(flight.person, flight.target)
            if decision.blocks:
                self._forget(flight)
                self._end(flight, decision, 0.0, self._services.clock.now())

    def _forget(self, flight: Flight) -> None:
        if isinstance(flight.handle, http.HTTPFlow):
            self._flights.pop(flight.handle, None)
        elif isinstance(flight.handle, connection.Client):
            self._tunnels.pop(flight.handle, None)

    # -- the drain

    def close(self, client: connection.Client) -> None:
        """End a client connection with all that is in it."""
        if self._terminator is not None:
            self._terminator.client(client)

    def close_idle(self, at: float) -> None:
        """While draining: close connections in which nothing is under way. `at`: seconds on the loop's clock."""
        if self._terminator is None:
            return
        for client in list(self._terminator.clients()):
            conn = self._connections.of(client)
            relayed = conn.passed or conn.flight is not None
            if conn.open == 0 and (not relayed or self._silent(client, at)):
                self._terminator.client(client)

    def _silent(self, client: connection.Client, at: float) -> bool:
        """Of a relayed tunnel we know only when something passed last."""
        conn = self._connections.of(client)
        active = self._terminator.last_active(client) if self._terminator is not None else 0.0
        if conn.activity[0] != active:
            conn.activity = (active, at)
        return at - conn.activity[1] >= SILENT

    def close_all(self) -> None:
        """The drain is over: end what still runs."""
        if self._terminator is not None:
            for client in list(self._terminator.clients()):
                self._terminator.client(client)
