"""Our own meter in the evaluation."""

from __future__ import annotations

import random

from tests.traces.day import length
from tests.traces.engine import charge, rules


def test_everything_is_metered_and_nothing_runs_out() -> None:
    """More is charged than the shipped policy would let through: the meter is measured, not a
    policy."""
    page = {
        "user": "ana",
        "status": 200,
        "content_type": "text/html",
    }
    headers = {"sec-fetch-dest": "document", "sec-fetch-mode": "navigate", "sec-fetch-site": "none"}
    rng, gap, at, events = random.Random(1), rules().metering.navigation_gap, 1.79e9, []
    for _ in range(40):
        address = f"https://www.linkedin.com/in/person-{rng.randrange(10**6)}/"
        events.append(
            page | {"at": at, "url": address, "headers": headers, "bytes": 90_000, "duration": 0.5}
        )
        at += min(0.8 * gap, rng.lognormvariate(4, 0.9))
    charged = charge(events)
    assert charged.keys() == {"ana"}
    assert charged["ana"].keys() == {"linkedin"}
    assert length(charged["ana"]["linkedin"]) > 1800
