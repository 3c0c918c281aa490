"""What goes on after a decision: a body, a WebSocket or a tunnel in flight, and the answers about
it."""

from __future__ import annotations

from typing import NamedTuple

from proxy_addon.core.catalogue import Hit
from proxy_addon.core.metering.activity import Exchange, Judgement
from proxy_addon.core.types import Balance, Decision, Person, Target


class Flight:
    """A body, a WebSocket or a tunnel that goes on. `handle` (what to cut) and `request` (its id)
    are the adapter's."""

    __slots__ = (
        "at",
        "bytes",
        "handle",
        "hit",
        "judgement",
        "key",
        "kind",
        "page",
        "person",
        "pushed",
        "request",
        "sent",
        "since",
        "target",
        "x",
    )

    def __init__(self, kind: str, person: Person, target: Target, at: float) -> None:
        self.kind = kind  # "http", "websocket" or "tunnel"
        self.person = person
        self.target = target
        self.at = at
        self.since = at
        self.bytes = 0
        self.handle: object = None
        self.request = ""
        self.x: Exchange | None = None
        self.hit: Hit | None = None
        self.page: Hit | None = None
        self.judgement: Judgement | None = None
        self.key = ""
        self.pushed = self.sent = float("-inf")


class Asked(NamedTuple):
    """The answer to `ask`. `flight` only when it goes on; `notice` when a heads-up is due first."""

    decision: Decision
    flight: Flight | None = None
    notice: Balance | None = None


class Due(NamedTuple):
    """Something that has to end now, why, and how long ago its time was up (seconds)."""

    flight: Flight
    decision: Decision
    delay: float
