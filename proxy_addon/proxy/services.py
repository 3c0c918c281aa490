"""What the add-on works with, wired by `runtime.application`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from proxy_addon.identity.identification import Identifier
from proxy_addon.metering.enforcer import Enforcer
from proxy_addon.network.distrust import DistrustingDevices
from proxy_addon.network.guards import ClientGuard, TargetGuard
from proxy_addon.network.resolver import Resolver
from proxy_addon.observability.decision_log import Decisions
from proxy_addon.observability.interface import Metrics, Traffic
from proxy_addon.relay.workers import WorkerPlace
from proxy_addon.system.clock import Clock
from proxy_addon.system.sealing import Sealer


class Services(NamedTuple):
    """The parts; `page` is the employee's ASGI application, `decisions` the decision log where it
    is on, `place` this worker among those that pass connections on to each other, `way_back` seals
    the address to which somebody returns who has read the written policy, `devices` remembers which
    devices do not trust our certificate, `most_connections` is how many one address may have open
    (None: any number)."""

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
    balancers: ClientGuard = ClientGuard(())
    place: WorkerPlace = WorkerPlace()
    way_back: Sealer | None = None
    devices: DistrustingDevices | None = None
    most_connections: int | None = None
