"""The clock: a pure fold of activities into stretches of attention, for one person on one platform.

What counts as a second of use (docs/metering.md):

* An activity (a `Mark`) opens a stretch, or joins the open one when it comes before `reach`: the
  end of the last activity plus the gap that its kind allows. The gap is charged.
* What loads while a page is being read (its own parts in the first seconds, later pictures further
  down) does not shorten the long gap that an opened page allows. A scroll that asks for more does.
* After its last activity a stretch goes on for a short tail.
* A *weak* mark is one small answer to a script, without anything to look at. One alone opens
  nothing: a second activity soon after it does, and then the stretch starts with the first. Long
  after the last firm evidence, weak marks extend a stretch only while they follow each other
  closely.
* Minutes can be given back: marks keep the `root` of their evidence; `retract` removes those of
  periodic requests and folds the rest again. Stretches keep their serial number, so a caller sees a
  stretch become shorter, split or vanish (`end == start`), and writes the change under the same
  number.
* When time is up, `truncate` adds a mark that ends everything, so that what is given back later is
  right.
* Time that runs backwards changes nothing: a mark from the past counts from the newest instant
  seen.

States are values; nothing is changed in place. Memory is bounded: old marks are folded into one
that cannot be retracted any more.
"""

from __future__ import annotations

from collections.abc import Set
from itertools import pairwise
from typing import NamedTuple

from proxy_addon.core.intervals import intersection, measure, normalise
from proxy_addon.core.metering.activity import Evidence, Kind
from proxy_addon.core.metering.pace import Pace
from proxy_addon.core.metering.polling import BURST_GAP, Root
from proxy_addon.core.ruleset import Metering
from proxy_addon.core.types import Interval

MARKS_KEPT = 768
STREAM_GAP = (
    3.0  # seconds; streams are seen once a second, and one that pauses for longer has stopped
)
PARALLEL_SECTIONS = 4
PAGE_LOAD = 5.0  # seconds that a page goes on loading its own parts
# seconds within which a weak mark needs another one to count, without firm evidence nearby
PENDING_GAP = 20.0
PENDING_GAP_SAME = 10.0  # the same for one endpoint, which may be a timer's
WEAK_GAP = 60.0  # seconds that a weak mark may bridge while firm evidence supports it
FIRM_MEMORY = 180.0  # seconds for which firm evidence supports weak marks after it
PENDING_KEPT = 16
ORIGIN_GAP = 1.0  # seconds; marks of one origin closer than this are one
import os

MOVED = float(os.environ.get('MV','0.55'))
RETURN_GAP = float(os.environ.get('RG','20'))
STILL_PLAYING=15.0
SITTING=float(os.environ.get('SI','480'))
MOST_LOST=float(os.environ.get('ML','0.5'))
FAR_PAGE = 1.35
FAR_ACTION = float(os.environ.get('FA','1.75'))
NEVER = float("-inf")


