"""Balances in memory: for each person the visits of this proxy and those that others wrote, as one
union.

Usage is a set of intervals, never a counter: a visit that arrives twice, late or out of order
changes nothing, and one that was shortened gives its minutes back. Everything here is touched on
the event loop only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import batched
from typing import Protocol

from proxy_addon.core.intervals import Intervals, add, measure_between, normalise
from proxy_addon.core.types import Grant, Interval, Visit
from proxy_addon.ledger.interface import History

EVIDENCE_SHOWN = 2 * 86_400.0  # seconds; older evidence is in the ledger, balances need none
CHANGING_KEPT = 4  # visits that are still changing, kept out of the settled union


class UsageWatcher(Protocol):
    """Who hears of changes of one person's usage, at once. Must be quick and must not raise."""

    def used(self, start: float, end: float) -> None:
        """Time was entered for `[start, end)`, instants; some of it may have been there before."""

    def changed(self) -> None:
        """The usage changed in another way."""


class _Spent:
    """The visits of one allowance: a settled union plus the few that still change."""

    __slots__ = ("all", "changing", "settled", "union")

    def __init__(self) -> None:
        self.all: dict[str, Interval] = {}
        self.changing: dict[str, Interval] = {}
        self.settled: Intervals = ()
        self.union: Intervals | None = ()

    def put(self, visit_id: str, interval: Interval) -> None:
        self.union = None
        known = visit_id in self.all
        self.all[visit_id] = interval
        if known and visit_id not in self.changing:
            self.rebuild()
            return
        self.changing.pop(visit_id, None)
        self.changing[visit_id] = interval
        if len(self.changing) > CHANGING_KEPT:
            oldest = next(iter(self.changing))
            self.settled = add(self.settled, self.changing.pop(oldest))

    def drop(self, visit_ids: Iterable[str]) -> None:
        for visit_id in visit_ids:
            self.all.pop(visit_id, None)
        self.rebuild()

    def rebuild(self) -> None:
        """Make the union again from all visits."""
        self.changing = {}
        self.settled = normalise(self.all.values())
        self.union = None

    def intervals(self) -> Intervals:
        if self.union is None:
            union = self.settled
            for interval in self.changing.values():
                if interval.end > interval.start:
                    union = add(union, interval)
            self.union = union
        return self.union


class PersonUsage:
    """One person's visits and grants; what `policy` reads to decide. Instants and seconds."""

    __slots__ = ("_grants", "_spent", "applied", "entered", "revision", "visits", "watcher")

    def __init__(self) -> None:
        self.watcher: UsageWatcher | None = None
        self.revision = 0  # raised by each change that is not an entered visit
        # Seconds by which entered visits have grown: since an earlier value of it at most the
        # difference has been spent of any allowance, if `revision` is the same.
        self.entered = 0.0
        self.applied = 0  # visits and revisions of visits that were entered
        self.visits: dict[str, Visit] = {}
        self._spent: dict[str, _Spent] = {}
        self._grants: dict[str, dict[str, Grant]] = {}

    def apply(self, visit: Visit) -> bool:
        """Enter a visit or a newer revision of it; False when the same or a newer one is known."""
        known = self.visits.get(visit.id)
        if known is not None:
            if known.rev >= visit.rev:
                return False
            if known.allowance != visit.allowance and known.allowance is not None:
                self._spent[known.allowance].drop((visit.id,))
        self.visits[visit.id] = visit
        self.applied += 1
        if known is None or known.allowance != visit.allowance:
            self.entered += max(0.0, visit.end - visit.start)
        else:
            self.entered += max(0.0, known.start - visit.start) + max(0.0, visit.end - known.end)
        if visit.allowance is not None:
            spent = self._spent.get(visit.allowance)
            if spent is None:
                spent = self._spent[visit.allowance] = _Spent()
            spent.put(visit.id, Interval(visit.start, visit.end))
        if self.watcher is not None:
            self._tell(known, visit)
        return True

    def _tell(self, known: Visit | None, visit: Visit) -> None:
        """Only what was added can use up an allowance sooner than expected."""
        assert self.watcher is not None
        grows = known is not None and (known.start, known.allowance) == (
            visit.start,
            visit.allowance,
        )
        start = known.end if known is not None and grows else visit.start
        if visit.end > start:
            self.watcher.used(start, visit.end)

    def fill(self, visits: Iterable[Visit]) -> None:
        """Enter many visits at once, as `apply` would one by one."""
        self.revision += 1
        for visit in visits:
            known = self.visits.get(visit.id)
            if known is not None:
                self.apply(visit)
                continue
            self.visits[visit.id] = visit
            if visit.allowance is not None:
                spent = self._spent.setdefault(visit.allowance, _Spent())
                spent.all[visit.id] = Interval(visit.start, visit.end)
        for spent in self._spent.values():
            spent.rebuild()
        self.tell_changed()

    def grant(self, grant: Grant) -> bool:
        """Enter a grant; False when it is known."""
        grants = self._grants.setdefault(grant.allowance, {})
        if grant.id in grants:
            return False
        self.revision += 1
        grants[grant.id] = grant
        self.tell_changed()
        return True

    def tell_changed(self) -> None:
        """Have the decisions that rest on this usage made again."""
        if self.watcher is not None:
            self.watcher.changed()

    def spent(self, allowance: str, start: float, end: float) -> float:
        """Seconds used of `allowance` within `[start, end)`."""
        spent = self._spent.get(allowance)
        return measure_between(spent.intervals(), start, end) if spent is not None else 0.0

    def intervals(self, allowance: str) -> Intervals:
        """The union of the visits charged to `allowance`."""
        spent = self._spent.get(allowance)
        return spent.intervals() if spent is not None else ()

    def grants(self, allowance: str) -> Sequence[Grant]:
        """All grants known for `allowance`, oldest first."""
        return tuple(self._grants.get(allowance, {}).values())

    def forget(self, before: float) -> None:
        """Drop visits and grants that ended before the instant `before`, and evidence that no page
        shows."""
        self.revision += 1
        shown = max((v.end for v in self.visits.values()), default=0.0) - EVIDENCE_SHOWN
        for visit in [v for v in self.visits.values() if v.evidence is not None and v.end < shown]:
            self.visits[visit.id] = replace(visit, evidence=None)
        old = [v for v in self.visits.values() if v.end < before]
        for visit in old:
            del self.visits[visit.id]
        for name in {v.allowance for v in old if v.allowance is not None}:
            self._spent[name].drop(v.id for v in old if v.allowance == name)
        for grants in self._grants.values():
            for grant_id in [g.id for g in grants.values() if g.expires < before]:
                del grants[grant_id]


