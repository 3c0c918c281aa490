"""The clock: a pure fold of activities into stretches of attention, for one person on one platform.

What counts as a second of use (METERING.md, section 3):

* An activity (a `Mark`) opens a stretch, or joins up with the one that is open when it comes before the
  `reach` of what was seen before: the end of the last activity plus the gap its kind allows. The gap is charged.
* What loads in the first seconds after a page was opened is the page, not the person scrolling: it does not
  shorten the long gap that an opened page allows.
* After its last activity a stretch goes on for a short tail.
* Minutes can be given back: marks keep the key of the endpoint that made them, and `retract` takes those of a
  machine away and folds the rest again. Stretches keep their serial number, so a caller sees a stretch become
  shorter, split or vanish (`end == start`), and writes that down under the same name.
* Time that runs backwards changes nothing: a mark from the past counts from the newest instant seen.

States are values; nothing is changed in place. Memory is bounded: old marks are folded into one that cannot be
retracted any more.
"""

from __future__ import annotations

from typing import NamedTuple

from proxy_addon.core.activity import Evidence, Kind
from proxy_addon.core.ruleset import Metering

MARKS_KEPT = 384
PAGE_LOAD = 5.0  # seconds that a page goes on loading its own parts


class Mark(NamedTuple):
    """One activity: from when to when (instants), of which kind, made by which endpoint ("" = for certain)."""

    at: float
    until: float
    kind: Kind
    key: str
    evidence: Evidence
    section: str | None = None


class Stretch(NamedTuple):
    """A piece of attention in one section: `[start, end)`, and the evidence that opened and last extended it."""

    serial: int
    start: float
    end: float
    section: str | None
    opened: Evidence
    last: Evidence