class Mark(NamedTuple):
    """One activity: from when to when (instants), of which kind, made by which endpoint.

    `needs`: how many bursts must come soon after each other to open a stretch: 1 is firm, more is
    weak. `root` names the evidence it belongs to, None = a person for certain; `cut` ends all that
    is open instead. `novel`: that endpoint was not asked before, so that even a weak mark may end a
    long read. `follows`: pictures that nothing asked for, further down on the page that is being
    read.
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
    certain: bool = False
    moved: bool = False

    @property
    def weak(self) -> bool:
        """It counts only together with others."""
        return self.needs > 1


class Stretch(NamedTuple):
    """A continuous use of one section: `[start, end)`, instants, and the evidence that opened and
    last extended it."""

    serial: int
    start: float
    end: float
    section: str | None
    opened: Evidence
    last: Evidence


class Timeline(NamedTuple):
    """The state of the fold: marks that may still be retracted, and the stretches made from them.
    Instants.

    `reach`: until when firm evidence joins the open stretch; `until`: end of the last activity that
    counted; `firm`: end of the last firm one; `pending`: weak marks that opened nothing so far.
    """

    marks: tuple[Mark, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    reach: float = NEVER
    newest: float = NEVER
    serial: int = 1
    until: float = NEVER
    firm: float = NEVER
    pending: tuple[Mark, ...] = ()
    far: float = NEVER
    pace: Pace = Pace()


EMPTY = Timeline()


def gap_of(kind: Kind, metering: Metering) -> float:
    """How long a silence after an activity of this kind may last; seconds."""
    if kind is Kind.NAVIGATION:
        return metering.navigation_gap
    if kind is Kind.MEDIA:
        return metering.media_gap
    return metering.interaction_gap


def observe(timeline: Timeline, mark: Mark, metering: Metering) -> Timeline:
    """Add one activity. An earlier one than the newest counts from the newest instant."""
    if mark.at < timeline.newest or mark.until < mark.at:
        at = max(mark.at, timeline.newest)
        mark = mark._replace(at=at, until=max(at, mark.until))
    return _bounded(_fold(timeline, mark, metering))


def joins(timeline: Timeline, at: float, *, weak: bool = False) -> bool:
    """Whether an activity at the instant `at` joins the open stretch, so that the gap before it is
    charged."""
    if not timeline.stretches or at > timeline.reach:
        return False
    if not weak:
        return True
    return at <= timeline.until + (WEAK_GAP if at - timeline.firm <= FIRM_MEMORY else PENDING_GAP)


def _fold(timeline: Timeline, mark: Mark, metering: Metering) -> Timeline:
    if mark.cut:
        return _cut(timeline, mark)
    if mark.moved:
        return _moved(timeline, mark)
    gap = gap_of(mark.kind, metering)
    # A brief activity beside one that goes on does not shorten its gap: else retracting it would
    # charge more.
    reach = max(mark.until + gap, min(timeline.reach, timeline.until + gap))
    firm = timeline.firm if mark.weak else max(timeline.firm, mark.until)
    until = max(timeline.until, mark.until)
    far = timeline.far
    if mark.certain and mark.kind is not Kind.MEDIA:
        factor = FAR_PAGE if mark.kind is Kind.NAVIGATION else FAR_ACTION
        far = max(far, mark.until + factor * gap)
    part = _part_of_page(timeline, mark)
    page = mark.kind is Kind.NAVIGATION or (part and timeline.reach - timeline.until > metering.interaction_gap)
    joined = joins(timeline, mark.at, weak=mark.weak and not mark.novel)
    joined = joined or (mark.certain and bool(timeline.stretches) and mark.at <= timeline.far)
    if joined:
        pace = timeline.pace if part else timeline.pace.after(mark.at - timeline.until)
        end = mark.until + pace.tail(mark.kind, metering.tail, page=page)
        if mark.weak or mark.follows or part:
            reach = max(reach, timeline.reach)
        return _join(timeline, mark, end, reach, until, firm)._replace(far=far, pace=pace)
    pace = Pace()
    end = mark.until + pace.tail(mark.kind, metering.tail, page=page)
    reach = mark.until + gap
    newest = max(timeline.newest, mark.at)
    marks = (*timeline.marks, mark)
    pending = timeline.pending
    if pending and (
        mark.at - pending[-1].until > _pending_gap(pending[-1], mark)
        or pending[-1].section != mark.section
    ):
        pending = ()
    if mark.weak:
        pending = (*pending, mark)[-PENDING_KEPT:]
        if _bursts(pending) < min(m.needs for m in pending):
            return timeline._replace(marks=marks, newest=newest, pending=pending)
    start = pending[0] if pending else mark
    opened = Stretch(timeline.serial, start.at, end, mark.section, start.evidence, mark.evidence)
    return Timeline(
        marks, (*timeline.stretches, opened), reach, newest, timeline.serial + 1, until, firm,
        far=far, pace=pace,
    )


def _pending_gap(before: Mark, mark: Mark) -> float:
    if before.key != mark.key or mark.kind is Kind.MEDIA:  # segments of a film are no timer's
        return PENDING_GAP
    return PENDING_GAP_SAME


def _bursts(marks: tuple[Mark, ...]) -> int:
    return 1 + sum(b.at - a.at > BURST_GAP for a, b in pairwise(marks))


def _cut(timeline: Timeline, mark: Mark) -> Timeline:
    at = mark.at
    stretches = tuple(
        s if s.end <= at else s._replace(end=max(s.start, at)) for s in timeline.stretches
    )
    return Timeline(
        (*timeline.marks, mark), stretches, NEVER, max(timeline.newest, at), timeline.serial
    )


def moved_on(timeline: Timeline, at: float, metering: Metering) -> Timeline:
    """The person opened a page elsewhere at the instant `at`: until then they were here, if that is
    not too long ago."""
    if not timeline.stretches or at > max(timeline.reach, timeline.far):
        return timeline
    section = timeline.stretches[-1].section
    mark = Mark(at, at, Kind.INTERACTION, "", Evidence.MOVED_ON, section, moved=True)
    return observe(timeline, mark, metering)


def _moved(timeline: Timeline, mark: Mark) -> Timeline:
    last = timeline.stretches[-1] if timeline.stretches else None
    reach = max(timeline.reach, timeline.far)
    timeline = timeline._replace(
        marks=(*timeline.marks, mark), newest=max(timeline.newest, mark.at)
    )
    if last is None or mark.at > reach or mark.at - timeline.until < STILL_PLAYING:
        return timeline
    if mark.at - timeline.until <= MOVED * (reach - timeline.until):
        ended = last._replace(end=max(last.end, mark.at))
        timeline = timeline._replace(stretches=(*timeline.stretches[:-1], ended))
    back = mark.at + RETURN_GAP
    return timeline._replace(reach=min(timeline.reach, back), far=min(timeline.far, back))


def _part_of_page(timeline: Timeline, mark: Mark) -> bool:
    """True for what a page loads by itself in its first seconds, and for loads while media is
    playing."""
    for seen in reversed(timeline.marks):
        if mark.at - seen.at > PAGE_LOAD and mark.at > seen.until:
            return False
        if seen.kind is Kind.NAVIGATION and mark.at - seen.at <= PAGE_LOAD:
            return True
        if seen.kind is Kind.MEDIA and seen.until >= mark.at:
            return True
    return False


def _join(
    timeline: Timeline, mark: Mark, end: float, reach: float, until: float, firm: float
) -> Timeline:
    last = timeline.stretches[-1]
    serial = timeline.serial
    if last.section == mark.section:
        ended = _extended(last, end, mark.evidence)
        stretches = (*timeline.stretches[:-1], ended)
    elif (parallel := _parallel_stretch(timeline, mark)) is not None:
        running = timeline.stretches[parallel]
        ended = _extended(running, end, mark.evidence)
        stretches = (*timeline.stretches[:parallel], ended, *timeline.stretches[parallel + 1 :])
    else:
        before = last._replace(end=max(last.start, mark.at))
        start = max(mark.at, before.end)
        following = Stretch(
            serial, start, max(start, last.end, end), mark.section, mark.evidence, mark.evidence
        )
        stretches = (*timeline.stretches[:-1], before, following)
        serial += 1
    newest = max(timeline.newest, mark.at)
    marks = _append(timeline.marks, mark)
    return Timeline(marks, stretches, reach, newest, serial, until, firm)


def _extended(stretch: Stretch, end: float, last: Evidence) -> Stretch:
    serial, start, before, section, opened, _ = stretch
    return Stretch(serial, start, max(before, end), section, opened, last)


def _parallel_stretch(timeline: Timeline, mark: Mark) -> int | None:
    """The index of the stretch in another section that a running stream extends; None for a change
    of section.

    Two streams at once (a course and a feed) are two stretches at once.
    """
    if mark.kind is not Kind.MEDIA:
        return None
    count = len(timeline.stretches)
    for place in range(count - 1, max(-1, count - 1 - PARALLEL_SECTIONS), -1):
        stretch = timeline.stretches[place]
        if stretch.section == mark.section:
            return place if mark.at - stretch.end <= STREAM_GAP else None
    return None


def _append(marks: tuple[Mark, ...], mark: Mark) -> tuple[Mark, ...]:
    """The marks with one more. Firm marks of one origin that follow each other at once are merged.

    Weak ones are counted one by one, and an opened page is always a mark of its own.
    """
    if marks and not mark.weak and mark.kind is not Kind.NAVIGATION:
        last = marks[-1]
        same = last.root == mark.root and last.key == mark.key and last.kind is mark.kind
        same = same and last.section == mark.section and not (last.cut or last.weak)
        if same and mark.at - last.until <= ORIGIN_GAP and mark.until >= last.until:
            return (*marks[:-1], last._replace(until=mark.until))
    return (*marks, mark)


def retract(timeline: Timeline, roots: Set[Root], metering: Metering) -> Timeline:
    """Remove the marks of `roots`, which were periodic requests. Other marks stay; stretches
    shrink."""
    kept = tuple(m for m in timeline.marks if m.root not in roots)
    if len(kept) == len(timeline.marks):
        return timeline
    fresh = Timeline(serial=timeline.serial)
    for mark in kept:
        fresh = _fold(fresh, mark, metering)
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


def truncate(timeline: Timeline, at: float) -> Timeline:
    """End what is open at the instant `at` (time was up, the connection was cut); nothing joins it
    afterwards."""
    if (
        timeline.until <= NEVER
        and not timeline.pending
        and all(s.end <= at for s in timeline.stretches)
    ):
        return timeline
    mark = Mark(at, at, Kind.INTERACTION, "", Evidence.TIME_UP, cut=True)
    earlier = tuple(_before(m, at) for m in timeline.marks if m.at < at)
    return _bounded(_cut(timeline._replace(marks=earlier), mark))


def _before(mark: Mark, at: float) -> Mark:
    return mark if mark.until <= at else mark._replace(until=at)


def settle(timeline: Timeline, now: float, memory: float) -> Timeline:
    """Forget what can no longer change: stretches that ended more than `memory` seconds ago, and
    empty ones."""
    horizon = now - memory
    stretches = tuple(s for s in timeline.stretches if s.end >= horizon and s.end > s.start)
    first = min((s.start for s in stretches), default=horizon)
    marks = tuple(m for m in timeline.marks if m.at >= min(first, horizon))
    if len(stretches) == len(timeline.stretches) and len(marks) == len(timeline.marks):
        return timeline
    if not stretches and not marks:
        return Timeline(newest=timeline.newest, serial=timeline.serial)
    return timeline._replace(stretches=stretches, marks=marks)


def _bounded(timeline: Timeline) -> Timeline:
    """Replace the older half of too many marks by one that stands for their stretch."""
    if len(timeline.marks) <= MARKS_KEPT:
        return timeline
    half = len(timeline.marks) // 2
    kept, cut = timeline.marks[half:], timeline.marks[half].at
    later = tuple(s for s in timeline.stretches if s.end > cut)
    current = next((s for s in timeline.stretches if s.start <= cut < s.end), None)
    folded = [m for m in timeline.marks[:half] if current is not None and _belongs_to(current, m)]
    if current is None or not folded:  # the marks that are kept open a stretch themselves
        return timeline._replace(marks=kept, stretches=later)
    until = max(m.until for m in folded)  # a film may outlast something brief that came later
    anchor = Mark(current.start, until, folded[-1].kind, "", current.opened, current.section)
    return timeline._replace(marks=(anchor, *kept), stretches=later)


def _belongs_to(stretch: Stretch, mark: Mark) -> bool:
    return mark.section == stretch.section and mark.at >= stretch.start and not mark.cut
