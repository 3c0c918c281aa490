"""The hooks: a guard, one call of the enforcer, an act. No decision is made here.

Every hook is wrapped: mitmproxy logs an exception of an add-on and lets the flow go on, so we catch it
ourselves, count it, and apply the verdict that the policy wants for failures.
"""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

import structlog
from mitmproxy import connection, http, tcp, tls
from mitmproxy.addons import asgiapp
from mitmproxy.exceptions import AddonHalt
from mitmproxy.proxy import layer, server_hooks

from proxy_addon.core.hosts import normalise
from proxy_addon.core.types import Decision, Person, Reason, Target, Verdict
from proxy_addon.enforcer import Due, Ticket
from proxy_addon.proxy import answers, pages, reading
from proxy_addon.proxy.connections import Conn, Connections, TunnelOptions
from proxy_addon.proxy.cut import Scissors
from proxy_addon.proxy.desk import Desk
from proxy_addon.proxy.identity import Who
from proxy_addon.proxy.network import plain_address
from proxy_addon.proxy.passthrough import PAGE_HOST, Passthrough, Wait

log = structlog.get_logger("allowance.proxy")

TICK = 0.25  # seconds between two looks at what is running
SETTLE = 60.0
REALM = "Allowance"
_LOGGED_MOST = 1000
_NOBODY = Decision(Verdict.BLOCK, Reason.UNIDENTIFIED)


