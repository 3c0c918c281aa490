"""Requests and tunnels in flight: kept by flow or connection, checked four times a second, ended
when time is up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary

import structlog
from mitmproxy import connection, http

from proxy_addon.core.types import Decision
from proxy_addon.metering.flight import Due, Flight
from proxy_addon.proxy.decision_recorder import DecisionRecorder
from proxy_addon.proxy.failures import Failures, unavailable
from proxy_addon.proxy.free_tunnel import FreeTunnel
from proxy_addon.proxy.layers import flow_output as writing
from proxy_addon.proxy.layers.connections import Connections
from proxy_addon.proxy.layers.flow_output import request_id
from proxy_addon.proxy.layers.termination import Terminator
from proxy_addon.proxy.responses import responses
from proxy_addon.proxy.services import Services

type BlockAnswer = Callable[[Decision], responses.Answer]

log = structlog.get_logger("allowance.proxy")

TICK = 0.25  # seconds between two checks of what is running
HOUSEKEEPING_SECONDS = 60.0  # seconds between two runs of housekeeping
FORCE_CLOSE_SECONDS = (
    2.0  # seconds after which a flow that was cut but goes on loses its whole connection
)
IDLE_SECONDS = 1.0  # seconds without traffic after which a connection is idle while draining
UNANSWERED_SECONDS = 5.0  # the same where a client has just come, or its site may have to answer


class InFlight:
    """Flights by flow or client, and how they are ended."""

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
        self._block_answers: WeakKeyDictionary[http.HTTPFlow, BlockAnswer] = WeakKeyDictionary()
        self._tunnels: WeakKeyDictionary[connection.Client, Flight] = WeakKeyDictionary()
        self._cut_flows: dict[http.HTTPFlow, float] = {}
        self._terminator: Terminator | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._last_housekeeping = services.clock.now()

    # -- flights

    def begin(self, flow: http.HTTPFlow, flight: Flight, block_answer: BlockAnswer) -> None:
        """A request of a limited platform goes on. `block_answer`: its answer if it has to end
        before the site's has begun."""
        flight.handle, flight.request = flow, request_id(flow)
        self._flights[flow] = flight
        self._block_answers[flow] = block_answer

    def flight(self, flow: http.HTTPFlow) -> Flight | None:
        """The flight of a request that goes on."""
        return self._flights.get(flow)

    def end(self, flow: http.HTTPFlow) -> None:
        """It has ended. May be called twice."""
        self._cut_flows.pop(flow, None)
        self._block_answers.pop(flow, None)
        flight = self._flights.pop(flow, None)
        if flight is not None:
            self._services.enforcer.ended(flight, self._services.clock.now())

    def begin_tunnel(self, client: connection.Client, flight: Flight, request: str) -> None:
        """A tunnel is metered from now on. `request`: as logs name it."""
        flight.handle, flight.request = client, request
        self._tunnels[client] = flight

    def tunnel(self, client: connection.Client) -> Flight | None:
        """The flight of a metered tunnel."""
        return self._tunnels.get(client)

    def end_tunnel(self, client: connection.Client) -> None:
        """The tunnel is closed. May be called twice."""
        flight = self._tunnels.pop(client, None)
        if flight is not None:
            self._services.enforcer.closed(flight)

    # -- time

    def start(self, loop: asyncio.AbstractEventLoop, terminator: Terminator) -> None:
        """Start the periodic check."""
        self._terminator = terminator
        self._timer = loop.call_later(TICK, self._tick, loop)

    def stop(self) -> None:
        """Stop the periodic check: what was not certain by now will not be charged."""
        if self._timer is not None:
            self._timer.cancel()
        self._services.enforcer.provisional.withdraw_all()

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(TICK, self._tick, loop)
        self.end_due()

    def end_due(self) -> None:
        """End what has to end now."""
        try:
            now = self._services.clock.now()
            self._services.identifier.look()
            for flight in self._services.enforcer.free.ending:
                if flight.report is not None:
                    flight.report()  # a pause has to be noticed when it begins
            self._services.enforcer.look(now)
            self._end_all(now)
            self._force_close(now)
            if now - self._last_housekeeping > HOUSEKEEPING_SECONDS:
                self._last_housekeeping = now
                self._services.enforcer.settle(now)
        except Exception:
            self._failures.note("look")
            self._apply_failure()

    def end_refused(self) -> None:
        """Something was let through that turned out to be refused: it ends at once."""
        try:
            self._end_all(self._services.clock.now())
        except Exception:
            self._failures.note("cut")

    def _end_all(self, now: float) -> None:
        for due in self._services.enforcer.due(now):
            self._end(due, now)

    def _end(self, due: Due, now: float) -> None:
        flight, decision = due.flight, due.decision
        try:
            self._services.enforcer.closed(flight)
            if not due.reopens:
                self._services.metrics.cut(flight.kind, due.delay)
            _log_end(due)
            if not due.reopens:
                self._recorder.record(flight.request, flight.person, decision, now)
        except Exception:
            self._failures.note("cut")
        self._terminate(flight.handle, decision, now)

    def _terminate(self, handle: object, decision: Decision, now: float) -> None:
        if isinstance(handle, http.HTTPFlow):
            self._cut_flows[handle] = now
            if self._terminator is not None:
                conn = self._connections.known(handle.client_conn)
                cuttable = conn is not None and conn.cuttable
                answer = self._block_answer(handle, decision) if cuttable else None
                self._terminator.http(handle, cuttable=cuttable, answer=answer)
        elif isinstance(handle, connection.Client):
            self.close(handle)
        elif isinstance(handle, FreeTunnel):
            handle.close()

    def _block_answer(self, flow: http.HTTPFlow, decision: Decision) -> responses.Answer | None:
        """The block page, where the site's answer has not begun."""
        block_answer = self._block_answers.pop(flow, None)
        if block_answer is None or flow.response is not None:
            return None
        try:
            return block_answer(decision)
        except Exception:
            self._failures.note("cut")
            return None

    def _force_close(self, now: float) -> None:
        """A flow that was cut but goes on (its site is still being connected to) ends with its
        client connection."""
        for flow, since in list(self._cut_flows.items()):
            if now - since >= FORCE_CLOSE_SECONDS:
                del self._cut_flows[flow]
                self.close(flow.client_conn)

    def _apply_failure(self) -> None:
        """The check failed: what runs goes on or ends as `on_failure` says."""
        running = [*self._flights.values(), *self._tunnels.values()]
        for flight in running:
            decision = self._failures.verdict(flight.person, flight.target)
            if decision.blocks:
                self._forget(flight)
                self._end(Due(flight, decision, 0.0), self._services.clock.now())

    def _forget(self, flight: Flight) -> None:
        if isinstance(flight.handle, http.HTTPFlow):
            self._flights.pop(flight.handle, None)
        elif isinstance(flight.handle, connection.Client):
            self._tunnels.pop(flight.handle, None)

    # -- connections

    def prepare(self, client: connection.Client, over: Callable[[http.HTTPFlow], None]) -> None:
        """A client has connected. `over` ends one of its requests when its layers have failed."""
        if self._terminator is not None:
            self._terminator.prepare(
                client,
                lambda: self._crashed(client, over),
                lambda: self._failures.note("connect"),
            )

    def _crashed(self, client: connection.Client, over: Callable[[http.HTTPFlow], None]) -> bytes:
        """Its connections are closed: nothing of it goes on, whatever `on_failure` says. The
        answer is for a client that waits for one."""
        self._failures.note("layer", by_kind=True)
        for flow in [flow for flow in self._flights if flow.client_conn is client]:
            over(flow)
        return writing.on_the_wire(unavailable())

    # -- draining

    def drain(self, *, ends: bool) -> None:
        """See `Terminator.drain`."""
        if self._terminator is not None:
            self._terminator.drain(ends=ends)

    def close(self, client: connection.Client) -> None:
        """End a client connection with all that is in it."""
        if self._terminator is not None:
            self._terminator.client(client)

    def leave(self, client: connection.Client) -> None:
        """See `Terminator.leave`."""
        if self._terminator is not None:
            self._terminator.leave(client)

    def close_idle(self, at: float) -> None:
        """While draining: close connections in which nothing is running. `at`: seconds on the
        loop's clock."""
        if self._terminator is None:
            return
        for client in list(self._terminator.clients()):
            if (
                self._connections.of(client).open == 0
                and self._is_idle(client, at)
                and not self._terminator.unread(client)
            ):
                self._terminator.client(client)

    def _is_idle(self, client: connection.Client, at: float) -> bool:
        """Whether nothing has passed for a while.

        Asked of every connection: one that has just been accepted, or between CONNECT and its
        first bytes, has no request yet and is not idle.
        """
        conn = self._connections.of(client)
        has_asked = conn.requests > 0 and not conn.passed
        active = self._terminator.last_active(client) if self._terminator is not None else 0.0
        if conn.activity[0] != active:
            conn.activity = (active, at)
        patience = IDLE_SECONDS if has_asked else UNANSWERED_SECONDS
        return at - conn.activity[1] >= patience

    def close_all(self) -> None:
        """Draining is over: end what still runs."""
        if self._terminator is not None:
            for client in list(self._terminator.clients()):
                self._terminator.client(client)


def _log_end(due: Due) -> None:
    flight, decision = due.flight, due.decision
    platform, role = flight.target.platform, flight.person.roles[0]
    if due.reopens:
        log.info(
            "ended to be opened",
            request=flight.request,
            kind=flight.kind,
            platform=platform,
            role=role,
            reason=decision.reason.value,
            rule=decision.rule,
        )
        return
    log.info(
        "cut",
        request=flight.request,
        kind=flight.kind,
        platform=platform,
        role=role,
        reason=decision.reason.value,
        rule=decision.rule,
    )
