"""Laws of the clock in proxy_addon/core/metering/meter.py: time is charged once, given back once,
and kept small."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.intervals import Intervals, measure, normalise
from proxy_addon.core.metering import meter
from proxy_addon.core.metering.activity import Evidence, Kind
from proxy_addon.core.metering.giving_back import retract
from proxy_addon.core.metering.meter import MARKS_KEPT, PENDING_KEPT, observe, settle, truncate
from proxy_addon.core.metering.timeline import EMPTY, Mark, Timeline
from proxy_addon.core.ruleset import Metering
from proxy_addon.core.types import Interval

RULES = Metering(navigation_gap=180.0, interaction_gap=60.0, media_gap=45.0, tail=10.0)
T = 1_000_000.0
ROOTS = [(float(n), False) for n in range(3)]
laws = settings(max_examples=100, deadline=None)

# Quarters of a second add up exactly, so that equality can be asked for.
pauses = st.sampled_from([0.0, 0.0, 0.5, 2.0, 9.0, 19.5, 44.0, 59.75, 60.0, 61.0, 179.0, 250.0])


def run(marks: list[Mark], timeline: Timeline = EMPTY) -> Timeline:
    """The clock after these."""
    for each in marks:
        timeline = observe(timeline, each, RULES)
    return timeline


def union(timeline: Timeline) -> Intervals:
    """All that is charged."""
    return normalise(Interval(s.start, s.end) for s in timeline.stretches)


@st.composite
def days(draw: st.DrawFn, *, firm: bool = False, machines: bool = True) -> list[Mark]:
    """Activities in the order in which they are seen, of a person and of up to three machines."""
    roots = st.sampled_from([None, None, *ROOTS]) if machines else st.none()
    found, at = list[Mark](), T
    for _ in range(draw(st.integers(0, 14))):
        at += draw(pauses)
        lasts = draw(st.sampled_from([0.0, 0.0, 1.0, 70.0]))
        kind = Kind.INTERACTION if firm else draw(st.sampled_from(list(Kind)))
        needs = 1 if firm else draw(st.sampled_from([1, 1, 2, 3]))
        key = draw(st.sampled_from("ab"))
        found.append(
            Mark(
                at,
                at + lasts,
                kind,
                key,
                Evidence.PAGE_ACTION,
                None,
                needs,
                draw(roots),
                novel=draw(st.booleans()),
                follows=not firm and draw(st.booleans()),
            )
        )
    return found


@laws
@given(days())
def test_each_stretch_is_made_of_marks_and_gaps(marks: list[Mark]) -> None:
    """A stretch begins with a mark and ends a tail after a mark: no charge comes from nothing."""
    starts, ends = {m.at for m in marks}, {m.until + RULES.tail for m in marks}
    for stretch in run(marks).stretches:
        assert stretch.start in starts
        assert stretch.end in ends


@laws
@given(days())
def test_a_pause_longer_than_every_gap_is_never_charged(marks: list[Mark]) -> None:
    """Between two activities further apart than the longest gap only the tail is charged."""
    charged = union(run(marks))
    latest = float("-inf")
    for each in marks:
        if each.at - latest > RULES.navigation_gap:
            assert not [i for i in charged if i.start < latest + RULES.tail and i.end > each.at]
        latest = max(latest, each.until)


@laws
@given(days(firm=True), days(firm=True))
def test_more_activity_never_charges_less(marks: list[Mark], others: list[Mark]) -> None:
    """A second device adds to the time or leaves it, and both together are charged once."""
    both = sorted([*marks, *others], key=lambda m: m.at)
    whole = union(run(both))
    for part in (marks, others):
        assert normalise([*union(run(part)), *whole]) == whole


@laws
@given(days(firm=True, machines=False), st.randoms(use_true_random=False))
def test_the_order_within_an_instant_does_not_matter(marks: list[Mark], rng: object) -> None:
    """What is seen at the same instant by two workers is the same time in either order."""
    shuffled = list(marks)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    shuffled.sort(key=lambda m: m.at)  # stable: only equal instants change places
    assert union(run(shuffled)) == union(run(marks))


@laws
@given(days(), st.floats(-1e6, 1e6).map(round))
def test_the_hour_does_not_matter(marks: list[Mark], shift: int) -> None:
    """The same activities at another time of day are charged the same."""
    later = [m._replace(at=m.at + shift, until=m.until + shift) for m in marks]
    moved = [Interval(i.start + shift, i.end + shift) for i in union(run(marks))]
    assert list(union(run(later))) == moved


@laws
@given(days(), st.sets(st.sampled_from(ROOTS)))
def test_giving_back_twice_is_giving_back_once(
    marks: list[Mark], roots: set[tuple[float, bool]]
) -> None:
    """The second time nothing belongs to the machine any more, and the clock is the very same."""
    once = retract(run(marks), roots, RULES)
    assert retract(once, roots, RULES) is once


@laws
@given(days(), st.sets(st.sampled_from(ROOTS)), st.sets(st.sampled_from(ROOTS)))
def test_giving_back_in_two_parts(
    marks: list[Mark], first: set[tuple[float, bool]], second: set[tuple[float, bool]]
) -> None:
    """Two machines found one after the other, in either order, leave what both found at once
    would."""
    timeline = run(marks)
    both = union(retract(timeline, first | second, RULES))
    assert union(retract(retract(timeline, first, RULES), second, RULES)) == both
    assert union(retract(retract(timeline, second, RULES), first, RULES)) == both


@laws
@given(days(firm=True), st.sampled_from([0.0, 5.0, 59.0, 300.0]))
def test_cutting_twice_is_cutting_once(marks: list[Mark], after: float) -> None:
    """Time that was up is up: the same cut again changes nothing."""
    cut = truncate(run(marks), T + after)
    assert truncate(cut, T + after) == cut


@laws
@given(days(), days(), st.sampled_from([0.0, 30.0, 200.0]))
def test_splitting_by_a_cut_keeps_what_is_on_each_side(
    before: list[Mark], after: list[Mark], pause: float
) -> None:
    """After a cut the clock charges as one that has just begun, and what was before stays as it
    was."""
    first = run(before)
    end = max((s.end for s in first.stretches), default=T)
    end = max([end, *(m.until for m in before)]) + pause
    shift = end - T
    later = [m._replace(at=m.at + shift, until=m.until + shift) for m in after]
    both = measure(union(run(later, truncate(first, end))))
    assert both == measure(union(first)) + measure(union(run(later)))


def test_a_small_answer_before_a_cut_does_not_count_together_with_one_after_it() -> None:
    """What waits for company when the time is up waits no more: the next day's first seconds are
    its own."""
    weak = Mark(T, T, Kind.INTERACTION, "a", Evidence.PAGE_ACTION, needs=2)
    later = weak._replace(at=T + 5.0, until=T + 5.0, key="b")
    assert measure(union(run([weak, later]))) == 15.0
    assert run([later], truncate(run([weak]), T + 1.0)).stretches == ()


@laws
@given(days(firm=True, machines=False), st.integers(0, 14))
def test_settling_in_between_changes_no_later_charge(marks: list[Mark], place: int) -> None:
    """What may still change is kept: the end of the day is the same, whether the clock was settled
    or not."""
    first, rest = marks[:place], marks[place:]
    now = first[-1].at if first else T
    settled = run(rest, settle(run(first), now, 600.0))
    whole = [i for i in union(run(marks)) if i.end >= now]
    assert [i for i in union(settled) if i.end >= now] == whole
    assert settled.serial == run(marks).serial


def scrolls(count: int, pause: float) -> list[Mark]:
    """Many scrolls, each of a machine of its own."""
    return [
        Mark(
            T + pause * n,
            T + pause * n,
            Kind.INTERACTION,
            "k",
            Evidence.PAGE_ACTION,
            root=(1000.0 + n, False),
        )
        for n in range(count)
    ]


def test_marks_are_folded_when_they_are_one_too_many() -> None:
    """Up to the bound each can be given back; beyond it the older half is one mark, and the rest is
    as it was."""
    assert MARKS_KEPT == 768
    full = run(scrolls(768, 30.0))
    assert len(full.marks) == 768
    folded = run(scrolls(769, 30.0))
    assert len(folded.marks) == 1 + 769 - 384
    anchor = folded.marks[0]
    assert (anchor.at, anchor.until, anchor.root) == (T, T + 30.0 * 383, None)
    assert anchor.evidence is Evidence.PAGE_ACTION
    assert folded.marks[1:] == run(scrolls(769, 30.0)[384:]).marks


def test_what_begins_with_the_first_kept_mark_is_not_folded() -> None:
    """Where each mark is a stretch of its own, no mark stands for another, and none ends before it
    begins."""
    apart = run(scrolls(769, 100.0))
    assert len(apart.marks) == 769 - 384
    assert apart.stretches[0].start == apart.marks[0].at
    fewer = retract(apart, {(1768.0, False)}, RULES)
    assert all(s.start <= s.end for s in fewer.stretches)
    assert [s.serial for s in fewer.stretches if s.end > s.start] == list(range(385, 769))


@pytest.mark.parametrize("kept", [4, 9])
@settings(max_examples=150, deadline=None)
@given(marks=days(firm=True, machines=False))
def test_folding_leaves_what_can_still_be_given_back(kept: int, marks: list[Mark]) -> None:
    """The newest mark is given back from a clock that has folded others: what it leaves is what it
    always was."""
    if marks:
        marks = [*marks[:-1], marks[-1]._replace(root=ROOTS[1])]
    whole = retract(run(marks), {ROOTS[1]}, RULES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(meter, "MARKS_KEPT", kept)
        small = run(marks)
        assert len(small.marks) <= kept
        left = retract(small, {ROOTS[1]}, RULES)
    since = min((s.start for s in small.stretches), default=T)
    assert all(s.start <= s.end for s in left.stretches)
    assert list(union(left)) == [i for i in union(whole) if i.start >= since]


def test_weak_marks_that_wait_are_few() -> None:
    """However many small answers come without opening anything, the newest sixteen are kept
    waiting."""
    assert PENDING_KEPT == 16
    poor = [m._replace(needs=100, root=None) for m in scrolls(40, 5.0)]
    timeline = run(poor)
    assert timeline.pending == tuple(poor[-16:])
    assert timeline.stretches == ()
