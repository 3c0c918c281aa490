"""What the add-on works with, wired by `build`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from proxy_addon.identity.identification import Identifier
from proxy_addon.metering.enforcer import Enforcer
from proxy_addon.network.guards import ClientGuard, Resolver, TargetGuard
from proxy_addon.observability.decision_log import Decisions
from proxy_addon.observability.interface import Metrics
from proxy_addon.system.clock import Clock


class Traffic(Protocol):
    """What the add-on counts of connections, beside what the engine counts."""

    def connections(self, open_now: int) -> None:
        """How many client connections are open."""

    def accepted(self) -> None:
        """A client connection was accepted."""

    def volume(self, to_site: int, from_site: int) -> None:
        """So many more bytes went to a site, and came from it."""

    def upstream_failed(self, kind: str) -> None:
        """A connection to a site could not be opened, or not be trusted."""

    def tunnel(self, how: str) -> None:
        """A tunnel was `passed` through, `decrypted`, `metered` or `refused`."""

    def tls_failed(self, platform: str) -> None:
        """A client did not accept our certificate."""

    def notice(self, allowance: str) -> None:
        """A heads-up page was shown."""


class Services(NamedTuple):
    """The parts; `page` is the employee's ASGI application, `decisions` the decision log where it is on."""

    enforcer: Enforcer
    identifier: Identifier
    clients: ClientGuard
    targets: TargetGuard
    resolver: Resolver
    clock: Clock
    metrics: Metrics
    traffic: Traffic
    page: Callable[..., Any]
    forwarded_header: str
    decisions: Decisions | None = None
