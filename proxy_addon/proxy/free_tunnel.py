"""A tunnel on the light path of somebody who is free: watched by the enforcer, which ends it when
something has to be decided in it."""

from __future__ import annotations

from proxy_addon.identity.identification import Identity
from proxy_addon.metering.flight import Flight
from proxy_addon.proxy.decision_recorder import DecisionRecorder
from proxy_addon.proxy.layers.flow_output import new_request_id
from proxy_addon.proxy.layers.tunnel_choice import PAGE_HOST
from proxy_addon.proxy.services import Services
from proxy_addon.relay.interface import RelayedTunnel


class FreeTunnel:
    """The terms of one tunnel (`relay.interface.TunnelTerms`), and the handle of its flight."""

    __slots__ = ("_flight", "_platform", "_recorder", "_services", "_tunnel", "address", "who")

    watched = True

    def __init__(
        self,
        services: Services,
        recorder: DecisionRecorder,
        who: Identity,
        address: str,
        platform: str,
    ) -> None:
        self._services = services
        self._recorder = recorder
        self._platform = platform
        self._flight: Flight | None = None
        self._tunnel: RelayedTunnel | None = None
        self.who = who
        self.address = address

    @property
    def flight(self) -> Flight | None:
        """What the enforcer knows of it, while it runs."""
        return self._flight

    def needs_engine(self, host: str) -> bool:
        """See `TunnelTerms`. The enforcer watches one platform in a tunnel: one that names another
        as well is opened, so that it does not outlive the free time of either."""
        if host == PAGE_HOST:
            return True
        platform = self._services.enforcer.limited(host)
        if platform is None:
            return False
        return platform != self._platform or must_open(self._services, self.who, platform)

    def begun(self, tunnel: RelayedTunnel) -> bool:
        """See `TunnelTerms`."""
        services, now = self._services, self._services.clock.now()
        person = services.enforcer.person(self.who.name, self.who.roles, now)
        asked = services.enforcer.free_tunnel(
            person, self._platform, now, signed_in=self.who.signed_in
        )
        if asked is None or asked.flight is None:
            return False
        self._tunnel, self._flight = tunnel, asked.flight
        asked.flight.report = tunnel.count
        asked.flight.handle, asked.flight.request = self, new_request_id()
        self._recorder.record(asked.flight.request, person, asked.decision, now)
        return True

    def passed(self, size: int) -> None:
        """See `TunnelTerms`."""
        if self._flight is not None:
            self._services.enforcer.tunnel_bytes(self._flight, size, self._services.clock.now())

    def ended(self) -> None:
        """See `TunnelTerms`."""
        if self._flight is not None:
            self._services.enforcer.closed(self._flight)

    def close(self) -> None:
        """End the tunnel."""
        if self._tunnel is not None:
            self._tunnel.close()


def must_open(services: Services, who: Identity, platform: str) -> bool:
    """Whether something has to be decided in a tunnel of this person to a limited platform now: who
    has to sign in or is refused is always decided about."""
    if who.challenge or who.refused:
        return True
    now = services.clock.now()
    person = services.enforcer.person(who.name, who.roles, now)
    return services.enforcer.opening(person, platform, now, signed_in=who.signed_in).needed
