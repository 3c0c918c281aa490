"""How far what is charged depends on answers that tell their length:
`python -m tests.traces.untold --seeds 300-301`.

Each day is charged twice, once with all sizes known and once as a proxy sees answers that tell
none: their heads, and their bodies as they pass.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from proxy_addon.core.intervals import measure
from proxy_addon.core.metering.activity import HELD_BYTES, HELD_SECONDS
from proxy_addon.simulate import simulate_events
from proxy_addon.trace.event import ResponseTiming, TraceEvent
from proxy_addon.trace.jsonl import event_of
from tests.traces.evaluate import seeds_of
from tests.traces.generate import STYLES, generate, scenarios_of
from tests.traces.ours import everything_spends

LONG = 3.0  # seconds: a head comes at once, or, of a request that is held open, with the news
CONTENT = ("image/", "video/", "audio/", "font/")

type Charged = dict[tuple[str, str], float]
"""Seconds for each user and platform."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Seconds charged with all sizes known, and how far the same without is from that, summed over
    users and platforms."""

    charged: float
    apart: float

    def __add__(self, other: Difference) -> Difference:
        return Difference(self.charged + other.charged, self.apart + other.apart)

    @property
    def share(self) -> float:
        """Of what is charged, or of ten minutes where nothing is."""
        return self.apart / (self.charged or 600.0)


def causal(events: Sequence[TraceEvent]) -> list[TraceEvent]:
    """The day with answers to scripts that end before what they bring is asked for, as in a
    browser; generators are careless about that."""
    following: dict[str, float] = {}
    found = []
    for event in reversed(events):
        if event.kind == "request":
            left = following.get(event.user, float("inf")) - event.at
            if event.content_type.startswith(CONTENT):
                following[event.user] = event.at
            elif event.duration < HELD_SECONDS and 0.0 <= left < event.duration:
                event = event._replace(duration=0.95 * left)
        found.append(event)
    return found[::-1]


def untold(events: Iterable[TraceEvent], seed: int) -> list[TraceEvent]:
    """The same as a proxy sees it when no answer tells its length."""
    rng = random.Random(seed)
    return [
        event._replace(course=_course(event, rng))
        if event.kind == "request" and event.status
        else event
        for event in events
    ]


def _course(event: TraceEvent, rng: random.Random) -> ResponseTiming:
    took = event.duration
    head = min(took, max(0.03, 0.4 * took))
    if took >= LONG:
        waits = event.bytes < HELD_BYTES and rng.random() < 0.5
        head = 0.98 * took if waits else 0.3
    steps = max(1, int(took - head) + 1) if event.bytes else 0
    passed = tuple(
        (head + (took - head) * (step + 1) / steps, max(1, event.bytes // steps))
        for step in range(steps)
    )
    return ResponseTiming(head, 0, passed)


def charged(events: Iterable[TraceEvent]) -> Charged:
    """What our meter charges."""
    result = simulate_events(everything_spends(), events)
    return {
        (user, platform): measure(union)
        for user, person in result.users.items()
        for platform, union in person.by_platform().items()
    }


def difference(seed: int, scenario: str, style: str | None = None) -> Difference:
    """Of one day."""
    day = causal([event_of(line) for line in generate(seed, scenario, style).events])
    known, seen = charged(day), charged(untold(day, seed))
    apart = sum(abs(known.get(key, 0.0) - seen.get(key, 0.0)) for key in known.keys() | seen.keys())
    return Difference(sum(known.values()), apart)


def main(arguments: Sequence[str] | None = None) -> None:
    """A line for each scenario, and one for all."""
    parser = argparse.ArgumentParser(prog="python -m tests.traces.untold", description=__doc__)
    parser.add_argument("--seeds", default="300-301", type=seeds_of)
    parser.add_argument("--scenario", action="append", help="repeatable; all without it")
    parser.add_argument("--style", choices=tuple(STYLES))
    options = parser.parse_args(arguments)
    total = Difference(0.0, 0.0)
    for scenario in options.scenario or scenarios_of(options.style):
        found = Difference(0.0, 0.0)
        for seed in options.seeds:
            found += difference(seed, scenario, options.style)
        print(f"{scenario:14} {found.charged:8.0f} s  {found.apart:7.1f} s  {found.share:7.2%}")
        total += found
    print(f"{'OVERALL':14} {total.charged:8.0f} s  {total.apart:7.1f} s  {total.share:7.2%}")


if __name__ == "__main__":
    main()
