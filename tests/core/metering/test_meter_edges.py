"""The clock of proxy_addon/core/metering/meter.py on both sides of each of its documented spans."""

from __future__ import annotations

import pytest

from proxy_addon.core.metering.activity import Evidence, Kind
from proxy_addon.core.metering.giving_back import retract
from proxy_addon.core.metering.meter import gap_of, joins, observe, settle, truncate
from proxy_addon.core.metering.timeline import EMPTY, Mark, Timeline
from proxy_addon.core.ruleset import Metering

RULES = Metering(navigation_gap=180.0, interaction_gap=60.0, media_gap=45.0, tail=10.0)
T = 1_000_000.0
PAGE, SCROLL, FILM = Kind.NAVIGATION, Kind.INTERACTION, Kind.MEDIA


def mark(at: float, kind: Kind = SCROLL, lasts: float = 0.0, **more: object) -> Mark:
    """One activity `at` seconds after the start."""
    made = Mark(T + at, T + at + lasts, kind, "key", Evidence.PAGE_ACTION)
    return made._replace(**more)  # type: ignore[arg-type]


def weak(at: float, needs: int = 2, **more: object) -> Mark:
    """A mark that counts only with others."""
    return mark(at, needs=needs, **more)


def run(*marks: Mark, timeline: Timeline = EMPTY) -> Timeline:
    """The clock after these."""
    for each in marks:
        timeline = observe(timeline, each, RULES)
    return timeline


def spans(timeline: Timeline) -> list[tuple[float, float]]:
    """All stretches, in seconds after the start."""
    return [(s.start - T, s.end - T) for s in timeline.stretches]


def named(timeline: Timeline) -> list[tuple[int, str | None, float, float]]:
    """Number, section, start and end of all stretches."""
    return [(s.serial, s.section, s.start - T, s.end - T) for s in timeline.stretches]


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        # One endpoint within ten seconds, two within twenty.
        ((weak(0), weak(10.0)), [(0, 20)]),
        ((weak(0), weak(10.25)), []),
        ((weak(0), weak(20.0, key="other")), [(0, 30)]),
        ((weak(0), weak(20.25, key="other")), []),
        # The pause counts from the end of the one before.
        ((weak(0)._replace(until=T + 5.0), weak(15.0)), [(0, 25)]),
        ((weak(0)._replace(until=T + 5.0), weak(15.25)), []),
        # Loads of one burst are one activity.
        ((weak(0), weak(1.5)), []),
        ((weak(0), weak(1.75)), [(0, 11.75)]),
        # The least that one of them needs is enough.
        ((weak(0, 3), weak(5)), [(0, 15)]),
        ((weak(0), weak(5, 3)), [(0, 15)]),
        ((weak(0, 3), weak(5, 3)), []),
        # A firm one makes up for all, but only in the same section and soon.
        ((weak(0, 9), mark(10.0)), [(0, 20)]),
        ((weak(0, 9), mark(10.25)), [(10.25, 20.25)]),
        ((weak(0, 9, section="feed"), mark(5)), [(5, 15)]),
        ((weak(0, section="feed"), weak(5)), []),
        # What waited too long does not wait any more.
        ((weak(0, 3), weak(15, 3), weak(20, 3)), []),
        ((weak(0, 3), weak(15, 3), weak(20, 3), weak(25, 3)), [(15, 35)]),
    ],
)
def test_what_opens_a_stretch(marks: tuple[Mark, ...], expected: list[tuple[float, float]]) -> None:
    """Weak marks open a stretch together, from the first of them on, or nothing is charged at
    all."""
    assert spans(run(*marks)) == expected


def test_a_stretch_names_what_opened_it_and_what_came_last() -> None:
    """With weak marks the first of them is the opening, and the one that made it count the last."""
    first = weak(0, evidence=Evidence.APP_ACTION)
    opened = run(first, weak(5, evidence=Evidence.MESSAGE_SENT))
    (stretch,) = opened.stretches
    assert (stretch.opened, stretch.last) == (Evidence.APP_ACTION, Evidence.MESSAGE_SENT)
    (grown,) = run(mark(8, evidence=Evidence.PAGE_OPENED), timeline=opened).stretches
    assert (grown.opened, grown.last) == (Evidence.APP_ACTION, Evidence.PAGE_OPENED)


