"""Twin of proxy_addon/core/metering/giving_back.py: what is given back, and how much one find may
take."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.core.intervals import difference, measure, normalise
from proxy_addon.core.metering.activity import Evidence, Kind
from proxy_addon.core.metering.giving_back import MOST_LOST, SITTING, retract, retract_some
from proxy_addon.core.metering.meter import observe
from proxy_addon.core.metering.timeline import EMPTY, Mark, Timeline
from proxy_addon.core.ruleset import Metering
from proxy_addon.core.types import Interval

RULES = Metering(navigation_gap=180.0, interaction_gap=60.0, media_gap=45.0, tail=10.0)
roots = st.lists(st.sampled_from([5.0, 20.0, 45.0, 59.0]), min_size=2, max_size=40)


def sitting(pauses: list[float]) -> Timeline:
    """A sitting of scrolls that any find may take for a timer's."""
    timeline, at = EMPTY, 0.0
    for pause in pauses:
        at += pause
        scroll = Mark(at, at, Kind.INTERACTION, "k", Evidence.PAGE_ACTION, root=(at, False))
        timeline = observe(timeline, scroll, RULES)
    return timeline


def lost(before: Timeline, after: Timeline) -> float:
    """Seconds that are not charged any more."""
    old = normalise(Interval(s.start, s.end) for s in before.stretches)
    return measure(difference(old, normalise(Interval(s.start, s.end) for s in after.stretches)))


@given(roots)
def test_a_whole_sitting_is_never_taken_back_by_one_find(pauses: list[float]) -> None:
    """Of a stretch of eight minutes or more at least half stays, of a shorter one all may go."""
    timeline = sitting(pauses)
    (stretch,) = timeline.stretches
    length = stretch.end - stretch.start
    taken = lost(
        timeline, retract_some(timeline, {m.root for m in timeline.marks if m.root}, RULES)
    )
    assert taken <= MOST_LOST * length if length >= SITTING else taken == length


@given(roots, st.integers(0, 40))
def test_a_find_that_takes_little_is_taken_whole(pauses: list[float], number: int) -> None:
    """The limit changes nothing below itself."""
    timeline = sitting(pauses)
    newest = {m.root for m in timeline.marks[-number:] if number and m.root}
    whole = retract(timeline, newest, RULES)
    length = sum(s.end - s.start for s in timeline.stretches)
    if lost(timeline, whole) <= MOST_LOST * length:
        assert retract_some(timeline, newest, RULES) == whole


def test_the_newest_is_given_back_first() -> None:
    """Where somebody left and a tab went on, it is the end that was the tab's."""
    timeline = sitting([50.0] * 20)
    after = retract_some(timeline, {m.root for m in timeline.marks if m.root}, RULES)
    (kept,) = [s for s in after.stretches if s.end > s.start]
    assert kept.start == timeline.stretches[0].start
    assert lost(timeline, after) > 400.0
