"""A person moves on from one platform to another: time on one allowance is one clock.

Somebody who opens a page elsewhere was here until then, if the last activity here was not too long
ago; and whoever comes back later was not here in between. Only pages that a person opened for
certain are moves, so nothing that a page does by itself ends or extends a stretch elsewhere.
"""

from __future__ import annotations

from typing import Final

from proxy_addon.core.metering.timeline import Mark, Timeline

MOVED: Final = 0.55  # of the gap that would be charged on coming back here
RETURN_GAP: Final = 20.0  # seconds; two windows side by side are both in use
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
    last = timeline.stretches[-1] if timeline.stretches else None
    reach = max(timeline.reach, timeline.far)
    timeline = timeline._replace(
        marks=(*timeline.marks, mark), newest=max(timeline.newest, mark.at)
    )
    if last is None or mark.at > reach or mark.at - timeline.until < STILL_PLAYING:
        return timeline
    more = would_charge(timeline, mark.at)
    if more:
        ended = last._replace(end=last.end + more)
        timeline = timeline._replace(stretches=(*timeline.stretches[:-1], ended))
    back = mark.at + RETURN_GAP
    return timeline._replace(reach=min(timeline.reach, back), far=min(timeline.far, back))
