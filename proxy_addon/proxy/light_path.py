"""What the light path has to know of rules, people and settings: `relay.interface.RelayPolicy`.

Every question that is not certainly answered with "relay it" is left to the engine: so a failure
here lets nothing limited pass, and stops nothing.
"""

from __future__ import annotations

import structlog

from proxy_addon.identity.identification import Identity
from proxy_addon.presentation.languages import marked
from proxy_addon.proxy.decision_recorder import DecisionRecorder
from proxy_addon.proxy.failures import LOG_INTERVAL, Failures, unavailable
from proxy_addon.proxy.free_tunnel import FreeTunnel, must_open
from proxy_addon.proxy.layers import flow_output as writing
from proxy_addon.proxy.layers.client_side import error_page
from proxy_addon.proxy.layers.tunnel_choice import PAGE_HOST
from proxy_addon.proxy.responses import responses
from proxy_addon.proxy.services import Services
from proxy_addon.relay.heads import ConnectHead
from proxy_addon.relay.interface import HeaderFields, PageServer, RelayedTunnel, TunnelTerms
from proxy_addon.system.clock import timer

log = structlog.get_logger("allowance.proxy")

_MAX_LOGGED = 1000  # addresses of refused headers that have been logged once
_CROWDED = (
    marked("Too many connections at the moment"),
    marked(
        "The proxy has as many connections open as this machine allows. Please try again in a moment."
    ),
)
_MANY = (
    marked("Too many connections at the moment"),
    marked(
        "This device has as many connections open as the proxy allows for one. Please try again in a moment."
    ),
)


class NotLimited:
    """The terms of tunnels about which nothing has to be decided for anybody; the same for all."""

    watched = False

    def __init__(self, services: Services) -> None:
        self._services = services

    def needs_engine(self, host: str) -> bool:
        """See `TunnelTerms`."""
        return host == PAGE_HOST or self._services.enforcer.limited(host) is not None

    def begun(self, tunnel: RelayedTunnel) -> bool:
        """See `TunnelTerms`."""
        return True

    def passed(self, size: int) -> None:
        """See `TunnelTerms`."""

    def ended(self) -> None:
        """See `TunnelTerms`."""


class LightPathPolicy:
    """Answers from memory, for one event loop."""

    def __init__(
        self,
        services: Services,
        failures: Failures,
        recorder: DecisionRecorder,
        *,
        relays: bool = True,
        pages: PageServer | None = None,
    ) -> None:
        """`relays` False: the way to sites is one that only the engine knows."""
        self.relays = relays
        self.pages = pages
        self._not_limited = NotLimited(services)
        self._recorder = recorder
        self._services = services
        self._failures = failures
        self._crowded_logged = self._away_logged = -LOG_INTERVAL
        self._logged: set[str] = set()
        self._header = services.forwarded_header.lower().encode("ascii")

    def is_balancer(self, address: str) -> bool:
        """See `RelayPolicy`."""
        return self._services.balancers.client_allowed(address)

    def bad_balancer_header(self, address: str, problem: str) -> None:
        """See `RelayPolicy`."""
        if address not in self._logged and len(self._logged) < _MAX_LOGGED:
            self._logged.add(address)
            log.warning(
                "connection refused", address=address, because=problem, setting="proxy_protocol"
            )

    def client_allowed(self, address: str) -> bool:
        """See `RelayPolicy`."""
        return self._services.clients.client_allowed(address)

    def terms(self, address: str, head: ConnectHead) -> TunnelTerms | None:
        """See `RelayPolicy`."""
        if head.host == PAGE_HOST or not self._may_be_reached(head):
            return None
        platform = self._services.enforcer.limited(head.host)
        if platform is None:
            return self._not_limited
        who = self._who(address, head)  # None: a password has to be checked first
        if who is None or must_open(self._services, who, platform):
            return None
        return FreeTunnel(self._services, self._recorder, who, address, platform)

    def _may_be_reached(self, head: ConnectHead) -> bool:
        targets = self._services.targets
        if targets.check_port(head.host, head.port) is not None:
            return False
        if self._services.resolver.mapped(head.host, head.port) is not None:
            return True
        return targets.check_host(head.host, head.port) is None

    def _who(self, address: str, head: ConnectHead) -> Identity | None:
        return self._services.identifier.identify_now(address, *self._named(head.fields))

    def _named(self, fields: HeaderFields) -> tuple[str | None, str | None]:
        """What names the person: credentials, and the header of a front proxy."""
        forwarded = fields.get(self._header) if self._header else None
        return _text(fields.get(b"proxy-authorization")), _text(forwarded)

    def owner_now(self, address: str, fields: HeaderFields) -> str | None:
        """See `RelayPolicy`."""
        who = self._services.identifier.identify_now(address, *self._named(fields))
        return None if who is None else who.name

    async def owner(self, address: str, fields: HeaderFields) -> str:
        """See `RelayPolicy`."""
        return (await self._services.identifier.identify(address, *self._named(fields))).name

    def asker(self, address: str, head: ConnectHead) -> str:
        """See `RelayPolicy`. Whoever has not signed in yet asks as their address."""
        who = self._who(address, head)
        return address if who is None else who.name

    def unreachable(self, error: OSError) -> bytes:
        """See `RelayPolicy`."""
        return writing.named_on_the_wire(error_page(502, str(error)))

    def most_connections(self, address: str) -> int | None:
        """See `RelayPolicy`. Many people may be behind one front proxy."""
        services = self._services
        is_front = services.identifier.is_front_proxy(address)
        return None if is_front else services.most_connections

    def too_many(self, address: str) -> bytes:
        """See `RelayPolicy`."""
        self._services.traffic.refused("connections")
        if address not in self._logged and len(self._logged) < _MAX_LOGGED:
            self._logged.add(address)
            log.warning(
                "connections of a client refused", address=address, setting="client_connections"
            )
        return writing.named_on_the_wire(responses.refused(429, *_MANY))

    def crowded(self) -> bytes:
        """See `RelayPolicy`."""
        now = timer()
        if now - self._crowded_logged >= LOG_INTERVAL:
            self._crowded_logged = now
            log.warning(
                "connections refused: nearly all descriptors are in use",
                hint="raise LimitNOFILE in the systemd unit, or `ulimit -Hn`, or start more workers",
            )
        return writing.named_on_the_wire(responses.refused(503, *_CROWDED))

    def away(self) -> bytes:
        """See `RelayPolicy`."""
        now = timer()
        if now - self._away_logged >= LOG_INTERVAL:
            self._away_logged = now
            log.error("connections refused: the worker of their person does not take them")
        return writing.named_on_the_wire(unavailable())

    def failed(self, where: str) -> None:
        """See `RelayPolicy`."""
        self._failures.note(where)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
