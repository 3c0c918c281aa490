"""The hooks of mitmproxy, each with its own error handling. Decisions are made by the enforcer,
never here.

mitmproxy logs an exception of an add-on and lets the flow go on. So every hook catches its own: it
is counted, logged, and what applies then is the stricter side, or the verdict of `on_failure` where
that has one.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import structlog
from mitmproxy import connection, http, tcp, tls
from mitmproxy.exceptions import AddonHalt
from mitmproxy.proxy import layer, server_hooks

from proxy_addon.config.parsers import UpstreamProxy
from proxy_addon.network.resolver import ASKER
from proxy_addon.proxy.budgets.fair_pages import FairPages
from proxy_addon.proxy.budgets.idle_clients import IdleClients
from proxy_addon.proxy.budgets.shares import Budgets
from proxy_addon.proxy.credentials import Credentials
from proxy_addon.proxy.decision_recorder import DecisionRecorder
from proxy_addon.proxy.failures import Failures, unavailable
from proxy_addon.proxy.in_flight import InFlight
from proxy_addon.proxy.layers import flow_output as writing
from proxy_addon.proxy.layers.addon_manager import DONE
from proxy_addon.proxy.layers.connections import Connections
from proxy_addon.proxy.layers.head_repair import repair
from proxy_addon.proxy.layers.server_tls import server_name
from proxy_addon.proxy.layers.termination import Terminator
from proxy_addon.proxy.layers.tunnel_choice import NeedsMoreData
from proxy_addon.proxy.light_path import LightPathPolicy
from proxy_addon.proxy.page_server import LightPageServer
from proxy_addon.proxy.requests import Requests
from proxy_addon.proxy.services import Services
from proxy_addon.proxy.tunnels import Tunnels
from proxy_addon.relay.acceptor import Acceptor
from proxy_addon.relay.placement import Placement
from proxy_addon.relay.site_connector import SiteConnector
from proxy_addon.relay.workers import Workers

log = structlog.get_logger("allowance.proxy")

COUNT_SECONDS = 0.25  # seconds between two counts of open connections
_MAX_LOGGED = 1000  # addresses and platforms that have been logged once


class AllowanceAddon:
    """The add-on."""

    name = "allowance"

    def __init__(self, services: Services) -> None:
        self.budgets = Budgets(services.traffic)
        services = services._replace(page=FairPages(services.page, self.budgets.note))
        self.services = services
        self.failures = Failures(services)
        self.connections = Connections()
        self._recorder = DecisionRecorder(services.decisions)
        self.in_flight = InFlight(services, self.connections, self.failures, self._recorder)
        credentials = Credentials(services)
        self._tunnels = Tunnels(
            services,
            self.connections,
            credentials,
            self.in_flight,
            self.failures,
            self._recorder,
            self.budgets,
        )
        self._requests = Requests(
            services,
            self.connections,
            credentials,
            self.in_flight,
            self._tunnels,
            self.failures,
            self._recorder,
        )
        self._idle = IdleClients(self.in_flight.leave, self.budgets.note)
        self.is_draining = False
        self._logged: set[str] = set()
        self.acceptor: Acceptor | None = None
        self._counting: asyncio.TimerHandle | None = None

    def accept(
        self,
        *,
        upstream: UpstreamProxy | None,
        relays: bool,
        most_descriptors: int,
        pages: Callable[[], ssl.SSLContext] | None = None,
        workers: Workers | None = None,
    ) -> Acceptor:
        """What stands in front of mitmproxy. `relays`: it relays what this add-on has nothing to
        decide about, as far as it speaks the language of the upstream proxy. `pages`: TLS for our
        own pages; None: they are answered through mitmproxy. `workers`: those that pass connections
        on to each other."""
        services = self.services
        relays = relays and (upstream is None or upstream.scheme == "http")
        served = None if pages is None else LightPageServer(services, self.failures, pages)
        policy = LightPathPolicy(
            services, self.failures, self._recorder, relays=relays, pages=served
        )
        self.acceptor = Acceptor(
            policy,
            SiteConnector(services.resolver, upstream),
            services.traffic,
            most_descriptors,
            None if workers is None else Placement(workers, policy),
        )
        return self.acceptor

    def start(self, loop: asyncio.AbstractEventLoop, terminator: Terminator) -> None:
        """Start the periodic checks of what is running."""
        self.in_flight.start(loop, terminator)
        self._count_connections(loop)

    def drain(self) -> None:
        """No more connections are accepted: those that are open end with their next answer."""
        self.is_draining = True
        self.in_flight.drain(ends=False)

    def stop(self) -> None:
        """Stop the periodic checks."""
        self.in_flight.stop()
        if self._counting is not None:
            self._counting.cancel()

    def _count_connections(self, loop: asyncio.AbstractEventLoop) -> None:
        """Now and then, not with each connection: a number that goes up and down costs time."""
        self._counting = loop.call_later(COUNT_SECONDS, self._count_connections, loop)
        with self._guarded("look"):
            self._idle.look(self.connections.all, loop.time())
        light = 0 if self.acceptor is None else len(self.acceptor)
        self.services.traffic.connections(len(self.connections) + light)

    @contextmanager
    def _guarded(self, where: str, flow: http.HTTPFlow | None = None) -> Iterator[None]:
        try:
            yield
        except AddonHalt:
            raise
        except Exception:
            self.failures.note(where, flow)

    def _first_time(self, what: str) -> bool:
        if what in self._logged or len(self._logged) >= _MAX_LOGGED:
            return False
        self._logged.add(what)
        return True

    # -- connections

    def client_connected(self, client: connection.Client) -> None:
        """Only networks that are allowed may use the proxy."""
        try:
            if self.services.clients.client_allowed(client.peername[0]):
                conn = self.connections.of(client)
                conn.asker.name = client.peername[0]
                ASKER.set(conn.asker)
                self.in_flight.prepare(client, self._over)
                self.budgets.connected(client)
                return
            address = client.peername[0]
            if self._first_time(address):
                log.warning("client refused", address=address, setting="client_networks")
        except Exception:
            self.failures.note("client_connected")
        client.error = "this client network is not allowed"

    def client_disconnected(self, client: connection.Client) -> None:
        """Forget the connection."""
        with self._guarded("client_disconnected"):
            self.connections.remove(client)
            self.in_flight.end_tunnel(client)

    def server_connect(self, data: server_hooks.ServerConnectionHookData) -> None:
        """Numeric addresses are connected to without being looked up: guard them here. And sites
        are greeted by a name that a greeting may have."""
        address = data.server.address
        if address is None:
            return
        try:
            if data.server.sni:
                data.server.sni = server_name(data.server.sni)
                if data.server.sni is None:
                    data.server.error = "its name is not a valid host name"
                    return
            host, port = str(address[0]), int(address[1])
            resolver = self.services.resolver
            if resolver.mapped(host, port) is not None or resolver.is_upstream_proxy(host, port):
                return
            data.server.error = self.services.targets.check_host(host, port)
        except Exception:
            self.failures.note("server_connect")
            data.server.error = "it could not be checked whether this address may be reached"

    def tls_start_server(self, data: tls.TlsData) -> None:
        """Without anything to speak TLS with, requests would wait for the site for ever."""
        asyncio.get_running_loop().call_soon(self._check_tls, data)

    def _check_tls(self, data: tls.TlsData) -> None:
        if data.ssl_conn is None:  # the hook that makes it failed, and was logged
            self.services.metrics.failed("tls_start_server")
            self.in_flight.close(data.context.client)

    def next_layer(self, nextlayer: layer.NextLayer) -> None:
        """Choose the layer for a client, and the layer inside a tunnel."""
        if nextlayer.layer is not None:
            return
        client = nextlayer.context.client
        try:
            nextlayer.layer = self._tunnels.open(nextlayer)
        except NeedsMoreData:
            if self.connections.of(
                client
            ).cuttable:  # the choice is ours: no other add-on may make it meanwhile
                raise AddonHalt from None
            return
        except Exception:
            self.failures.note("next_layer")
        if nextlayer.layer is None:
            self.in_flight.close(client)
            raise AddonHalt

    def tls_failed_client(self, data: tls.TlsData) -> None:
        """An app that trusts only its own certificates, or a device without our CA: log it once."""
        with self._guarded("tls_failed_client"):
            client = data.context.client
            hosts = self.connections.of(client).hosts
            platform = (
                next(filter(None, map(self.services.enforcer.limited, hosts)), None) or "allowance"
            )
            self.services.traffic.tls_failed(platform)
            who, devices = self.connections.of(client).who, self.services.devices
            if who is not None and devices is not None:
                named = "" if platform == "allowance" else platform
                devices.failed(client.peername[0], who.name, named)
            if self._first_time(f"certificate {platform}"):
                log.warning(
                    "client does not accept our certificate",
                    platform=platform,
                    address=client.peername[0],
                    hint="install the CA on the device, or set `inspect: false` for the platform",
                )

    def tls_established_client(self, data: tls.TlsData) -> None:
        """A device has accepted our certificate."""
        with self._guarded("tls_established_client"):
            client = data.context.client
            who, devices = self.connections.of(client).who, self.services.devices
            if who is not None and devices is not None:
                devices.succeeded(client.peername[0], who.name, is_newcomer=who.challenge)

    # -- tunnels

    def http_connect(self, flow: http.HTTPFlow) -> Awaitable[None]:
        """A client requests a tunnel."""
        return self._tunnels.connect(flow)

    def http_connect_error(self, flow: http.HTTPFlow) -> None:
        """A tunnel could not be opened, or was refused."""
        with self._guarded("http_connect_error", flow):
            self._tunnels.failed(flow)

    def tcp_message(self, flow: tcp.TCPFlow) -> None:
        """Bytes of a metered tunnel."""
        with self._guarded("tcp_message"):
            self._tunnels.message(flow)

    # -- requests

    def requestheaders(self, flow: http.HTTPFlow) -> Awaitable[None]:
        """Decide, before the site is contacted."""
        if flow.response or flow.error or not flow.live:
            return DONE
        flow.metadata["allowance_open"] = True
        conn = self.connections.of(flow.client_conn)
        conn.open += 1
        conn.requests += 1
        try:
            repair(flow.request)
            waits = self._requests.head(flow)
        except Exception:
            self.failures.note("requestheaders", flow)
            writing.answer_with(flow, unavailable())
            return DONE
        return waits if waits is DONE else self._identified(flow, waits)

    async def _identified(self, flow: http.HTTPFlow, waits: Awaitable[None]) -> None:
        try:
            await waits
        except Exception:
            self.failures.note("requestheaders", flow)
            writing.answer_with(flow, unavailable())

    def request(self, flow: http.HTTPFlow) -> Awaitable[None]:
        """A form for the employee's page is complete, or an upload after its answer."""
        if writing.marked(flow) != writing.PAGE:
            if flow.response is not None and self.in_flight.flight(flow):
                self._over(flow)
            return DONE
        return self._requests.body(flow)

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """The head of an answer."""
        with self._guarded("responseheaders", flow):
            if flow.response is not None:
                repair(flow.response)
            self._requests.answered(flow)
            if self.is_draining:
                writing.end_connection(flow)

    def response(self, flow: http.HTTPFlow) -> None:
        """The answer is complete; a WebSocket goes on, what else a site switches to does not."""
        if flow.websocket is not None:
            return
        if (
            flow.response is not None
            and flow.response.status_code == 101
            and self.in_flight.flight(flow)
        ):
            flow.kill()
        elif flow.request.timestamp_end is None and self.in_flight.flight(flow):
            return  # the upload goes on
        self._over(flow)

    def error(self, flow: http.HTTPFlow) -> None:
        """The exchange broke, or was cut."""
        self._over(flow)

    def _over(self, flow: http.HTTPFlow) -> None:
        with self._guarded("over", flow):
            conn = self.connections.known(flow.client_conn)
            if flow.metadata.pop("allowance_open", False) and conn is not None:
                conn.open -= 1
            self.in_flight.end(flow)
            self._recorder.judged(flow, None)

    # -- WebSockets

    def websocket_start(self, flow: http.HTTPFlow) -> None:
        """The request became a WebSocket."""
        with self._guarded("websocket_start", flow):
            self._requests.upgraded(flow)

    def websocket_message(self, flow: http.HTTPFlow) -> None:
        """A message passed."""
        with self._guarded("websocket_message", flow):
            self._requests.message(flow)

    def websocket_end(self, flow: http.HTTPFlow) -> None:
        """The WebSocket was closed."""
        self._over(flow)