def test_what_opened_a_stretch_does_not_open_another() -> None:
    """Weak marks that have counted are not kept waiting for the next stretch."""
    opened = run(weak(0), weak(5))
    assert spans(run(mark(8), timeline=opened)) == [(0, 18)]
    assert run(mark(8), timeline=opened).pending == ()
    assert spans(run(weak(200), timeline=run(mark(8), timeline=opened))) == [(0, 18)]


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        # Near firm evidence a weak mark bridges a minute.
        ((mark(0, PAGE), weak(60.0)), [(0, 70)]),
        ((mark(0, PAGE), weak(60.25)), [(0, 10)]),
        # Firm evidence vouches for three minutes, counted from its end; later on twenty seconds are
        # bridged.
        ((mark(0, PAGE), weak(60), weak(120), weak(130), weak(180.0)), [(0, 190)]),
        ((mark(0, PAGE), weak(60), weak(120), weak(130), weak(180.25)), [(0, 140)]),
        ((mark(0, PAGE, 1.0), weak(60), weak(120), weak(130), weak(181.0)), [(0, 191)]),
        ((mark(0, PAGE), weak(60), weak(120), weak(180), weak(200.0)), [(0, 210)]),
        ((mark(0, PAGE), weak(60), weak(120), weak(180), weak(200.25)), [(0, 190)]),
        # One for an endpoint never asked before bridges what firm evidence would.
        ((mark(0, PAGE), weak(180.0, novel=True)), [(0, 190)]),
        ((mark(0, PAGE), weak(180.25, novel=True)), [(0, 10)]),
    ],
)
def test_what_a_weak_mark_bridges(
    marks: tuple[Mark, ...], expected: list[tuple[float, float]]
) -> None:
    """As much as somebody vouches for, up to the last quarter of a second."""
    assert spans(run(*marks)) == expected


@pytest.mark.parametrize(
    ("marks", "reach"),
    [
        ((mark(0, PAGE),), 180.0),
        # The first five seconds are the page's own.
        ((mark(0, PAGE), mark(5.0)), 180.0),
        ((mark(0, PAGE), mark(5.25)), 65.25),
        ((mark(0, PAGE), mark(3.0), mark(5.0)), 180.0),
        ((mark(0, PAGE), mark(40.0, follows=True)), 180.0),
        ((mark(0, PAGE), weak(40.0)), 180.0),
        # Below a film that goes on, too, until its last byte.
        ((mark(0, PAGE), mark(2.0, FILM, 98.0), mark(50.0)), 180.0),
        ((mark(0, PAGE), mark(2.0, FILM, 98.0), mark(100.0)), 180.0),
        ((mark(0, PAGE), mark(2.0, FILM, 98.0), mark(100.25)), 160.25),
        # A page that is opened later allows its own time from then on.
        ((mark(0, PAGE), mark(50.0, PAGE)), 230.0),
        ((mark(0), mark(20.0, PAGE)), 200.0),
        # The gap of a film begins when it ends, whatever comes beside it.
        ((mark(0, FILM, 100.0),), 145.0),
        ((mark(0, FILM, 100.0), mark(20.0)), 145.0),
        ((mark(0, FILM, 100.0), mark(99.0)), 159.0),
    ],
)
def test_until_when_evidence_joins_up(marks: tuple[Mark, ...], reach: float) -> None:
    """The gap of the last evidence holds exactly to its end, unless what came belongs to the page
    or the film."""
    timeline = run(*marks)
    assert timeline.reach == T + reach
    assert joins(timeline, T + reach)
    assert not joins(timeline, T + reach + 0.25)


def test_nothing_joins_up_with_nothing() -> None:
    """Before the first stretch and after a cut there is nothing to join."""
    assert not joins(EMPTY, T)
    assert not joins(truncate(run(mark(0)), T + 5), T + 6)


@pytest.mark.parametrize(
    ("kind", "gap"), [(Kind.NAVIGATION, 180.0), (Kind.INTERACTION, 90.0), (Kind.MEDIA, 45.0)]
)
def test_the_gaps_when_nothing_is_configured(kind: Kind, gap: float) -> None:
    """Without a `metering:` key the documented seconds hold, and each kind has its own key."""
    assert gap_of(kind, Metering()) == gap
    key = f"{kind.value}_gap"
    assert gap_of(kind, Metering(**{key: 7.0})) == 7.0


@pytest.mark.parametrize(("at", "count"), [(5.0, 2), (5.25, 3)])
def test_a_stream_beside_another_may_pause_for_three_seconds(at: float, count: int) -> None:
    """Within them it goes on as what it was, after them it is a new stretch."""
    both = run(
        mark(0, FILM, 1.0, section="learning"),
        mark(2, FILM, 1.0),
        mark(at, FILM, 1.0, section="learning"),
    )
    assert len(both.stretches) == count


def test_only_streams_go_on_side_by_side() -> None:
    """A click in the first section is a change of section, not a stream."""
    timeline = run(
        mark(0, FILM, 1.0, section="learning"), mark(2, FILM, 1.0), mark(3, section="learning")
    )
    assert named(timeline) == [(1, "learning", 0, 2), (2, None, 2, 3), (3, "learning", 3, 13)]


@pytest.mark.parametrize(("sections", "stretches"), [("abcd", 4), ("abcde", 6)])
def test_four_sections_at_once(sections: str, stretches: int) -> None:
    """The fourth stream from the end is still found when it goes on; the fifth is a new stretch."""
    marks = [mark(0.5 * n, FILM, 0.25, section=name) for n, name in enumerate(sections)]
    again = mark(0.5 * len(sections), FILM, 0.25, section="a")
    assert len(run(*marks, again).stretches) == stretches


def test_a_change_of_section_keeps_the_longer_end() -> None:
    """What was charged already until a film's end stays charged, now to the section that is looked
    at."""
    timeline = run(mark(0, FILM, 100.0), mark(30, section="learning"))
    assert named(timeline) == [(1, None, 0, 30), (2, "learning", 30, 110)]


