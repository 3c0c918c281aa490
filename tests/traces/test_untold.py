"""Twin of tests/traces/untold.py: a day without lengths costs what it costs with them."""

from __future__ import annotations

import pytest

from proxy_addon.core.metering.activity import HELD_SECONDS
from proxy_addon.trace.event import TraceEvent
from proxy_addon.trace.jsonl import event_of
from tests.traces.generate import generate
from tests.traces.untold import CONTENT, Difference, causal, difference, main, untold


def day() -> list[TraceEvent]:
    """A morning with a feed."""
    return [event_of(line) for line in generate(300, "feed", "d").events]


@pytest.mark.parametrize(
    ("scenario", "style"),
    [("feed", "a"), ("open-fat", "c"), ("video", "d"), ("embedded-film", "d"), ("bosh", "d")],
)
def test_lengths_that_are_not_told_change_nothing(scenario: str, style: str) -> None:
    """Feeds, films, fat polls and requests that are held open: within half a percent."""
    found = difference(300, scenario, style)
    assert found.charged > 0.0
    assert found.share < 0.005


def test_answers_end_before_what_they_bring() -> None:
    """Nothing else of the day changes."""
    before, after = day(), causal(day())
    assert [event._replace(duration=0.0) for event in after] == [
        event._replace(duration=0.0) for event in before
    ]
    ends = {event.user: 0.0 for event in after}
    for event in after:
        if event.kind != "request" or event.duration >= HELD_SECONDS:
            continue
        if event.content_type.startswith(CONTENT):
            assert event.at >= ends[event.user]
        else:
            ends[event.user] = max(ends[event.user], event.at + event.duration)


def test_the_same_bytes_pass() -> None:
    """Give or take what is lost by rounding; no length is told."""
    for known, seen in zip(day(), untold(day(), 1), strict=True):
        if seen.course is None:
            assert known.kind != "request" or not known.status
            continue
        assert seen.course.told == 0
        assert seen.course.head <= known.duration
        passed = sum(size for _, size in seen.course.passed)
        assert passed == pytest.approx(known.bytes, abs=max(1, len(seen.course.passed)))


def test_differences_add_up() -> None:
    """Shares are of what is charged, or of ten minutes."""
    assert Difference(90.0, 3.0) + Difference(10.0, 2.0) == Difference(100.0, 5.0)
    assert Difference(100.0, 5.0).share == 0.05
    assert Difference(0.0, 60.0).share == 0.1


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each scenario and one for all."""
    main(["--seeds", "300", "--scenario", "prefetch", "--style", "a"])
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        "prefetch",
        "OVERALL",
    ]