class UsageBook:
    """Everybody's usage, by name or by pseudonym."""

    def __init__(self, mask: Callable[[str], str] = str) -> None:
        """`mask` gives what the ledger calls a person, and leaves that as it is."""
        self._mask = mask
        self._people: dict[str, PersonUsage] = {}
        self._packed: dict[str, History] = {}  # of people not seen since the start
        self._late: dict[str, History] = {}  # of people seen before it was there
        self._ledger_is_away = False
        self._unknown: set[str] = set()

    def __len__(self) -> int:
        return len(self._people) + len(self._packed)

    def __iter__(self) -> Iterator[str]:
        return iter([*self._people, *self._packed])

    def of(self, person: str) -> PersonUsage:
        """The usage of one person, made on first sight."""
        name = self._mask(person)
        usage = self._people.get(name)
        if usage is None:
            usage = self._people[name] = PersonUsage()
            if name in self._packed:
                usage.fill(self._packed.pop(name).unpack())
            elif self._ledger_is_away:
                self._unknown.add(name)
        elif self._late and name in self._late:
            usage.fill(self._late.pop(name).unpack())
        return usage

    def ledger_away(self, away: bool) -> None:
        """Set whether the ledger is away. The usage of people who first appear meanwhile is
        unknown."""
        if away != self._ledger_is_away:
            self._ledger_is_away = away
            unknown, self._unknown = self._unknown, set()
            for name in unknown:
                if (usage := self._people.get(name)) is not None:
                    usage.tell_changed()

    def is_unknown(self, person: str) -> bool:
        """True when what this person has used is not known, because the ledger is away since before
        they came."""
        return bool(self._unknown) and self._mask(person) in self._unknown

    def drop(self, person: str) -> None:
        """Forget one person."""
        name = self._mask(person)
        usage = self._people.pop(name, None)
        if usage is not None:
            usage.tell_changed()
        self._packed.pop(name, None)
        self._late.pop(name, None)
        self._unknown.discard(name)

    def adopt(self, histories: Iterable[History]) -> None:
        """Enter what the ledger held at the first contact; each person's history is unpacked when
        they are first seen, and that of people who were seen before when they are seen again, or by
        `merge`."""
        for history in histories:
            seen = history.person in self._people
            (self._late if seen else self._packed)[history.person] = history

    def merge(self, most: int) -> bool:
        """Unpack what `adopt` gave for at most so many people who had been seen before; False when
        nothing is left to do. Visits are a set: what is there already counts once."""
        for name in list(self._late)[:most]:
            self.of(name)
        return bool(self._late)

    def load(self, visits: Iterable[Visit], grants: Iterable[Grant]) -> None:
        """Enter what the ledger holds, or what others wrote since."""
        for visit in visits:
            self.of(visit.person).apply(visit)
        for grant in grants:
            self.of(grant.person).grant(grant)

    def forget(self, before: float) -> None:
        """Drop what ended before `before`, and people of whom nothing is left."""
        for _ in self.forgetting(before, len(self._people) + 1):
            pass

    def forgetting(self, before: float, most: int) -> Iterator[None]:
        """The same in steps of so many people."""
        for name in [name for name, history in self._packed.items() if history.latest < before]:
            del self._packed[name]
        for names in batched(list(self._people), most, strict=False):
            for name in names:
                self._forget(name, before)
            yield

    def _forget(self, name: str, before: float) -> None:
        usage = self._people.get(name)
        if usage is None:
            return
        usage.forget(before)
        if not usage.visits and not any(usage.grants(a) for a in list(usage._grants)):
            del self._people[name]
            usage.tell_changed()
