"""CONNECT, and what is inside: relayed as bytes, opened, metered or refused."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mitmproxy import connection, http, tcp
from mitmproxy.proxy import layer, layers

from proxy_addon.core.hosts import normalise
from proxy_addon.core.types import Decision, Reason, Target, Verdict
from proxy_addon.identity.identification import Identity
from proxy_addon.proxy import page_context as pages
from proxy_addon.proxy.budgets.shares import Budgets
from proxy_addon.proxy.credentials import Credentials
from proxy_addon.proxy.decision_recorder import DecisionRecorder
from proxy_addon.proxy.failures import Failures
from proxy_addon.proxy.free_tunnel import must_open
from proxy_addon.proxy.in_flight import InFlight
from proxy_addon.proxy.layers import flow_output as writing
from proxy_addon.proxy.layers.client_side import NOT_HERE, error_page
from proxy_addon.proxy.layers.connections import ClientState, Connections, TunnelOptions
from proxy_addon.proxy.layers.flow_output import request_id
from proxy_addon.proxy.layers.tunnel_choice import PAGE_HOST, LayerChooser, NeedsMoreData, relayed
from proxy_addon.proxy.responses import responses
from proxy_addon.proxy.services import Services

_UNIDENTIFIED = Decision(Verdict.BLOCK, Reason.UNIDENTIFIED)


class Tunnels:
    """One for the add-on."""

    def __init__(
        self,
        services: Services,
        connections: Connections,
        credentials: Credentials,
        in_flight: InFlight,
        failures: Failures,
        recorder: DecisionRecorder,
        budgets: Budgets,
    ) -> None:
        self._recorder = recorder
        self._budgets = budgets
        self._services = services
        self._connections = connections
        self._credentials = credentials
        self._in_flight = in_flight
        self._failures = failures
        self._chooser = LayerChooser(
            services.enforcer.limited, self._inspected, self._meter, self._begin_free
        )

    # -- CONNECT

    async def connect(self, flow: http.HTTPFlow) -> None:
        """A client requests a tunnel."""
        conn = self._connections.of(flow.client_conn)
        conn.hosts = (normalise(flow.request.host),)
        if conn.options is not None:
            conn.options.connection_strategy = (
                "lazy"  # an earlier CONNECT that failed may have changed it
            )
        try:
            await self._connect(flow, conn)
        except Exception:
            self._failures.note("http_connect", flow)
            self._apply_failure(flow)
        if flow.response is not None:
            conn.hosts = ()  # what follows on this connection is not a tunnel

    async def _connect(self, flow: http.HTTPFlow, conn: ClientState) -> None:
        request, host = flow.request, conn.hosts[0]
        tried = "Proxy-Authorization" in request.headers
        conn.who = who = await self._credentials.who(flow)
        conn.asker.name = who.name
        platform = self._services.enforcer.limited(host)
        wait = self._wait(flow.client_conn, who)
        if wait and (platform is not None or host == PAGE_HOST):
            self._refuse(flow, flooded(wait))
            return
        if host == PAGE_HOST:
            if who.challenge:  # inside, only what is open to everybody answers: see Requests
                if tried:
                    self._ask_to_sign_in(flow)
            elif not self._services.place.serves(who.name):
                self._refuse(flow, failed())
            return
        problem = self._services.targets.check_port(host, request.port) or self.target_refusal(
            host, request.port
        )
        if problem is not None:
            office = self._services.enforcer.rules.office
            self._refuse(flow, responses.refused(403, NOT_HERE, problem, office))
            return
        if platform is None:
            self._connect_eagerly(conn)
        elif who.challenge:
            self._ask_to_sign_in(flow)
        elif not self._services.place.serves(who.name):  # the next connection goes to its worker
            self._refuse(flow, failed())
        elif not must_open(self._services, who, platform):
            self._connect_eagerly(conn)
        elif not self._inspected(platform):
            self._connect_uninspected(flow, conn, platform)

    def _wait(self, client: connection.Client, who: Identity) -> float:
        """Seconds for which somebody who has flooded us is refused. Nobody stands for all behind a
        front proxy."""
        front = self._services.identifier.is_front_proxy(client.peername[0])
        if front and not who.identified:
            return 0.0
        self._budgets.belongs(client, who.name)
        return self._budgets.refused(client)

    def target_refusal(self, host: str, port: int) -> str | None:
        """Why a target is not reached through this proxy; None when it is."""
        if self._services.resolver.mapped(host, port):
            return None
        return self._services.targets.check_host(host, port)

    def _connect_eagerly(self, conn: ClientState) -> None:
        if conn.options is not None:
            conn.options.connection_strategy = "eager"

    def _connect_uninspected(self, flow: http.HTTPFlow, conn: ClientState, platform: str) -> None:
        """A platform that is not decrypted: decide on the tunnel as a whole."""
        decision = self._begin(flow.client_conn, conn, platform, request_id(flow))
        if decision is None:
            self._connect_eagerly(conn)
            return
        try:
            context = pages.context(self._services, conn.who, decision)
            answer = responses.tunnel_refused(decision, context)
        except Exception:  # what was refused stays refused
            self._failures.note("http_connect", flow)
            answer = failed()
        self._refuse(flow, answer)

    def _ask_to_sign_in(self, flow: http.HTTPFlow) -> None:
        """407. Who signs in may be served by another worker, and connects anew."""
        writing.answer_with(flow, self._credentials.sign_in(flow))
        if self._services.place.shared and flow.response is not None:
            flow.response.headers["Connection"] = "close"

    def _refuse(self, flow: http.HTTPFlow, answer: responses.Answer) -> None:
        self._services.traffic.tunnel("refused")
        writing.answer_with(flow, answer)
        if flow.response is not None:
            flow.response.headers["Connection"] = "close"

    def _apply_failure(self, flow: http.HTTPFlow) -> None:
        """Let through what is certainly not limited; for the rest `on_failure` decides."""
        try:
            host = normalise(flow.request.host)
            platform = self._services.enforcer.limited(host)
            certain = host != PAGE_HOST and platform is None
            if certain and self.target_refusal(host, flow.request.port) is None:
                return
        except Exception:
            self._failures.note("http_connect", flow)
            platform = None
        if self._failures.verdict(None, Target(platform or "")).blocks:
            self._refuse(flow, failed())

    def failed(self, flow: http.HTTPFlow) -> None:
        """The site could not be connected to: send our own page."""
        conn = self._connections.of(flow.client_conn)
        conn.hosts, conn.flight = (), None
        self._in_flight.end_tunnel(flow.client_conn)
        if flow.response is not None and writing.marked(flow) is None:
            writing.answer_with(flow, error_page(502, flow.response.text or ""))

    # -- inside

    def open(self, nextlayer: layer.NextLayer) -> layer.Layer | None:
        """The layer for the bytes at hand; None when the connection must end. May raise
        NeedsMoreData."""
        context = nextlayer.context
        conn = self._connections.of(context.client)
        if conn.options is None:
            conn.options = TunnelOptions(context.options)
            context.options = conn.options  # type: ignore[assignment]
        data = nextlayer.data_client()
        if not conn.hosts:
            return self._chooser.outer(context, conn, data)
        try:
            chosen = self._chooser.choose(context, conn, data, nextlayer.data_server())
        except NeedsMoreData:
            raise
        except Exception:
            self._failures.note("next_layer")
            chosen = self._layer_after_failure(nextlayer, conn)
        self._count(conn, chosen)
        return chosen

    def _layer_after_failure(
        self, nextlayer: layer.NextLayer, conn: ClientState
    ) -> layer.Layer | None:
        if self._failures.verdict(None, Target("")).blocks:
            return None
        return relayed(nextlayer.context, conn)

    def _count(self, conn: ClientState, chosen: layer.Layer | None) -> None:
        traffic = self._services.traffic
        if chosen is None:
            traffic.tunnel("refused")
        elif conn.passed or (conn.flight is not None and conn.flight.estimated):
            traffic.tunnel("passed")
        elif conn.flight is not None:
            traffic.tunnel("metered")
        elif isinstance(chosen, layers.ServerTLSLayer):
            traffic.tunnel("decrypted")

    def _inspected(self, platform: str) -> bool:
        return self._services.enforcer.rules.platforms[platform].inspect

    def _meter(self, client: connection.Client, conn: ClientState, platform: str) -> bool:
        return self._begin(client, conn, platform, request_id(client)) is None

    def _begin_free(
        self, client: connection.Client, conn: ClientState, platforms: Sequence[str]
    ) -> bool:
        """Begin to relay a tunnel in which nothing has to be decided now; False: it has to be
        opened. One that names two platforms is: the enforcer watches one, and a relayed tunnel must
        not outlive the free time of either."""
        services, who = self._services, conn.who
        if who is None or len(set(platforms)) > 1 or must_open(services, who, platforms[0]):
            return False
        person, now = self._credentials.person(who), services.clock.now()
        asked = services.enforcer.free_tunnel(person, platforms[0], now, signed_in=who.signed_in)
        if asked is None or asked.flight is None:
            return False
        request = request_id(client)
        self._recorder.record(request, person, asked.decision, now)
        conn.flight = asked.flight
        self._in_flight.begin_tunnel(client, asked.flight, request)
        return True

    def _begin(
        self, client: connection.Client, conn: ClientState, platform: str, request: str
    ) -> Decision | None:
        """Begin a metered tunnel; the decision when it is refused."""
        if conn.who is None or conn.who.challenge:
            return _UNIDENTIFIED
        if conn.who.refused:
            return None if self._services.enforcer.rules.observes else _UNIDENTIFIED
        person = self._credentials.person(conn.who)
        now = self._services.clock.now()
        asked = self._services.enforcer.tunnel(person, platform, now, signed_in=conn.who.signed_in)
        self._recorder.record(request, person, asked.decision, now)
        if asked.flight is None:
            return asked.decision
        conn.flight = asked.flight
        self._in_flight.begin_tunnel(client, asked.flight, request)
        return None

    def message(self, flow: tcp.TCPFlow) -> None:
        """Bytes of a metered tunnel: counted and dropped."""
        try:
            flight = self._in_flight.tunnel(flow.client_conn)
            if flight is not None:
                size = len(flow.messages[-1].content)
                self._services.enforcer.tunnel_bytes(flight, size, self._services.clock.now())
        finally:
            del flow.messages[:-1]


def failed() -> responses.Answer:
    """The answer to CONNECT when we cannot decide: short, because browsers do not show it."""
    text = b"The proxy cannot look up your time right now. The fault is ours; please try again.\n"
    return _short(503, text, ("X-Allowance-Reason", "unavailable"))


def flooded(seconds: float) -> responses.Answer:
    """The answer to CONNECT of somebody who flooded the proxy a moment ago."""
    text = b"This device sent the proxy more than it can handle. Please try again in a moment.\n"
    return _short(429, text, ("Retry-After", str(math.ceil(seconds))))


def _short(status: int, text: bytes, *more: tuple[str, str]) -> responses.Answer:
    headers = (
        ("Cache-Control", "no-store"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(text))),
        *more,
    )
    return responses.Answer(status, headers, text)