@pytest.mark.parametrize(
    ("second", "marks"),
    [
        (mark(2.0, FILM, 1.0), 1),
        (mark(2.25, FILM, 1.0), 2),
        (mark(1.0, FILM, 0.0), 1),
        (mark(0.5, FILM, 0.25), 2),
        (mark(1.0, FILM, 1.0, key="other"), 2),
        (mark(1.0, FILM, 1.0, root=(1.0, True)), 2),
        (mark(1.0, FILM, 1.0, section="feed"), 2),
        (mark(1.0, SCROLL, 1.0), 2),
        (mark(1.0, FILM, 1.0, needs=2), 2),
    ],
)
def test_what_is_kept_as_one_mark(second: Mark, marks: int) -> None:
    """Firm marks of one origin that follow within a second are one, anything else is kept by
    itself."""
    timeline = run(mark(0, FILM, 1.0), second)
    assert len(timeline.marks) == marks
    assert timeline.marks[-1].until == second.until


def test_pages_and_weak_marks_are_kept_one_by_one() -> None:
    """A page starts its reading time again, and weak marks are counted."""
    assert len(run(mark(0, PAGE), mark(0.5, PAGE)).marks) == 2
    assert len(run(mark(0), weak(0.5), weak(0.75)).marks) == 3
    assert len(run(mark(0), weak(0.5), mark(0.75)).marks) == 3


def test_new_numbers_follow_each_other() -> None:
    """Parts that had no number get the next free ones, in their order; the first part keeps the old
    one."""
    roots = {(1.0, False), (2.0, False)}
    held = run(
        mark(0), mark(50, root=(1.0, False)), mark(100), mark(150, root=(2.0, False)), mark(200)
    )
    split = retract(held, roots, RULES)
    assert spans(split) == [(0, 10), (100, 110), (200, 210)]
    serials = [s.serial for s in split.stretches]
    assert serials[0] == 1
    assert serials[1:] == [split.serial - 2, split.serial - 1]
    assert retract(split, roots, RULES) is split


def test_a_number_goes_to_the_part_that_begins_inside() -> None:
    """Where the first of two stretches was a machine, the second is still the second."""
    timeline = run(mark(0, root=(1.0, False)), mark(500))
    assert named(retract(timeline, {(1.0, False)}, RULES)) == [(1, None, 0, 0), (2, None, 500, 510)]
    sections = run(mark(0, root=(1.0, False), section="feed"), mark(5), mark(500, section="feed"))
    left = retract(sections, {(1.0, False)}, RULES)
    assert named(left) == [(1, "feed", 0, 0), (2, None, 5, 15), (3, "feed", 500, 510)]


def test_a_cut_at_the_edges() -> None:
    """An activity at the very instant of the cut is cut away; one that goes on over it is
    shortened."""
    timeline = run(mark(0), mark(30, FILM, 20.0))
    assert spans(truncate(timeline, T + 40)) == [(0, 40)]
    assert [m.until - T for m in truncate(timeline, T + 40).marks] == [0, 40, 40]
    assert [m.at - T for m in truncate(timeline, T + 30).marks] == [0, 30]
    assert spans(truncate(timeline, T + 60)) == [(0, 60)]
    assert spans(truncate(timeline, T + 75)) == [(0, 60)]
    assert spans(truncate(run(mark(5)), T)) == [(5, 5)]


def test_a_second_cut_is_no_cut() -> None:
    """When nothing is open and nothing could join up, the clock stays as it is."""
    cut = truncate(run(mark(0)), T + 5)
    assert truncate(cut, T + 5) is cut
    assert truncate(cut, T + 900) is cut
    assert truncate(cut, T + 4) is not cut
    over = run(mark(0))  # its reach is not over, so the cut counts although no stretch is open
    assert spans(run(mark(30), timeline=truncate(over, T + 20))) == [(0, 10), (30, 40)]


@pytest.mark.parametrize(("now", "kept"), [(3610.0, True), (3610.25, False)])
def test_what_ended_a_memory_ago_is_still_kept(now: float, kept: bool) -> None:
    """A stretch can be corrected for exactly as long as the memory lasts, with its marks."""
    timeline = run(mark(0), mark(5000))
    settled = settle(timeline, T + now, 3600.0)
    assert (spans(settled)[0] == (0, 10)) is kept
    assert len(settled.marks) == (2 if kept else 1)
    assert (settled is timeline) is kept


def test_marks_of_an_old_stretch_that_is_open_stay() -> None:
    """As long as a stretch may be corrected, all that made it is there, however old."""
    long = run(*(mark(50.0 * n, root=(float(n), False)) for n in range(200)))
    settled = settle(long, T + 50.0 * 199, 3600.0)
    assert settled is long
    empty = retract(run(mark(0, root=(1.0, False)), mark(90)), {(1.0, False)}, RULES)
    assert spans(empty) == [(0, 0), (90, 100)]
    assert spans(settle(empty, T + 100, 3600.0)) == [(90, 100)]
