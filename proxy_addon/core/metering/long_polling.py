"""Long polling: a script asks, the server answers when it has something, and the script asks again
at once. The cadence is the server's, so none of it is a person's doing.

Comet servers, socket.io without WebSockets, Matrix `sync` and XMPP over BOSH work like this. Three
things are known of an endpoint that answers so:

* an answer that was held back for seconds and is small waited for the server;
* what is asked again within a moment of such an answer is asked by the script;
* on an endpoint that has held back several answers, a small answer to a GET is a heartbeat.

A client that writes while its question is held interrupts it (BOSH): the server then answers the
held one at once, so that it ends just *after* the new one began. That is the client's own doing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from proxy_addon.core.metering.activity import Evidence, Exchange, Judgement, Kind
from proxy_addon.core.types import Activity

HELD_BACK: Final = 2.5  # seconds that no server needs to find a small answer
HELD_SIZE: Final = 20_000  # bytes; larger answers took their time to come
ASKED_AGAIN: Final = 0.4  # seconds after such an answer in which no person acts
INTERRUPTED: Final = 1.0  # seconds in which a server ends a question that was interrupted
KNOWN: Final = 3  # answers held back, after which an endpoint is known to do so
HEARTBEAT: Final = 4_096  # bytes
ENDPOINTS_KEPT: Final = 16

_HELD: Final = Judgement(Activity.BACKGROUND, Evidence.HELD_OPEN)
_SENT: Final = Judgement(Activity.VISIT, Evidence.MESSAGE_SENT, Kind.INTERACTION)


class HeldBack(NamedTuple):
    """What is known of an endpoint: when the last answer that was held back ended (an instant), and
    how many there were."""

    ended: float
    answers: int


type LongPolling = Mapping[str, HeldBack]
"""The endpoints of one person and platform that hold answers back."""

NONE: Final[LongPolling] = {}


def judged(
    known: LongPolling, key: str, x: Exchange, judgement: Judgement, at: float
) -> tuple[LongPolling, Judgement]:
    """The state and the judgement after a request of a script to endpoint `key` that began at the
    instant `at`, with its answer."""
    if x.dest not in (None, "empty") or not _may_be_held(judgement):
        return known, judgement
    old = known.get(key)
    waited = x.duration >= HELD_BACK and x.bytes < HELD_SIZE
    if old is None and not waited:
        return known, judgement
    since = at - old.ended if old is not None else float("inf")
    if waited:
        known = _with(known, key, at + x.duration, old)
        if -INTERRUPTED <= since < 0.0:
            return known, _SENT
        return known, _HELD
    heartbeat = old is not None and old.answers >= KNOWN and x.method == "GET"
    if 0.0 <= since <= ASKED_AGAIN or (heartbeat and x.bytes < HEARTBEAT):
        return known, _HELD
    return known, judgement


def _may_be_held(judgement: Judgement) -> bool:
    if judgement.evidence is Evidence.HELD_OPEN:
        return True
    return judgement.activity is Activity.VISIT and judgement.kind is Kind.INTERACTION


def _with(known: LongPolling, key: str, ended: float, old: HeldBack | None) -> LongPolling:
    after = dict(known)
    after.pop(key, None)
    answers = old.answers + 1 if old is not None else 1
    after[key] = HeldBack(max(ended, old.ended) if old is not None else ended, answers)
    if len(after) > ENDPOINTS_KEPT:
        del after[next(iter(after))]
    return after
