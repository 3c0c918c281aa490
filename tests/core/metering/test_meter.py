"""The clock: gaps by kind, tails, minutes given back, a cut, and what holds whatever comes."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy_addon.core.intervals import Intervals, measure, normalise
from proxy_addon.core.metering.activity import Evidence, Kind
from proxy_addon.core.metering.giving_back import retract
from proxy_addon.core.metering.meter import (
    MARKS_KEPT,
    PAGE_LOAD,
    PENDING_GAP,
    PENDING_GAP_SAME,
    WEAK_GAP,
    gap_of,
    joins,
    observe,
    settle,
    truncate,
)
from proxy_addon.core.metering.timeline import EMPTY, Mark, Timeline
from proxy_addon.core.ruleset import Metering
from proxy_addon.core.types import Interval

RULES = Metering(navigation_gap=180.0, interaction_gap=60.0, media_gap=45.0, tail=10.0)
T = 1_000_000.0
quick = settings(max_examples=80, deadline=None)
PAGE, SCROLL, FILM = Kind.NAVIGATION, Kind.INTERACTION, Kind.MEDIA


def mark(
    at: float,
    kind: Kind = SCROLL,
    lasts: float = 0.0,
    section: str | None = None,
    machine: int | None = None,
    needs: int = 1,
) -> Mark:
    """One activity `at` seconds after the start; `machine` names the evidence it belongs to."""
    root = None if machine is None else (float(machine), False)
    return Mark(T + at, T + at + lasts, kind, "key", Evidence.PAGE_ACTION, section, needs, root)


def run(*marks: Mark, timeline: Timeline = EMPTY) -> Timeline:
    """The clock after these."""
    for each in marks:
        timeline = observe(timeline, each, RULES)
    return timeline


def spans(timeline: Timeline) -> list[tuple[float, float]]:
    """Stretches that are not empty, in seconds after the start."""
    return [(s.start - T, s.end - T) for s in timeline.stretches if s.end > s.start]


def union(timeline: Timeline) -> Intervals:
    """All that is charged."""
    return normalise(Interval(s.start, s.end) for s in timeline.stretches)


@pytest.mark.parametrize("kind", [PAGE, SCROLL, FILM])
def test_one_activity_is_its_tail(kind: Kind) -> None:
    """Nobody looks at anything for no time at all."""
    assert spans(run(mark(0, kind))) == [(0, 10)]


@pytest.mark.parametrize(("kind", "gap"), [(PAGE, 180.0), (SCROLL, 60.0), (FILM, 45.0)])
def test_a_gap_is_charged_up_to_what_its_kind_allows(kind: Kind, gap: float) -> None:
    """To the last moment of it, and not a moment longer; what comes after it does not matter."""
    assert gap_of(kind, RULES) == gap
    for after in (PAGE, SCROLL, FILM):
        assert spans(run(mark(0, kind), mark(gap, after))) == [(0, gap + 10)]
        assert spans(run(mark(0, kind), mark(gap + 0.25, after))) == [
            (0, 10),
            (gap + 0.25, gap + 10.25),
        ]


def test_the_gap_after_a_film_begins_with_its_last_byte() -> None:
    """Ten minutes of film are ten minutes."""
    assert spans(run(mark(0, FILM, 600), mark(645))) == [(0, 655)]
    assert len(spans(run(mark(0, FILM, 600), mark(645.25)))) == 2


def test_what_a_page_loads_by_itself_is_the_page() -> None:
    """Pictures of the first seconds do not shorten the time for reading; a scroll afterwards
    does."""
    loaded = run(mark(0, PAGE), mark(1), mark(PAGE_LOAD))
    assert spans(run(mark(180), timeline=loaded)) == [(0, 190)]
    scrolled = run(mark(PAGE_LOAD + 1), timeline=loaded)
    assert len(spans(run(mark(180), timeline=scrolled))) == 2


def test_pictures_further_down_are_the_same_page() -> None:
    """What nothing asked for, long after the page was opened, leaves the reader the time that the
    page allows."""
    read = run(mark(0, PAGE), mark(40)._replace(follows=True))
    assert spans(run(mark(178), timeline=read)) == [(0, 188)]
    assert len(spans(run(mark(181), timeline=read))) == 2


def test_a_weak_mark_of_a_new_endpoint_ends_a_long_read() -> None:
    """Somebody who presses a button for the first time was there until then; a poll of an old
    endpoint proves less."""
    read = run(mark(0, PAGE))
    late = mark(100)._replace(needs=2)
    assert spans(run(late, timeline=read)) == [(0, 10)]
    assert spans(run(late._replace(novel=True), timeline=read)) == [(0, 110)]
    assert not run(late._replace(novel=True)).stretches


def test_a_scroll_during_a_film_does_not_end_its_gap_earlier() -> None:
    """What runs underneath tells how long somebody stays."""
    assert spans(run(mark(0, FILM, 90), mark(29), mark(135))) == [(0, 145)]
    assert len(spans(run(mark(0, FILM, 90), mark(29), mark(136)))) == 2


def test_another_section_is_another_stretch() -> None:
    """The gap belongs to what was looked at before; nothing is charged twice."""
    timeline = run(
        mark(0, section="feed"), mark(30, section="learning"), mark(50, section="learning")
    )
    assert [(s.section, s.start - T, s.end - T) for s in timeline.stretches] == [
        ("feed", 0, 30),
        ("learning", 30, 60),
    ]


def test_two_streams_side_by_side_are_two_stretches() -> None:
    """A course that runs on is not cut into pieces by the feed beside it."""
    both = [mark(n, FILM, 1.0, section) for n in range(30) for section in ("learning", None)]
    timeline = run(*both)
    assert len(timeline.stretches) == 2
    assert measure(union(timeline)) == 40


def test_a_weak_mark_alone_opens_nothing() -> None:
    """A small answer to a script is a person's only with another one soon after; then it counts
    from the first."""
    assert spans(run(mark(0, needs=2))) == []
    other = mark(PENDING_GAP, needs=2)._replace(key="other")
    assert spans(run(mark(0, needs=2), other)) == [(0, PENDING_GAP + 10)]
    assert (
        spans(
            run(mark(0, needs=2), other._replace(at=T + PENDING_GAP + 1, until=T + PENDING_GAP + 1))
        )
        == []
    )
    assert spans(run(mark(0, needs=2), mark(PENDING_GAP_SAME, needs=2))) == [
        (0, PENDING_GAP_SAME + 10)
    ]
    assert (
        spans(run(mark(0, needs=2), mark(PENDING_GAP_SAME + 1, needs=2))) == []
    )  # one endpoint may be a timer's
    assert spans(run(mark(0, needs=2), mark(1, needs=2))) == []  # one burst
    assert spans(run(mark(0, needs=3), mark(10, needs=3))) == []
    assert spans(run(mark(0, needs=3), mark(10, needs=3), mark(20, needs=3))) == [(0, 30)]
    assert spans(run(mark(0, needs=2), mark(5))) == [(0, 15)]


def test_weak_marks_need_somebody_to_vouch_for_them() -> None:
    """Near firm evidence they bridge a minute, long after it only seconds."""
    assert spans(run(mark(0, PAGE), mark(WEAK_GAP, needs=2))) == [(0, WEAK_GAP + 10)]
    assert spans(run(mark(0, PAGE), mark(WEAK_GAP + 1, needs=2))) == [(0, 10)]
    held = run(mark(0, PAGE), mark(60, needs=2), mark(120, needs=2), mark(180, needs=2))
    assert spans(held) == [(0, 190)]
    assert not joins(held, T + 180 + PENDING_GAP + 1, weak=True)
    assert joins(held, T + 180 + PENDING_GAP, weak=True)


def test_a_machine_gives_back_to_where_the_person_left() -> None:
    """The stretch keeps its number, and what comes later joins up as if nothing had been there."""
    polls = [mark(60 + 50 * n, machine=n) for n in range(5)]
    timeline = run(mark(0), mark(20), *polls)
    assert spans(timeline) == [(0, 270)]
    fewer = retract(timeline, {(float(n), False) for n in range(5)}, RULES)
    assert spans(fewer) == [(0, 30)]
    assert [s.serial for s in fewer.stretches] == [timeline.stretches[0].serial]
    assert spans(run(mark(300), timeline=fewer)) == [(0, 30), (300, 310)]


def test_a_stretch_that_was_a_machine_alone_becomes_empty() -> None:
    """It is still named, so that the row of it can be written as given back; its number is not used
    again."""
    timeline = run(mark(0, machine=1), mark(50, machine=2))
    gone = retract(timeline, {(1.0, False), (2.0, False)}, RULES)
    assert [(s.serial, s.end - s.start) for s in gone.stretches] == [(1, 0.0)]
    assert gone.stretches[0].last is Evidence.RHYTHM
    assert run(mark(60), timeline=gone).stretches[-1].serial == 2


def test_a_stretch_splits_where_only_a_machine_held_it_together() -> None:
    """The first part keeps the number, the second gets one that was never used."""
    split = retract(run(mark(0), mark(50, machine=1), mark(100)), {(1.0, False)}, RULES)
    assert spans(split) == [(0, 10), (100, 110)]
    assert split.stretches[0].serial == 1
    assert 1 < split.stretches[1].serial < split.serial


def test_roots_that_are_not_there_change_nothing() -> None:
    """Not even the value."""
    timeline = run(mark(0), mark(5, machine=1))
    assert retract(timeline, {(9.0, False)}, RULES) is timeline


def test_a_cut_ends_what_is_open_and_nothing_joins_up_with_it() -> None:
    """The tail is not charged, and neither is a gap after it."""
    cut = truncate(run(mark(0, FILM, 100)), T + 50)
    assert spans(cut) == [(0, 50)]
    assert spans(run(mark(60), timeline=cut)) == [(0, 50), (60, 70)]
    assert truncate(EMPTY, T) == EMPTY


def test_what_is_given_back_after_a_cut_stays_cut() -> None:
    """Time was up then, whatever it is found out later."""
    cut = truncate(run(mark(0), mark(30, machine=1)), T + 35)
    again = run(mark(40), timeline=cut)
    assert spans(again) == [(0, 35), (40, 50)]
    assert spans(retract(again, {(1.0, False)}, RULES)) == [(0, 10), (40, 50)]


def test_the_past_counts_from_the_newest_instant() -> None:
    """A clock that was set back neither charges nor refunds."""
    timeline = run(mark(0), mark(30))
    back = run(mark(-500), timeline=timeline)
    assert spans(back) == [(0, 40)]
    assert spans(run(mark(31), timeline=back)) == [(0, 41)]
    assert spans(run(mark(30, FILM, -100), timeline=timeline)) == [(0, 40)]


def test_settling_forgets_what_is_over_and_charges_no_different() -> None:
    """What is open goes on; an empty clock keeps its time and its numbers."""
    timeline = run(mark(0), mark(5000), mark(5030))
    kept = settle(timeline, T + 5040, 3600)
    assert spans(kept) == [(5000, 5040)]
    assert spans(run(mark(5060), timeline=kept)) == [(5000, 5070)]
    assert settle(timeline, T + 5040, 7200) is timeline
    empty = settle(timeline, T + 50_000, 3600)
    assert empty == Timeline(newest=timeline.newest, serial=timeline.serial)


def test_memory_is_bounded_and_charges_no_less() -> None:
    """Marks without end are folded into one; the stretch begins where it began."""
    count = MARKS_KEPT + 200
    timeline = run(*(mark(3.0 * n, machine=n) for n in range(count)))
    assert len(timeline.marks) <= MARKS_KEPT
    assert spans(timeline) == [(0, 3.0 * (count - 1) + 10)]
    late = retract(timeline, {(float(count - 1), False)}, RULES)
    assert spans(late) == [(0, 3.0 * (count - 2) + 10)]
    assert [s.serial for s in late.stretches] == [1]


def test_one_stream_is_one_mark() -> None:
    """A film that is seen second by second does not fill the memory."""
    timeline = run(*(mark(n, FILM, 1.0) for n in range(1000)))
    assert len(timeline.marks) == 1
    assert spans(timeline) == [(0, 1010)]


PAUSES = (0.0, 0.5, 2.0, 9.0, 19.0, 44.0, 59.0, 61.0, 179.0, 200.0)
SHAPES = [
    (pause, lasts, machine, section, kind, needs)
    for pause in PAUSES
    for lasts in (0.0, 0.0, 1.0, 70.0)
    for machine in (None, None, 1, 2, 3)
    for section in (None, None, None, "learning")
    for kind in Kind
    for needs in (1, 1, 2, 3)
]


def day(shapes: list[int]) -> list[Mark]:
    """Activities in the order in which they are seen; each belongs to one of three machines, or to
    a person."""
    at, marks = 0.0, []
    for pause, lasts, machine, section, kind, needs in (SHAPES[number] for number in shapes):
        at += pause
        marks.append(mark(at, kind, lasts, section, machine, needs))
    return marks


days = st.lists(st.integers(0, len(SHAPES) - 1), max_size=20).map(day)


@quick
@given(days)
def test_never_more_than_the_time_that_passed(marks: list[Mark]) -> None:
    """Nor before the first activity, nor beyond a tail after the last, nor less than nothing."""
    timeline = run(*marks)
    assert all(s.end >= s.start for s in timeline.stretches)
    if timeline.stretches:
        end = max(m.until for m in marks) + RULES.tail
        assert marks[0].at <= min(s.start for s in timeline.stretches)
        assert max(s.end for s in timeline.stretches) <= end
        assert 0 <= measure(union(timeline)) <= end - marks[0].at


@quick
@given(days, st.integers(0, 20))
def test_going_on_from_a_kept_state(marks: list[Mark], place: int) -> None:
    """States are values: what was kept in between gives the same again, and is not changed by going
    on."""
    kept = run(*marks[:place])
    copy = Timeline(*kept)
    assert run(*marks[place:], timeline=kept) == run(*marks)
    assert kept == copy
    assert run(*marks[place:], timeline=kept) == run(*marks)


@quick
@given(days)
def test_numbers_are_given_once(marks: list[Mark]) -> None:
    """No two stretches share a number, and the next one is free."""
    timeline = run(*marks)
    serials = [s.serial for s in timeline.stretches]
    assert len(set(serials)) == len(serials)
    assert all(serial < timeline.serial for serial in serials)


@quick
@example(day([8160, 96, 7344]), {1})  # something brief beside what goes on for longer
@given(days, st.sets(st.integers(1, 3)))
def test_giving_back_shortens(marks: list[Mark], machines: set[int]) -> None:
    """What is left lies within what was; each old number is still named, and none is used twice."""
    marks = [m._replace(kind=SCROLL, needs=1) for m in marks]
    timeline = run(*marks)
    fewer = retract(timeline, {(float(n), False) for n in machines}, RULES)
    assert measure(normalise([*union(timeline), *union(fewer)])) == pytest.approx(
        measure(union(timeline))
    )
    serials = [s.serial for s in fewer.stretches]
    assert {s.serial for s in timeline.stretches} <= set(serials)
    assert len(set(serials)) == len(serials)
    assert all(serial < fewer.serial for serial in serials)


@quick
@given(days, st.sets(st.integers(1, 3)))
def test_giving_back_is_as_if_it_had_never_been(marks: list[Mark], machines: set[int]) -> None:
    """The time that is left is what the others' marks alone amount to."""
    roots = {(float(n), False) for n in machines}
    fewer = retract(run(*marks), roots, RULES)
    alone = run(*(m for m in marks if m.root not in roots))
    assert union(fewer) == union(alone)


@quick
@given(days, st.floats(0, 2000))
def test_a_cut_leaves_nothing_after_it(marks: list[Mark], after: float) -> None:
    """And takes nothing away before it."""
    timeline = run(*marks)
    cut = truncate(timeline, T + after)
    before = [
        Interval(s.start, min(s.end, T + after)) for s in timeline.stretches if s.start < T + after
    ]
    assert measure(union(cut)) == pytest.approx(measure(normalise(before)))
    assert all(s.end <= T + after or s.end == s.start for s in cut.stretches)


@quick
@given(days, st.lists(st.floats(-5000, 0), max_size=5))
def test_a_clock_that_runs_backwards(marks: list[Mark], earlier: list[float]) -> None:
    """Firm marks from the past add at most one tail after the newest instant."""
    timeline = run(*marks)
    back = run(*(mark(at) for at in earlier), timeline=timeline)
    if marks and earlier:
        newest = max(m.at for m in marks)
        ends = [s.end for s in timeline.stretches]
        assert max(s.end for s in back.stretches) <= max([newest + RULES.tail, *ends])
        assert measure(union(back)) <= measure(union(timeline)) + RULES.navigation_gap + RULES.tail
