"""Our own meter in the evaluation."""

from __future__ import annotations

from tests.traces.engine import charge, rules


def test_everything_is_metered_and_nothing_runs_out() -> None:
    """A day spent on one platform is charged whole: the evaluation is of the meter, not of a policy."""
    page = {
        "user": "ana",
        "url": "https://www.linkedin.com/feed/",
        "status": 200,
        "content_type": "text/html",
    }
    headers = {"sec-fetch-dest": "document", "sec-fetch-mode": "navigate", "sec-fetch-site": "none"}
    gap = rules().metering.navigation_gap
    events = [
        page | {"at": 1.79e9 + 0.8 * gap * n, "headers": headers, "bytes": 90_000, "duration": 0.5}
        for n in range(40)
    ]
    (span,) = charge(events)["ana"]["linkedin"]
    assert span[0] == events[0]["at"]
    assert span[1] >= events[-1]["at"]
