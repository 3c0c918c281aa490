"""Minutes are given back: what periodic requests added to a timeline is taken out of it again.

The marks that are left are folded once more. A find that is not certain may err, so there is a
limit: of one long stretch it takes back no more than a part, the newest first.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Final

from proxy_addon.core.intervals import intersection, measure, normalise
from proxy_addon.core.metering.activity import Evidence
from proxy_addon.core.metering.meter import fold
from proxy_addon.core.metering.polling import Root
from proxy_addon.core.metering.timeline import Stretch, Timeline
from proxy_addon.core.ruleset import Metering
from proxy_addon.core.types import Interval

SITTING: Final = 480.0  # seconds; a stretch as long as this is not given back by one find
MOST_LOST: Final = 0.5  # of it, if the find is not certain


def retract(timeline: Timeline, roots: Set[Root], metering: Metering) -> Timeline:
    """Remove the marks of `roots`, which were periodic requests. Other marks stay; stretches
    shrink."""
    kept = tuple(m for m in timeline.marks if m.root not in roots)
    if len(kept) == len(timeline.marks):
        return timeline
    fresh = Timeline(serial=timeline.serial)
    for mark in kept:
        fresh = fold(fresh, mark, metering)
    return _same_serials(timeline, fresh)


def retract_some(timeline: Timeline, roots: Set[Root], metering: Metering) -> Timeline:
    """The same for a find that is not certain: of a sitting it takes back no more than `MOST_LOST`,
    the newest first."""
    whole = retract(timeline, roots, metering)
    if whole is timeline or not _takes_too_much(timeline, whole):
        return whole
    newest_first = sorted(roots, reverse=True)
    least, most = 0, len(newest_first) - 1
    while least < most:
        tried = (least + most + 1) // 2
        fewer = retract(timeline, frozenset(newest_first[:tried]), metering)
        if _takes_too_much(timeline, fewer):
            most = tried - 1
        else:
            least = tried
    return retract(timeline, frozenset(newest_first[:least]), metering)


def _takes_too_much(old: Timeline, new: Timeline) -> bool:
    kept = normalise(Interval(s.start, s.end) for s in new.stretches)
    for stretch in old.stretches:
        length = stretch.end - stretch.start
        if length < SITTING:
            continue
        left = intersection((Interval(stretch.start, stretch.end),), kept)
        if length - measure(left) > MOST_LOST * length:
            return True
    return False


def _same_serials(old: Timeline, new: Timeline) -> Timeline:
    """Stretches that start inside an old one keep its serial number; old ones without a match
    become empty."""
    unmatched = list(old.stretches)
    serial = new.serial
    numbered: list[Stretch] = []
    for stretch in new.stretches:
        match = next(
            (
                o
                for o in unmatched
                if o.start <= stretch.start <= o.end and o.section == stretch.section
            ),
            None,
        )
        if match is not None:
            unmatched.remove(match)
            numbered.append(stretch._replace(serial=match.serial))
        else:
            numbered.append(stretch._replace(serial=serial))
            serial += 1
    # The open stretch has to stay last: removed ones come before it, whenever they started.
    removed = [o._replace(end=o.start, last=Evidence.RHYTHM) for o in unmatched]
    return new._replace(stretches=(*removed, *numbered), newest=old.newest, serial=serial)