class Gate:
    """The add-on."""

    name = "allowance"

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.connections = Connections()
        self.scissors: Scissors | None = None
        self._tickets: WeakKeyDictionary[http.HTTPFlow, Ticket] = WeakKeyDictionary()
        self._tunnels: WeakKeyDictionary[connection.Client, Ticket] = WeakKeyDictionary()
        self._pass = Passthrough(desk.enforcer.limited, self._inspected, self._meter)
        self._timer: asyncio.TimerHandle | None = None
        self._settled = desk.clock.now()
        self._distrusted: set[str] = set()

    # -- life

    def start(self, loop: asyncio.AbstractEventLoop, scissors: Scissors) -> None:
        """Begin to look after what is running."""
        self.scissors = scissors
        self._timer = loop.call_later(TICK, self._tick, loop)

    def stop(self) -> None:
        """Stop looking."""
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(TICK, self._tick, loop)
        try:
            now = self.desk.clock.now()
            for due in self.desk.enforcer.due(now):
                self._cut(due)
            if now - self._settled > SETTLE:
                self._settled = now
                self.desk.enforcer.settle(now)
        except Exception:
            self._note_failure("tick")

    def _cut(self, due: Due) -> None:
        ticket = due.ticket
        self.desk.enforcer.closed(ticket)
        self.desk.metrics.cut(ticket.kind, due.delay)
        log.info(
            "cut", kind=ticket.kind, person=ticket.person.name, platform=ticket.target.platform,
            reason=due.decision.reason.value, rule=due.decision.rule,
        )  # fmt: skip
        if self.scissors is None:
            return
        if isinstance(ticket.handle, http.HTTPFlow):
            self.scissors.http(ticket.handle, self.connections.of(ticket.handle.client_conn).cuttable)
        elif isinstance(ticket.handle, connection.Client):
            self.scissors.client(ticket.handle)

    def close_idle(self) -> None:
        """While draining: close connections in which nothing is under way. Relayed ones may go on."""
        if self.scissors is None:
            return
        for client in list(self.scissors.clients()):
            conn = self.connections.of(client)
            if conn.open == 0 and not conn.passed and conn.ticket is None:
                self.scissors.client(client)

    def close_all(self) -> None:
        """The drain is over: end what still runs."""
        if self.scissors is not None:
            for client in list(self.scissors.clients()):
                self.scissors.client(client)

    # -- connections

    def client_connected(self, client: connection.Client) -> None:
        """Only networks that are allowed may use the proxy."""
        if not self.desk.clients.client_allowed(client.peername[0]):
            client.error = "this client network is not allowed"
            log.warning("client refused", address=client.peername[0], setting="client_networks")
            return
        self.connections.of(client)
        self.desk.traffic.connections(len(self.connections))

    def client_disconnected(self, client: connection.Client) -> None:
        """Forget the connection."""
        ticket = self._tunnels.pop(client, None)
        if ticket is not None:
            self.desk.enforcer.closed(ticket)
        self.connections.gone(client)
        self.desk.traffic.connections(len(self.connections))

    def server_connect(self, data: server_hooks.ServerConnectionHookData) -> None:
        """Numeric addresses do not pass the resolver: map and guard them here."""
        address = data.server.address
        if address is None:
            return
        host, port = str(address[0]), int(address[1])
        mapped = self.desk.resolver.mapped(host, port)
        if mapped is not None and plain_address(host) is not None:
            data.server.address = mapped  # names are mapped when they are resolved
        if mapped is not None or self.desk.resolver.is_upstream_proxy(host, port):
            return
        problem = self.desk.targets.check_host(host, port)
        if problem is not None:
            data.server.error = problem

    def next_layer(self, nextlayer: layer.NextLayer) -> None:
        """Choose what is inside a tunnel."""
        if nextlayer.layer is not None:
            return
        context = nextlayer.context
        conn = self.connections.of(context.client)
        if conn.options is None:
            conn.options = TunnelOptions(context.options)
            context.options = conn.options  # type: ignore[assignment]
        if not conn.hosts:
            return
        try:
            chosen = self._pass.choose(context, conn, nextlayer.data_client(), nextlayer.data_server())
        except Wait:
            raise AddonHalt from None
        except Exception:
            self._note_failure("next_layer")
            chosen = None
        if chosen is None:
            self.desk.traffic.tunnel("refused")
            if self.scissors is not None:
                self.scissors.client(context.client)
            raise AddonHalt
        if conn.passed:
            self.desk.traffic.tunnel("passed")
        elif conn.ticket is not None:
            self.desk.traffic.tunnel("metered")
        nextlayer.layer = chosen

    def tls_failed_client(self, data: tls.TlsData) -> None:
        """An app that trusts nobody but its maker, or a device without our CA: say so once."""
        client = data.context.client
        hosts = self.connections.of(client).hosts
        platform = next(filter(None, map(self.desk.enforcer.limited, hosts)), None) or "allowance"
        self.desk.traffic.tls_failed(platform)
        if platform not in self._distrusted:
            self._distrusted.add(platform)
            log.warning(
                "client does not accept our certificate", platform=platform, address=client.peername[0],
                hint="install the CA on the device, or set `inspect: false` for the platform",
            )  # fmt: skip

    # -- who

    async def _who(self, flow: http.HTTPFlow) -> Who:
        """Who asks; the headers that say so go no further."""
        headers = flow.request.headers
        identifier = self.desk.identifier
        header = self.desk.forwarded_header
        address = flow.client_conn.peername[0]
        credentials = headers.get("Proxy-Authorization")
        forwarded = headers.get(header) if header else None
        self._strip(flow)
        who = identifier.identify_now(address, credentials, forwarded)
        if who is None:
            who = await identifier.identify(address, credentials, forwarded)
        return who

    def _strip(self, flow: http.HTTPFlow) -> None:
        for name in self.desk.identifier.strip_headers:
            if name in flow.request.headers:
                del flow.request.headers[name]

    def _person(self, who: Who) -> Person:
        return self.desk.enforcer.person(who.name, who.roles)

    # -- CONNECT

    async def http_connect(self, flow: http.HTTPFlow) -> None:
        """A tunnel is asked for."""
        try:
            await self._connect(flow)
        except Exception:
            self._note_failure("http_connect")
            self._answer(
                flow, answers.refused(503, "Unavailable", "The proxy failed to decide. Please retry.")
            )

    async def _connect(self, flow: http.HTTPFlow) -> None:
        desk, request = self.desk, flow.request
        conn = self.connections.of(flow.client_conn)
        host = normalise(request.host)
        conn.who = who = await self._who(flow)
        conn.hosts = (host,)
        if host == PAGE_HOST:
            if who.challenge:
                self._answer(flow, answers.sign_in(REALM))
            return
        problem = desk.targets.check_port(host, request.port) or self._refused_target(host, request.port)
        if problem is not None:
            self._refuse_tunnel(flow, answers.refused(403, "Not through this proxy", problem))
            return
        platform = desk.enforcer.limited(host)
        if platform is None:
            if conn.options is not None:
                conn.options.connection_strategy = "eager"
        elif who.challenge:
            self._answer(flow, answers.sign_in(REALM))
        elif not self._inspected(platform):
            self._connect_closed(flow, conn, platform)

    def _refused_target(self, host: str, port: int) -> str | None:
        if self.desk.resolver.mapped(host, port):
            return None
        return self.desk.targets.check_host(host, port)

    def _connect_closed(self, flow: http.HTTPFlow, conn: Conn, platform: str) -> None:
        """A platform that stays closed to us: decide about the tunnel as a whole."""
        decision = self._tunnel(flow.client_conn, conn, platform)
        if decision is not None:
            context = pages.context(self.desk, conn.who, decision)
            self._refuse_tunnel(flow, answers.tunnel_refused(decision, context))

    def _refuse_tunnel(self, flow: http.HTTPFlow, answer: answers.Answer) -> None:
        self.desk.traffic.tunnel("refused")
        self._answer(flow, answer)
        if flow.response is not None:
            flow.response.headers["Connection"] = "close"

    def _inspected(self, platform: str) -> bool:
        return self.desk.enforcer.rules.platforms[platform].inspect

    def _meter(self, client: connection.Client, conn: Conn, platform: str) -> bool:
        return self._tunnel(client, conn, platform) is None

    def _tunnel(self, client: connection.Client, conn: Conn, platform: str) -> Decision | None:
        """Begin a metered tunnel; the decision when it is refused."""
        if conn.who is None or conn.who.refused or conn.who.challenge:
            return _NOBODY
        asked = self.desk.enforcer.tunnel(self._person(conn.who), platform, self.desk.clock.now())
        if asked.ticket is None:
            return asked.decision
        asked.ticket.handle = client
        conn.ticket = self._tunnels[client] = asked.ticket
        return None

    def tcp_message(self, flow: tcp.TCPFlow) -> None:
        """Bytes of a metered tunnel: counted and forgotten."""
        try:
            ticket = self._tunnels.get(flow.client_conn)
            if ticket is not None:
                size = len(flow.messages[-1].content)
                self.desk.enforcer.tunnel_bytes(ticket, size, self.desk.clock.now())
        except Exception:
            self._note_failure("tcp_message")
        finally:
            del flow.messages[:-1]

    # -- requests

    async def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Decide, before the site is contacted."""
        if flow.response or flow.error or not flow.live:
            return
        self._under_way(flow)
        try:
            await self._request(flow)
        except Exception:
            self._note_failure("requestheaders")
            self._apply_failure(flow)

    async def _request(self, flow: http.HTTPFlow) -> None:
        conn = self.connections.of(flow.client_conn)
        request = flow.request
        tunnelled = bool(conn.hosts)
        if tunnelled and conn.who is not None:
            who = conn.who
            self._strip(flow)
        else:
            who = await self._who(flow)
        named = normalise(request.pretty_host)
        asked_for = normalise(request.host)
        if PAGE_HOST in (named, asked_for):
            self._page_request(flow, who, tunnelled)
            return
        host = self._limited_host(named, asked_for, conn)
        if host is None:
            problem = None if tunnelled else self._refused_target(asked_for, request.port)
            if problem is not None:
                self._answer(flow, answers.refused(403, "Not through this proxy", problem))
                return
            request.stream = True
            return
        self._limited_request(flow, who, host, tunnelled)

    def _limited_host(self, named: str, asked_for: str, conn: Conn) -> str | None:
        """The first of all names in play that is a limited platform's."""
        for host in (named, asked_for, *conn.hosts):
            if self.desk.enforcer.limited(host) is not None:
                return host
        return None

    def _page_request(self, flow: http.HTTPFlow, who: Who, tunnelled: bool) -> None:
        if who.challenge and not tunnelled:
            self._answer(flow, answers.sign_in(REALM))
            return
        flow.metadata["allowance"] = "page"
        flow.metadata["allowance_person"] = who.name
        flow.metadata["allowance_identified"] = who.identified

    def _limited_request(self, flow: http.HTTPFlow, who: Who, host: str, tunnelled: bool) -> None:
        desk, request = self.desk, flow.request
        read = reading.fields(request)
        ask = reading.ask(request, host, read)
        if who.challenge and not tunnelled:
            self._answer(flow, answers.sign_in(REALM))
            return
        hit = desk.enforcer.catalogue.look(host, request.path)
        if hit is None:  # the host was limited a moment ago: rules were swapped in between
            request.stream = True
            return
        if who.refused or who.challenge:
            nobody = Decision(Verdict.BLOCK, Reason.UNIDENTIFIED, hit.platform, hit.section)
            desk.metrics.decided(self._person(who._replace(roles=("nobody",))), nobody, 0.0)
            self._answer(flow, answers.block(ask, nobody, pages.context(desk, who, nobody)))
            return
        x = reading.exchange(request, host, read)
        asked = desk.enforcer.ask(self._person(who), x, hit, desk.clock.now())
        if asked.notice is not None:
            context = pages.context(desk, who, asked.decision)
            desk.traffic.notice(asked.notice.allowance)
            self._answer(flow, answers.heads_up(ask, asked.decision, asked.notice, context))
        elif asked.ticket is None:
            context = pages.context(desk, who, asked.decision)
            self._answer(flow, answers.block(ask, asked.decision, context))
        else:
            asked.ticket.handle = flow
            self._tickets[flow] = asked.ticket
            request.stream = True

    async def request(self, flow: http.HTTPFlow) -> None:
        """The employee's page is answered here, where the body of a form is complete."""
        if flow.metadata.get("allowance") == "page" and flow.response is None and flow.live:
            await asgiapp.serve(pages.for_person(self.desk.page, flow), flow)

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Stream everything; judge what is limited."""
        response = flow.response
        if response is None or flow.metadata.get("allowance"):
            return
        ticket = self._tickets.get(flow)
        if response.status_code == 101:
            return
        if ticket is None:
            response.stream = True
            return
        response.stream = self._feed(ticket)
        try:
            length = response.headers.get("content-length", "")
            size = int(length) if length.isdecimal() else 0
            kind = response.headers.get("content-type", "").lower()
            now = self.desk.clock.now()
            self.desk.enforcer.answered(ticket, response.status_code, kind, size, now)
        except Exception:
            self._note_failure("responseheaders")

    def _feed(self, ticket: Ticket) -> http.Message.stream:  # type: ignore[valid-type]
        """Counts the bytes of a body. Must never raise: mitmproxy would leave the client hanging."""

        def feed(chunk: bytes) -> bytes:
            if chunk:
                try:
                    self.desk.enforcer.body(ticket, len(chunk), self.desk.clock.now())
                except Exception:
                    self._note_failure("body")
            return chunk

        return feed

    def response(self, flow: http.HTTPFlow) -> None:
        """The answer is complete; a WebSocket goes on."""
        if flow.websocket is None:
            self._over(flow)

    def error(self, flow: http.HTTPFlow) -> None:
        """The exchange broke, or was cut."""
        self._over(flow)

    def _under_way(self, flow: http.HTTPFlow) -> None:
        flow.metadata["allowance_open"] = True
        self.connections.of(flow.client_conn).open += 1

    def _over(self, flow: http.HTTPFlow) -> None:
        if flow.metadata.pop("allowance_open", False):
            self.connections.of(flow.client_conn).open -= 1
        ticket = self._tickets.pop(flow, None)
        if ticket is not None:
            self.desk.enforcer.closed(ticket)

    # -- WebSockets

    def websocket_start(self, flow: http.HTTPFlow) -> None:
        """The request became a WebSocket."""
        ticket = self._tickets.get(flow)
        if ticket is not None:
            self.desk.enforcer.upgraded(ticket)

    def websocket_message(self, flow: http.HTTPFlow) -> None:
        """One message: counted and forgotten."""
        if flow.websocket is None:
            return
        message = flow.websocket.messages[-1]
        ticket = self._tickets.get(flow)
        try:
            if ticket is not None:
                now = self.desk.clock.now()
                size = len(message.content)
                self.desk.enforcer.message(ticket, size, now, from_client=message.from_client)
        except Exception:
            self._note_failure("websocket_message")
        finally:
            del flow.websocket.messages[:-1]

    def websocket_end(self, flow: http.HTTPFlow) -> None:
        """The WebSocket was closed."""
        self._over(flow)

    # -- acts

    def _answer(self, flow: http.HTTPFlow, answer: answers.Answer) -> None:
        flow.metadata["allowance"] = "answered"
        fields = [(name.encode(), value.encode("latin-1", "replace")) for name, value in answer.headers]
        flow.response = http.Response.make(answer.status, answer.body, http.Headers(fields))

    def _note_failure(self, where: str) -> None:
        self.desk.metrics.failed(where)
        log.exception("our own code failed", where=where)

    def _apply_failure(self, flow: http.HTTPFlow) -> None:
        """Nothing limited passes because we failed: the verdict of `on_failure` applies."""
        enforcer = self.desk.enforcer
        conn = self.connections.of(flow.client_conn)
        names = (normalise(flow.request.pretty_host), normalise(flow.request.host), *conn.hosts)
        platform = next(filter(None, map(enforcer.limited, names)), None)
        if platform is None:
            return
        person = self._person(conn.who) if conn.who is not None else None
        decision = enforcer.failure(person, Target(platform))
        if not decision.blocks:
            flow.request.stream = True
            return
        ask = reading.ask(flow.request, names[0], reading.fields(flow.request))
        self._answer(flow, answers.block(ask, decision, pages.context(self.desk, conn.who, decision)))
