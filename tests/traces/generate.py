"""One entry point to the generators: which of the first two makes a day is drawn from its seed.

The third and the fourth are held out: nothing was tuned on them, and they make days only where they
are asked for. The fourth was written without a look at the meter.
"""

from __future__ import annotations

import random

from tests.traces.day import MORE_SCENARIOS, SCENARIOS, Day, union
from tests.traces.style_a import scenarios as style_a
from tests.traces.style_b import scenarios as style_b
from tests.traces.style_c import scenarios as style_c
from tests.traces.style_d import scenarios as style_d

STYLES = {"a": style_a.make, "b": style_b.make, "c": style_c.make, "d": style_d.make}


def scenarios_of(style: str | None) -> tuple[str, ...]:
    """What a generator can make days of."""
    return (*SCENARIOS, *MORE_SCENARIOS) if style == "d" else SCENARIOS


def generate(seed: int, scenario: str, style: str | None = None) -> Day:
    """The same arguments always give the same day. `style` "a", "b", "c" or "d" forces one of the
    generators."""
    known = scenarios_of(style)
    if scenario not in known:
        raise ValueError(f"unknown scenario {scenario!r}; one of: {', '.join(known)}")
    # A string seed is hashed by its bytes, so a day does not depend on the process.
    rng = random.Random(f"{scenario}:{seed}")
    drawn = rng.choice("ab")
    events, truth, start, end = STYLES[style or drawn](rng, scenario)
    return Day(
        events=sorted((e for e in events if start <= e["at"] <= end), key=lambda e: e["at"]),
        truth={
            user: {name: joined for name, spans in platforms.items() if (joined := union(spans))}
            for user, platforms in truth.items()
        },
        scenario=scenario,
        seed=seed,
        start=start,
        end=end,
    )
