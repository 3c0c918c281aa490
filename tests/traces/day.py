"""An office day: what a proxy would see, and when the person was really there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

type Span = tuple[float, float]
type Spans = list[Span]
type Times = dict[str, dict[str, Spans]]
"""User -> platform -> disjoint spans, oldest first; instants."""

OPEN_TABS = ("open-regular", "open-jittered", "open-fat", "self-refresh", "rotating-ads")
QUIET = ("embeds", "prefetch", *OPEN_TABS)
"""Scenarios in which machines do nearly everything: charged minutes outside the truth are their
measure."""

SCENARIOS = (
    "feed",
    "long-read",
    "video",
    "long-stream",
    "chat",
    "glances",
    *OPEN_TABS,
    "paused-video",
    "coming-back",
    "embeds",
    "prefetch",
    "phone-app",
    "two-tabs",
    "two-devices",
    "sleep",
    "pinned-app",
    "mixed",
)

MORE_SCENARIOS = (
    "own-endpoint",
    "long-polling",
    "matrix",
    "bosh",
    "socket-io",
    "chat-xhr",
    "sse",
    "graphql",
    "embedded-film",
    "in-turn",
)
"""Of the fourth generator only."""


@dataclass(frozen=True, slots=True)
class Day:
    """`events` as proxy_addon/trace/jsonl.py reads them, sorted by `at`; `truth` is the attention
    behind them."""

    events: list[dict[str, Any]]
    truth: Times
    scenario: str
    seed: int
    start: float
    end: float


def union(spans: Iterable[Span]) -> Spans:
    """Disjoint spans, oldest first; empty ones gone."""
    joined: Spans = []
    for start, end in sorted(spans):
        if end <= start:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def length(spans: Iterable[Span]) -> float:
    """Seconds."""
    return sum(end - start for start, end in spans)


def common(left: Spans, right: Spans) -> float:
    """Seconds that both have; each disjoint and sorted."""
    total, i, j = 0.0, 0, 0
    while i < len(left) and j < len(right):
        total += max(0.0, min(left[i][1], right[j][1]) - max(left[i][0], right[j][0]))
        if left[i][1] <= right[j][1]:
            i += 1
        else:
            j += 1
    return total
