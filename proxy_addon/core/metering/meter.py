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

from itertools import pairwise

from proxy_addon.core.metering.activity import Evidence, Kind
from proxy_addon.core.metering.moving_on import after_move
from proxy_addon.core.metering.polling import BURST_GAP
from proxy_addon.core.metering.timeline import NEVER, Mark, Stretch, Timeline
from proxy_addon.core.ruleset import Metering

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
# Times the gap: how long a silence between two certain activities may last, after a page was opened
# and after another action.
FAR_PAGE = 1.35
FAR_ACTION = 1.75


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
    return _bounded(fold(timeline, mark, metering))


def joins(timeline: Timeline, at: float, *, weak: bool = False, certain: bool = False) -> bool:
    """Whether an activity at the instant `at` joins the open stretch, so that the gap before it is
    charged."""
    if not timeline.stretches:
        return False
    if at > timeline.reach:
        return certain and at <= timeline.far
    if not weak:
        return True
    return at <= timeline.until + (WEAK_GAP if at - timeline.firm <= FIRM_MEMORY else PENDING_GAP)


def fold(timeline: Timeline, mark: Mark, metering: Metering) -> Timeline:
    """The timeline with one more mark, which is not earlier than the newest."""
    if mark.cut:
        return _cut(timeline, mark)
    if mark.moved:
        return after_move(timeline, mark)
    weak = mark.weak and not mark.novel
    if not mark.apart and joins(timeline, mark.at, weak=weak, certain=mark.certain):
        return _join(timeline, mark, metering)
    return _open(timeline, mark, metering)


def _far(mark: Mark, metering: Metering) -> float:
    """Until when what is certain joins, after this mark; an instant."""
    if not mark.certain or mark.kind is Kind.MEDIA:
        return NEVER
    factor = FAR_PAGE if mark.kind is Kind.NAVIGATION else FAR_ACTION
    return mark.until + factor * gap_of(mark.kind, metering)


def _open(timeline: Timeline, mark: Mark, metering: Metering) -> Timeline:
    """The timeline after a mark that joins nothing: a new stretch, or a weak mark that waits."""
    end = mark.until + metering.tail
    marks = (*timeline.marks, mark)
    newest = max(timeline.newest, mark.at)
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
        marks,
        (*timeline.stretches, opened),
        mark.until + gap_of(mark.kind, metering),
        newest,
        timeline.serial + 1,
        max(timeline.until, mark.until),
        timeline.firm if mark.weak else max(timeline.firm, mark.until),
        far=max(timeline.far, _far(mark, metering)),
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


def _join(timeline: Timeline, mark: Mark, metering: Metering) -> Timeline:
    """The timeline after a mark that joins the open stretch; the gap before it is charged."""
    gap = gap_of(mark.kind, metering)
    # A brief activity beside one that goes on does not shorten its gap: else retracting it would
    # charge more.
    reach = max(mark.until + gap, min(timeline.reach, timeline.until + gap))
    if mark.weak or mark.follows or _part_of_page(timeline, mark):
        reach = max(reach, timeline.reach)
    stretches, serial = _longer(timeline, mark, mark.until + metering.tail)
    return Timeline(
        _append(timeline.marks, mark),
        stretches,
        reach,
        max(timeline.newest, mark.at),
        serial,
        max(timeline.until, mark.until),
        timeline.firm if mark.weak else max(timeline.firm, mark.until),
        far=max(timeline.far, _far(mark, metering)),
    )


def _longer(timeline: Timeline, mark: Mark, end: float) -> tuple[tuple[Stretch, ...], int]:
    """The stretches with the open one until `end`, or with one more in another section; and the
    next serial number."""
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
    return stretches, serial


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
