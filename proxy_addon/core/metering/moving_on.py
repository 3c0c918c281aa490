"""A person moves on from one platform to another: time on one allowance is one clock.

Somebody who opens a page elsewhere was here until then, if the last activity here was not too long
ago; and whoever comes back later was not here in between. Only pages that a person opened for
certain are moves, so nothing that a page does by itself extends a stretch elsewhere. Two devices in
use at once are not affected: a gap is left out only where others are charged for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from proxy_addon.core.intervals import intersection, measure, normalise
from proxy_addon.core.metering.timeline import Mark, Timeline
from proxy_addon.core.types import Interval

MOVED: Final = 0.55  # of the gap that would be charged on coming back here
RETURN_GAP: Final = 20.0  # seconds; two windows side by side are both in use
ELSEWHERE: Final = 0.9  # of a gap here, which is charged to other platforms
NEWEST: Final = 8  # stretches of each platform that are looked at
STILL_PLAYING: Final = 15.0  # seconds; what was active that lately may be a film that goes on


def would_charge(timeline: Timeline, at: float) -> float:
    """Seconds that a move elsewhere at the instant `at` would charge here."""
    reach = max(timeline.reach, timeline.far)
    if not timeline.stretches or at > reach or at - timeline.until < STILL_PLAYING:
        return 0.0
    if at - timeline.until > MOVED * (reach - timeline.until):
        return 0.0
    return max(0.0, at - timeline.stretches[-1].end)


def after_move(timeline: Timeline, mark: Mark) -> Timeline:
    """The timeline of the platform that was left, with the mark of the move."""
    timeline = timeline._replace(
        marks=(*timeline.marks, mark), newest=max(timeline.newest, mark.at)
    )
    more = would_charge(timeline, mark.at)
    if more:
        last = timeline.stretches[-1]
        ended = last._replace(end=last.end + more)
        timeline = timeline._replace(stretches=(*timeline.stretches[:-1], ended))
    return timeline


def was_elsewhere(timeline: Timeline, others: Iterable[Timeline], at: float) -> bool:
    """Whether somebody who is here again at the instant `at` was on other platforms meanwhile: they
    are charged for nearly all of the gap, which is therefore not charged here as well."""
    if not timeline.stretches or at > max(timeline.reach, timeline.far):
        return False
    end = timeline.stretches[-1].end
    if at - end <= RETURN_GAP:
        return False
    used = normalise(
        Interval(stretch.start, stretch.end)
        for other in others
        for stretch in other.stretches[-NEWEST:]
    )
    return measure(intersection((Interval(end, at),), used)) >= ELSEWHERE * (at - end)