class Clock(NamedTuple):
    """The state of the fold: marks that may still be retracted, and the stretches that they amount to."""

    marks: tuple[Mark, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    reach: float = float("-inf")
    newest: float = float("-inf")
    serial: int = 1


IDLE = Clock()


def gap_of(kind: Kind, metering: Metering) -> float:
    """How long may be silent after an activity of this kind; seconds."""
    if kind is Kind.NAVIGATION:
        return metering.navigation_gap
    if kind is Kind.MEDIA:
        return metering.media_gap
    return metering.interaction_gap


def observe(clock: Clock, mark: Mark, metering: Metering) -> Clock:
    """Enter one activity."""
    if mark.at < clock.newest or mark.until < mark.at:
        at = max(mark.at, clock.newest)
        mark = mark._replace(at=at, until=max(at, mark.until))
    return _bounded(_fold(clock, mark, metering))


def _fold(clock: Clock, mark: Mark, metering: Metering) -> Clock:
    end = mark.until + metering.tail
    reach = mark.until + gap_of(mark.kind, metering)
    if clock.stretches and mark.at <= clock.reach:
        if _part_of_page(clock, mark):
            reach = max(reach, clock.reach)
        return _join(clock, mark, end, reach)
    opened = Stretch(clock.serial, mark.at, end, mark.section, mark.evidence, mark.evidence)
    return Clock((*clock.marks, mark), (*clock.stretches, opened), reach, mark.at, clock.serial + 1)


def _part_of_page(clock: Clock, mark: Mark) -> bool:
    """True for what a page loads by itself in its first seconds, and while media goes on underneath."""
    for seen in reversed(clock.marks):
        if mark.at - seen.at > PAGE_LOAD and mark.at > seen.until:
            return False
        if seen.kind is Kind.NAVIGATION and mark.at - seen.at <= PAGE_LOAD:
            return True
        if seen.kind is Kind.MEDIA and seen.until >= mark.at:
            return True
    return False


def _join(clock: Clock, mark: Mark, end: float, reach: float) -> Clock:
    last = clock.stretches[-1]
    serial = clock.serial
    if last.section == mark.section:
        ended = last._replace(end=max(last.end, end), last=mark.evidence)
        stretches = (*clock.stretches[:-1], ended)
    else:
        before = last._replace(end=mark.at)
        following = Stretch(serial, mark.at, max(last.end, end), mark.section, mark.evidence, mark.evidence)
        stretches = (*clock.stretches[:-1], before, following)
        serial += 1
    return Clock(_append(clock.marks, mark), stretches, reach, max(clock.newest, mark.at), serial)


def _append(marks: tuple[Mark, ...], mark: Mark) -> tuple[Mark, ...]:
    """Marks of one endpoint that follow each other at once are one mark."""
    if marks:
        last = marks[-1]
        close = mark.at - last.until <= 1.0
        if close and (last.key, last.kind, last.section) == (mark.key, mark.kind, mark.section):
            return (*marks[:-1], last._replace(until=max(last.until, mark.until)))
    return (*marks, mark)


def retract(clock: Clock, key: str, since: float, metering: Metering) -> Clock:
    """Take away what `key` caused from `since` on: it was a machine. Other marks stay, stretches shrink."""
    kept = tuple(m for m in clock.marks if m.key != key or m.at < since)
    if len(kept) == len(clock.marks):
        return clock
    fresh = Clock(newest=float("-inf"), serial=clock.serial)
    for mark in kept:
        fresh = _fold(fresh, mark, metering)
    return _same_serials(clock, fresh)


def _same_serials(old: Clock, new: Clock) -> Clock:
    """Stretches that begin inside an old one keep its serial; old ones without an heir become empty."""
    left = list(old.stretches)
    serial = new.serial
    named: list[Stretch] = []
    for stretch in new.stretches:
        heir = next(
            (o for o in left if o.start <= stretch.start <= o.end and o.section == stretch.section), None
        )
        if heir is not None:
            left.remove(heir)
            named.append(stretch._replace(serial=heir.serial))
        else:
            named.append(stretch._replace(serial=serial))
            serial += 1
    # The open stretch has to stay last: what is gone comes before it, whatever the time it began at.
    gone = [o._replace(end=o.start, last=Evidence.RHYTHM) for o in left]
    reach = new.reach if named else float("-inf")
    return Clock(new.marks, (*gone, *named), reach, old.newest, serial)


def truncate(clock: Clock, at: float) -> Clock:
    """End what is open at the instant `at` (time was up, the connection was cut); nothing joins up with it."""
    stretches = tuple(s if s.end <= at else s._replace(end=max(s.start, at)) for s in clock.stretches)
    return Clock((), stretches, float("-inf"), max(clock.newest, at), clock.serial)


def settle(clock: Clock, now: float, memory: float) -> Clock:
    """Forget what can no longer change: stretches that ended more than `memory` seconds ago."""
    horizon = now - memory
    if not clock.stretches or clock.stretches[0].end >= horizon:
        return clock
    if clock.reach < horizon:
        return Clock(newest=clock.newest, serial=clock.serial)
    stretches = tuple(s for s in clock.stretches if s.end >= horizon)
    first = stretches[0].start if stretches else horizon
    return clock._replace(stretches=stretches, marks=tuple(m for m in clock.marks if m.at >= first))


def _bounded(clock: Clock) -> Clock:
    """Fold the older half of too many marks into one that stands for the stretch they made."""
    if len(clock.marks) <= MARKS_KEPT:
        return clock
    half = len(clock.marks) // 2
    cut = clock.marks[half].at
    current = [s for s in clock.stretches if s.start <= cut < s.end]
    later = tuple(s for s in clock.stretches if s.end > cut)
    if not current:
        return clock._replace(marks=clock.marks[half:], stretches=later)
    last = clock.marks[half - 1]
    anchor = Mark(current[0].start, last.until, last.kind, "", current[0].opened, current[0].section)
    return clock._replace(marks=(anchor, *clock.marks[half:]), stretches=later)
