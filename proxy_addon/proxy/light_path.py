"""What the light path has to know of rules, people and settings: `relay.interface.RelayPolicy`.

Every question that is not certainly answered with "relay it" is left to the engine: so a failure
here lets nothing limited pass, and stops nothing.
"""

from __future__ import annotations

import structlog

from proxy_addon.core.hosts import normalise
from proxy_addon.proxy.failures import LOG_INTERVAL, Failures
from proxy_addon.proxy.layers import flow_output as writing
from proxy_addon.proxy.layers.client_side import error_page
from proxy_addon.proxy.layers.tunnel_choice import PAGE_HOST
from proxy_addon.proxy.responses import responses
from proxy_addon.proxy.services import Services
from proxy_addon.relay.heads import ConnectHead
from proxy_addon.system.clock import timer

log = structlog.get_logger("allowance.proxy")

_MAX_LOGGED = 1000  # addresses of refused headers that have been logged once
_CROWDED = (
    "Too many connections at the moment",
    "The proxy has as many connections open as this machine allows. Please try again in a moment.",
)


class LightPathPolicy:
    """Answers from memory, for one event loop."""

    def __init__(self, services: Services, failures: Failures, *, relays: bool = True) -> None:
        self.relays = relays
        self._services = services
        self._failures = failures
        self._crowded_logged = -LOG_INTERVAL
        self._logged: set[str] = set()
        self._header = services.forwarded_header.lower().encode("ascii")
        self._crowded = writing.on_the_wire(responses.refused(503, *_CROWDED))

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

    def may_relay(self, head: ConnectHead) -> bool:
        """See `RelayPolicy`."""
        if self.needs_engine(head.host):
            return False
        services = self._services
        if services.targets.check_port(head.host, head.port) is not None:
            return False
        if services.resolver.mapped(head.host, head.port) is not None:
            return True
        return services.targets.check_host(head.host, head.port) is None

    def needs_engine(self, host: str) -> bool:
        """See `RelayPolicy`."""
        return host == PAGE_HOST or self._services.enforcer.limited(normalise(host)) is not None

    def asker(self, address: str, head: ConnectHead) -> str:
        """See `RelayPolicy`. Whoever has not signed in yet asks as their address."""
        credentials = head.fields.get(b"proxy-authorization")
        forwarded = head.fields.get(self._header) if self._header else None
        who = self._services.identifier.identify_now(address, _text(credentials), _text(forwarded))
        return address if who is None else who.name

    def unreachable(self, error: OSError) -> bytes:
        """See `RelayPolicy`."""
        return writing.on_the_wire(error_page(502, str(error)))

    def crowded(self) -> bytes:
        """See `RelayPolicy`."""
        now = timer()
        if now - self._crowded_logged >= LOG_INTERVAL:
            self._crowded_logged = now
            log.warning(
                "connections refused: nearly all descriptors are in use",
                hint="raise LimitNOFILE in the systemd unit, or `ulimit -Hn`, or start more workers",
            )
        return self._crowded

    def failed(self, where: str) -> None:
        """See `RelayPolicy`."""
        self._failures.note(where)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
