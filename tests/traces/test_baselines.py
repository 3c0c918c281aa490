"""Meters to be beaten."""

from __future__ import annotations

from tests.traces.baselines import any_request, platform_of
from tests.traces.evaluate import evaluate, report


def test_hosts_belong_to_platforms_by_their_longest_end() -> None:
    """On label boundaries."""
    assert platform_of({"url": "https://edge-chat.facebook.com/chat"}) == "facebook"
    assert platform_of({"host": "youtubei.googleapis.com"}) == "youtube"
    assert platform_of({"url": "https://netflix.com/"}) is None


def test_any_request_opens_a_minute() -> None:
    """Two close by are one stretch."""
    events = [
        {"at": at, "user": "ana", "url": "https://x.com/", "duration": 1.0}
        for at in (0.0, 30.0, 500.0)
    ]
    assert any_request(events) == {"ana": {"x": [(0.0, 91.0), (500.0, 561.0)]}}


def test_baselines_are_bad_where_the_issue_says_so() -> None:
    """An open tab that renews itself costs a meter without understanding hours."""
    for meter in ("any_request", "pages_and_films"):
        figures = report(evaluate(range(4), ["self-refresh"], f"tests.traces.baselines:{meter}"))
        assert figures["quiet_extra_minutes_per_8h"]["self-refresh"] > 60
