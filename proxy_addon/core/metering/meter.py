"""The clock: a pure fold of activities into stretches of attention, for one person on one platform.

What counts as a second of use (docs/metering.md):

* An activity (a `Mark`) opens a stretch, or joins up with the one that is open when it comes before the
  `reach` of what was seen before: the end of the last activity plus the gap its kind allows. The gap is charged.
* What loads while a page is being read (its own parts in the first seconds, later pictures further down) does not
  shorten the long gap that an opened page allows. A scroll that asks for more does.
* After its last activity a stretch goes on for a short tail.
* A *weak* mark is one small answer to a script, which brought nothing to look at. One alone opens nothing: a second
  activity soon after does, and then the stretch begins with the first. Long after the last firm evidence weak marks
  extend a stretch only while they follow each other closely.
* Minutes can be given back: marks keep the `root` of the evidence that made them, and `retract` takes those of a
  machine away and folds the rest again. Stretches keep their serial number, so a caller sees a stretch become
  shorter, split or vanish (`end == start`), and writes that down under the same name.
* When time was up, a mark that ends everything is put down (`truncate`), so that what is given back later is right.
* Time that runs backwards changes nothing: a mark from the past counts from the newest instant seen.

States are values; nothing is changed in place. Memory is bounded: old marks are folded into one that cannot be
retracted any more.
"""

from __future__ import annotations

from collections.abc import Set
from itertools import pairwise
from typing import NamedTuple

from proxy_addon.core.metering.activity import Evidence, Kind
from proxy_addon.core.metering.polling import BURST_GAP, Root
from proxy_addon.core.ruleset import Metering

MARKS_KEPT = 768
PARALLEL = (
    3.0  # seconds; streams are seen once a second, and one that pauses for longer has stopped
)
SECTIONS_AT_ONCE = 4
PAGE_LOAD = 5.0  # seconds that a page goes on loading its own parts
SOON = (
    20.0  # seconds within which a weak mark needs another one to count, when nothing firm is near
)
SOON_SAME = 10.0  # the same for one endpoint, which may be a timer's
WEAK_GAP = 60.0  # seconds that a weak mark may bridge while firm evidence vouches for it
SUPPORT = 180.0  # seconds for which firm evidence vouches for weak marks after it
ALONE_KEPT = 16
SAME = 1.0  # marks of one origin closer than this are one
NEVER = float("-inf")


class Mark(NamedTuple):
    """One activity: from when to when (instants), of which kind, made by which endpoint.

    `needs`: how many bursts must come soon after each other to open a stretch: 1 is firm, more is weak. `root`
    names the evidence it belongs to, None = a person for certain; `cut` ends all that is open instead. `novel`: that
    endpoint was not asked before, so that even a weak mark may end a long read. `follows`: pictures that nothing asked
    for, further down on the page that is being read.
    """

    at: float
    until: float
    kind: Kind
    key: str
    evidence: Evidence
    section: str | None = None
    needs: int = 1
    root: Root | None = None
    cut: bool = False
    novel: bool = False
    follows: bool = False

    @property
    def weak(self) -> bool:
        """It counts only together with others."""
        return self.needs > 1


class Stretch(NamedTuple):
    """A piece of attention in one section: `[start, end)`, and the evidence that opened and last extended it."""

    serial: int
    start: float
    end: float
    section: str | None
    opened: Evidence
    last: Evidence


