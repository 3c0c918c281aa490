"""What goes on after a decision: a body, a WebSocket or a tunnel in flight, and the answers about
it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from proxy_addon.core.catalogue import Catalogue, Hit
from proxy_addon.core.metering import receipts
from proxy_addon.core.metering.activity import Exchange, Judgement
from proxy_addon.core.types import Balance, Decision, Person, Target
from proxy_addon.metering.notice_gate import Gated


class Ending(NamedTuple):
    """A free tunnel that is about to be ended: at a pause from the instant `not_before` on, at the
    latest at `by`. `charged`: what passes until then is charged."""

    not_before: float
    by: float
    charged: bool


class OpenAnswer:
    """An answer of unknown size, which is judged when more of it is known: its status, its type,
    when its head came, and the bytes of its body since."""

    __slots__ = ("at", "content_type", "size", "status")

    def __init__(self, status: int, content_type: str, at: float) -> None:
        self.status = status
        self.content_type = content_type
        self.at = at
        self.size = 0


class Flight:
    """A body, a WebSocket or a tunnel that goes on. `handle` (what to cut) and `request` (its id)
    are the adapter's."""

    __slots__ = (
        "active",
        "answer",
        "as_embed",
        "at",
        "bytes",
        "ending",
        "estimated",
        "handle",
        "hit",
        "judgement",
        "key",
        "kind",
        "page",
        "person",
        "refused",
        "report",
        "request",
        "signed_in",
        "since",
        "socket",
        "target",
        "total",
        "uploaded",
        "uploads",
        "when_judged",
        "x",
    )

    def __init__(self, kind: str, person: Person, target: Target, at: float) -> None:
        self.kind = kind  # "http", "websocket" or "tunnel"
        self.person = person
        self.target = target
        self.at = at
        self.since = at
        self.active = at  # when bytes were last seen to pass (tunnels)
        self.as_embed = False  # it passes although the time is up, as a part of another page
        self.refused = False  # it does not any more: see `EmbeddedParts`
        self.signed_in = True  # whether the person's name rests on more than an address
        self.estimated = False  # a free tunnel: relayed, and measured by bytes
        self.ending: Ending | None = None
        self.bytes = 0  # either way, since the instant `since`
        self.total = 0  # bytes since it began
        self.uploaded = 0  # bytes of the request
        self.uploads: bool | None = None  # whether a person sends it; None: not asked yet
        self.report: Callable[[], None] | None = None  # tell what has passed until now (tunnels)
        self.handle: object = None
        self.request = ""
        self.x: Exchange | None = None
        self.hit: Hit | None = None
        self.page: Hit | None = None
        self.judgement: Judgement | None = None  # while `answer` is there: what it is so far
        self.answer: OpenAnswer | None = None
        self.when_judged: Callable[[Flight], None] | None = None
        self.key = ""
        self.socket = receipts.UNUSED


class Asked(NamedTuple):
    """The answer to `ask`. `flight` only when it goes on; `notice` when a heads-up is due first,
    `gated` when the written policy has to be read first (or would have to, where that is only tried
    out)."""

    decision: Decision
    flight: Flight | None = None
    notice: Balance | None = None
    gated: Gated | None = None


class Due(NamedTuple):
    """Something that has to end now, why, and how long ago its time was up (seconds). `reopens`:
    only so that it is opened when its client connects again."""

    flight: Flight
    decision: Decision
    delay: float
    reopens: bool = False


def page_of(catalogue: Catalogue, x: Exchange) -> Hit | None:
    """What the catalogue knows of the page that a request comes from."""
    if x.page_host:
        return catalogue.lookup(x.page_host, x.page_path or "/")
    return catalogue.lookup(x.origin_host, "/") if x.origin_host else None
