"""From judged activities to ledger rows: revisions, splits, minutes given back, and what is
forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.core.intervals import measure, normalise
from proxy_addon.core.metering.activity import Evidence
from proxy_addon.core.metering.polling import CONTENT
from proxy_addon.core.ruleset import Mode
from proxy_addon.core.types import Activity, Balance, Interval, Target
from proxy_addon.metering.platform_state import Load
from proxy_addon.metering.visit_tracker import CLIP_BYTES, GIVE_BACK_MEMORY, overspent
from tests.core.policies import H, M
from tests.metering.harness import (
    DORA,
    LITTLE,
    PLAYED,
    SCROLLED,
    START,
    TAIL,
    Harness,
    moves,
    policy,
    quick,
)


def test_each_platform_has_its_own_clock() -> None:
    """Two at once are two visits, charged once."""
    harness = Harness()
    for after in (0, 30):
        harness.page(after)
        harness.page(after + 10, "facebook")
    assert harness.rows() == [(0, 40, "a", "Little"), (10, 50, "a", "Little")]
    assert harness.spent() == 50


def test_a_machine_gives_its_minutes_back() -> None:
    """A tab that asks every half minute: the rows shrink under the same id, the balance rises, and
    it is counted."""
    harness = Harness()
    harness.page(0)
    most, became = 0.0, []
    for beat in range(1, 40):
        became.append(harness.scroll(30.0 * beat))
        most = max(most, harness.spent())
    assert became[0] is Activity.VISIT
    assert became[-1] is Activity.BACKGROUND
    assert most > 60
    assert harness.rows() == [(0, TAIL, "a", "Little")]
    assert harness.spent() == TAIL
    assert harness.metrics.returned == pytest.approx(harness.metrics.charged - TAIL)
    assert all(v.rev >= 1 for v in harness.written)


def test_coming_back_is_noticed_at_once() -> None:
    """While the tab goes on asking."""
    harness = Harness()
    harness.page(0)
    for beat in range(1, 40):
        harness.scroll(30.0 * beat)
    harness.page(1213)
    assert harness.rows() == [(0, TAIL, "a", "Little"), (1213, 1213 + TAIL, "a", "Little")]


def test_a_weak_answer_alone_is_no_visit() -> None:
    """Two soon after each other are one, which began with the first."""
    harness = Harness()
    harness.scroll(0, weak=True)
    assert harness.rows() == []
    harness.scroll(7, "x.com/other", weak=True)
    assert harness.rows() == [(0, 7 + TAIL, "a", "Little")]


def test_what_would_be_charged_for_a_gap() -> None:
    """Beyond the tail that is charged already; nothing when it would not join up."""
    harness = Harness()
    assert harness.attention.pending("dora", "x", START) == 0
    harness.page(0)
    assert [
        harness.attention.pending("dora", "x", START + after)
        for after in (5, 10, 70, 180, 243, 244)
    ] == [
        0,
        0,
        60,
        170,
        233,
        0,
    ]


def test_a_gap_never_charges_more_than_there_was() -> None:
    """The stretch ends at the last second, and when that was is said."""
    harness = Harness(policy(limit=100.0))
    harness.page(0)
    harness.page(150)
    assert harness.rows() == [(0, 100, "a", "Little")]
    assert harness.metrics.ended[0] == START + 100


def test_a_stream_never_charges_more_than_there_was() -> None:
    """Also where two of them overlap."""
    harness = Harness(policy(limit=100.0))
    harness.stream(0, 80)
    harness.stream(40, 120, "facebook")
    assert harness.book.of("dora").spent("a", 0.0, START + 120) == pytest.approx(100)
    assert harness.metrics.ended[0] == START + 100


def test_what_is_only_observed_is_not_trimmed() -> None:
    """Time goes on as if there were enough of it."""
    harness = Harness(policy(replace(LITTLE, mode=Mode.OBSERVE), limit=100.0))
    harness.page(0)
    harness.page(150)
    assert harness.spent() == 150 + TAIL


def test_what_runs_can_be_ended() -> None:
    """At an instant; nothing joins up with it, and nobody else is ended."""
    harness = Harness()
    harness.stream(0, 60)
    harness.stream(0, 60, "facebook")
    harness.attention.stop(harness.engine, DORA, "x", START + 40)
    harness.attention.stop(harness.engine, DORA, "reddit", START + 40)
    harness.page(65)
    assert harness.rows() == [
        (0, 40, "a", "Little"),
        (0, 70, "a", "Little"),
        (65, 75, "a", "Little"),
    ]


def test_a_clip_that_a_machine_brought_is_not_watched() -> None:
    """What is short may come with a feed that refreshes itself; what is long is watched by
    somebody."""
    harness = Harness()
    for beat in range(60):
        harness.scroll(30.0 * beat)
        seen = START + 30.0 * beat + 1
        picture = Load(Target("x"), seen, seen, SCROLLED, CONTENT, leads=False)
        harness.attention.enter(harness.engine, DORA, picture)
    clip = Load(Target("x"), seen, seen, PLAYED, CONTENT, leads=False, size=400_000)
    assert harness.attention.enter(harness.engine, DORA, clip) is Activity.BACKGROUND
    assert harness.spent() == 0
    later = clip._replace(at=seen + 10, until=seen + 10)
    assert harness.attention.enter(harness.engine, DORA, later) is Activity.MEDIA
    long = clip._replace(size=CLIP_BYTES + 1)
    assert harness.attention.enter(harness.engine, DORA, long) is Activity.MEDIA
    assert harness.spent() == TAIL


def test_forgetting() -> None:
    """Old stretches are dropped first and idle clocks later; the book is another matter."""
    harness = Harness()
    harness.page(0)
    timeline = harness.attention.state_of("dora", "x").timeline
    assert [stretch.opened for stretch in timeline.stretches] == [Evidence.PAGE_OPENED]
    assert harness.attention.active(START) == 1
    assert harness.attention.active(START + 1) == 0
    harness.attention.settle(START + GIVE_BACK_MEMORY + TAIL + 1)
    assert harness.attention.state_of("dora", "x").timeline.stretches == ()
    assert harness.attention.tracked() == [("dora", "x")]
    harness.attention.settle(START + 4 * GIVE_BACK_MEMORY + 1)
    assert harness.attention.tracked() == []
    assert harness.spent() == TAIL


def test_dropping_a_person() -> None:
    """What goes on begins a new visit, and others keep theirs."""
    harness = Harness()
    harness.page(0)
    harness.attention.drop("bob")
    harness.page(30)
    harness.attention.drop("dora")
    harness.page(60)
    assert [row[:2] for row in harness.rows()] == [(0, 40), (60, 70)]


@pytest.mark.parametrize(
    ("spent", "granted", "over"), [(100, 0, -10), (120, 0, 10), (120, 30, -20)]
)
def test_overspent(spent: float, granted: float, over: float) -> None:
    """Used beyond the limit, what was carried over, and what was granted."""
    assert overspent(Balance("a", 60, spent, granted, 50, 0, None)) == over


@quick
@given(st.lists(moves, max_size=40), st.sampled_from([5 * M, H]))
def test_rows_and_balances_agree(steps: Sequence[tuple[float, str]], limit: float) -> None:
    """Whatever happens: revisions rise by one, the book is the union of the last ones, and counters
    add up."""
    harness, now = Harness(policy(limit=limit)), 0.0
    for pause, what in steps:
        now += pause
        if what in ("page", "facebook"):
            harness.page(now, "x" if what == "page" else what)
        elif what == "stream":
            harness.stream(max(0.0, now - 5), now)
        elif what == "stop":
            harness.attention.stop(harness.engine, DORA, "x", START + now)
        else:
            harness.scroll(now, weak=what == "weak")
    revisions: dict[str, int] = {}
    for visit in harness.written:
        assert visit.rev == revisions.get(visit.id, 0) + 1
        assert visit.end >= visit.start
        revisions[visit.id] = visit.rev
    rows = harness.rows()
    union = measure(normalise(Interval(start, end) for start, end, _, _ in rows))
    assert harness.spent() == pytest.approx(union)
    assert harness.metrics.charged - harness.metrics.returned == pytest.approx(
        sum(b - a for a, b, _, _ in rows)
    )