class Timeline(NamedTuple):
    """The state of the fold: marks that may still be retracted, and the stretches that they amount to.

    `reach`: until when firm evidence joins up; `until`: end of the last activity that counted; `firm`: the same of
    the last firm one; `alone`: weak marks that wait for more.
    """

    marks: tuple[Mark, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    reach: float = NEVER
    newest: float = NEVER
    serial: int = 1
    until: float = NEVER
    firm: float = NEVER
    alone: tuple[Mark, ...] = ()


IDLE = Timeline()


def gap_of(kind: Kind, metering: Metering) -> float:
    """How long may be silent after an activity of this kind; seconds."""
    if kind is Kind.NAVIGATION:
        return metering.navigation_gap
    if kind is Kind.MEDIA:
        return metering.media_gap
    return metering.interaction_gap


def observe(clock: Timeline, mark: Mark, metering: Metering) -> Timeline:
    """Enter one activity."""
    if mark.at < clock.newest or mark.until < mark.at:
        at = max(mark.at, clock.newest)
        mark = mark._replace(at=at, until=max(at, mark.until))
    return _bounded(_fold(clock, mark, metering))


def joins(clock: Timeline, at: float, metering: Metering, *, weak: bool = False) -> bool:
    """Whether an activity at the instant `at` joins up with what is open, so that the gap is charged."""
    if not clock.stretches or at > clock.reach:
        return False
    if not weak:
        return True
    return at <= clock.until + (WEAK_GAP if at - clock.firm <= SUPPORT else SOON)


def _fold(clock: Timeline, mark: Mark, metering: Metering) -> Timeline:
    if mark.cut:
        return _cut(clock, mark)
    end = mark.until + metering.tail
    gap = gap_of(mark.kind, metering)
    # What is still going on is not shortened by something brief beside it: else taking that away would charge more.
    reach = max(mark.until + gap, min(clock.reach, clock.until + gap))
    firm = clock.firm if mark.weak else max(clock.firm, mark.until)
    until = max(clock.until, mark.until)
    if joins(clock, mark.at, metering, weak=mark.weak and not mark.novel):
        if mark.weak or mark.follows or _part_of_page(clock, mark):
            reach = max(reach, clock.reach)
        return _join(clock, mark, end)._replace(reach=reach, firm=firm, until=until, alone=())
    reach = mark.until + gap
    newest = max(clock.newest, mark.at)
    marks = (*clock.marks, mark)
    alone = clock.alone
    if alone and (
        mark.at - alone[-1].until > _soon(alone[-1], mark) or alone[-1].section != mark.section
    ):
        alone = ()
    if mark.weak:
        alone = (*alone, mark)[-ALONE_KEPT:]
        if _bursts(alone) < min(m.needs for m in alone):
            return clock._replace(marks=marks, newest=newest, alone=alone)
    start = alone[0] if alone else mark
    opened = Stretch(clock.serial, start.at, end, mark.section, start.evidence, mark.evidence)
    return Timeline(marks, (*clock.stretches, opened), reach, newest, clock.serial + 1, until, firm)


def _soon(before: Mark, mark: Mark) -> float:
    return SOON_SAME if before.key == mark.key else SOON


def _bursts(marks: tuple[Mark, ...]) -> int:
    return 1 + sum(b.at - a.at > BURST_GAP for a, b in pairwise(marks))


def _cut(clock: Timeline, mark: Mark) -> Timeline:
    at = mark.at
    stretches = tuple(
        s if s.end <= at else s._replace(end=max(s.start, at)) for s in clock.stretches
    )
    return Timeline((*clock.marks, mark), stretches, NEVER, max(clock.newest, at), clock.serial)


def _part_of_page(clock: Timeline, mark: Mark) -> bool:
    """True for what a page loads by itself in its first seconds, and while media goes on underneath."""
    for seen in reversed(clock.marks):
        if mark.at - seen.at > PAGE_LOAD and mark.at > seen.until:
            return False
        if seen.kind is Kind.NAVIGATION and mark.at - seen.at <= PAGE_LOAD:
            return True
        if seen.kind is Kind.MEDIA and seen.until >= mark.at:
            return True
    return False


def _join(clock: Timeline, mark: Mark, end: float) -> Timeline:
    last = clock.stretches[-1]
    serial = clock.serial
    if last.section == mark.section:
        ended = last._replace(end=max(last.end, end), last=mark.evidence)
        stretches = (*clock.stretches[:-1], ended)
    elif (beside := _beside(clock, mark)) is not None:
        running = clock.stretches[beside]
        ended = running._replace(end=max(running.end, end), last=mark.evidence)
        stretches = (*clock.stretches[:beside], ended, *clock.stretches[beside + 1 :])
    else:
        before = last._replace(end=max(last.start, mark.at))
        start = max(mark.at, before.end)
        following = Stretch(
            serial, start, max(start, last.end, end), mark.section, mark.evidence, mark.evidence
        )
        stretches = (*clock.stretches[:-1], before, following)
        serial += 1
    newest = max(clock.newest, mark.at)
    return clock._replace(
        marks=_append(clock.marks, mark), stretches=stretches, newest=newest, serial=serial
    )


def _beside(clock: Timeline, mark: Mark) -> int | None:
    """Where the stretch is that a running stream in another section belongs to; None when it is a change of section.

    Two streams side by side (a course and a feed) are two stretches at once, and neither stands in for the other.
    """
    if mark.kind is not Kind.MEDIA:
        return None
    count = len(clock.stretches)
    for place in range(count - 1, max(-1, count - 1 - SECTIONS_AT_ONCE), -1):
        stretch = clock.stretches[place]
        if stretch.section == mark.section:
            return place if mark.at - stretch.end <= PARALLEL else None
    return None


def _append(marks: tuple[Mark, ...], mark: Mark) -> tuple[Mark, ...]:
    """Firm marks of one origin that follow each other at once are one mark, where that tells the same again.

    Weak ones are counted one by one, and pages start again.
    """
    if marks and not mark.weak and mark.kind is not Kind.NAVIGATION:
        last = marks[-1]
        same = last.root == mark.root and last.key == mark.key and last.kind is mark.kind
        same = same and last.section == mark.section and not (last.cut or last.weak)
        if same and mark.at - last.until <= SAME and mark.until >= last.until:
            return (*marks[:-1], last._replace(until=mark.until))
    return (*marks, mark)


def retract(clock: Timeline, roots: Set[Root], metering: Metering) -> Timeline:
    """Take away what belongs to `roots`: it was a machine. Other marks stay, stretches shrink."""
    kept = tuple(m for m in clock.marks if m.root not in roots)
    if len(kept) == len(clock.marks):
        return clock
    fresh = Timeline(serial=clock.serial)
    for mark in kept:
        fresh = _fold(fresh, mark, metering)
    return _same_serials(clock, fresh)


def _same_serials(old: Timeline, new: Timeline) -> Timeline:
    """Stretches that begin inside an old one keep its serial; old ones without an heir become empty."""
    left = list(old.stretches)
    serial = new.serial
    named: list[Stretch] = []
    for stretch in new.stretches:
        heir = next(
            (o for o in left if o.start <= stretch.start <= o.end and o.section == stretch.section),
            None,
        )
        if heir is not None:
            left.remove(heir)
            named.append(stretch._replace(serial=heir.serial))
        else:
            named.append(stretch._replace(serial=serial))
            serial += 1
    # The open stretch has to stay last: what is gone comes before it, whatever the time it began at.
    gone = [o._replace(end=o.start, last=Evidence.RHYTHM) for o in left]
    return new._replace(stretches=(*gone, *named), newest=old.newest, serial=serial)


def truncate(clock: Timeline, at: float) -> Timeline:
    """End what is open at the instant `at` (time was up, the connection was cut); nothing joins up with it."""
    if clock.until <= NEVER and not clock.alone and all(s.end <= at for s in clock.stretches):
        return clock
    mark = Mark(at, at, Kind.INTERACTION, "", Evidence.TIME_UP, cut=True)
    earlier = tuple(_before(m, at) for m in clock.marks if m.at < at)
    return _bounded(_cut(clock._replace(marks=earlier), mark))


def _before(mark: Mark, at: float) -> Mark:
    return mark if mark.until <= at else mark._replace(until=at)


def settle(clock: Timeline, now: float, memory: float) -> Timeline:
    """Forget what can no longer change: stretches that ended more than `memory` seconds ago, and empty ones."""
    horizon = now - memory
    stretches = tuple(s for s in clock.stretches if s.end >= horizon and s.end > s.start)
    first = min((s.start for s in stretches), default=horizon)
    marks = tuple(m for m in clock.marks if m.at >= min(first, horizon))
    if len(stretches) == len(clock.stretches) and len(marks) == len(clock.marks):
        return clock
    if not stretches and not marks:
        return Timeline(newest=clock.newest, serial=clock.serial)
    return clock._replace(stretches=stretches, marks=marks)


def _bounded(clock: Timeline) -> Timeline:
    """Fold the older half of too many marks into one that stands for the stretch they made."""
    if len(clock.marks) <= MARKS_KEPT:
        return clock
    half = len(clock.marks) // 2
    kept, cut = clock.marks[half:], clock.marks[half].at
    later = tuple(s for s in clock.stretches if s.end > cut)
    current = next((s for s in clock.stretches if s.start <= cut < s.end), None)
    folded = [m for m in clock.marks[:half] if current is not None and _made(current, m)]
    if current is None or not folded:  # what is kept opens its stretch itself
        return clock._replace(marks=kept, stretches=later)
    until = max(m.until for m in folded)  # a film goes on beside something brief that came later
    anchor = Mark(current.start, until, folded[-1].kind, "", current.opened, current.section)
    return clock._replace(marks=(anchor, *kept), stretches=later)


def _made(stretch: Stretch, mark: Mark) -> bool:
    return mark.section == stretch.section and mark.at >= stretch.start and not mark.cut
