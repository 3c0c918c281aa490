"""When each thing that runs has to be decided again: work that falls due, instead of a look at
everything.

A decision that lets something run can turn into a refusal at a known instant at the earliest: when
the time that was left is used without a pause, when a rule or a grant ends, when a window does. The
instants stand in a heap. Time that is entered later for a while before the last check (a gap that
is charged, or what another proxy wrote) brings one forward. Other changes of somebody's usage, and
new rules, have it decided again with one of the next looks.

So the instant is never too late, and a check that comes too early costs one decision. Event loop
only.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from collections.abc import Iterable, Iterator

from proxy_addon.core.types import Person, Target
from proxy_addon.metering.usage_book import PersonUsage

ROUNDING = 0.001  # seconds that a check comes early: less than this is not time left
PORTION = 500  # what has changed otherwise is decided again in portions of this many
RETRY = 1.0  # seconds after which a check that failed is made again
_STALE = 1024  # entries of the heap that may be out of date before it is built again

type Running = tuple[Person, Target]


class _PersonWatch:
    """What one person has running. `checked`: the instant of the last decision about any of it."""

    __slots__ = ("checked", "running", "schedule")

    def __init__(self, schedule: CheckSchedule) -> None:
        self.schedule = schedule
        self.running: set[Running] = set()
        self.checked = -math.inf

    def used(self, start: float, end: float) -> None:
        """Time was entered for `[start, end)`: what of it lies before the last check is missing
        from the time that was left then."""
        missing = min(end, self.checked) - start
        if missing > 0.0:
            for running in self.running:
                self.schedule.bring_forward(running, missing)

    def changed(self) -> None:
        """The usage changed in a way that only a new decision can judge."""
        self.schedule.again(self.running)


class CheckSchedule:
    """The instants at which what runs is decided again, the earliest first."""

    def __init__(self) -> None:
        self._at: dict[Running, float] = {}
        self._heap: list[tuple[float, int, Running]] = []
        self._numbers = itertools.count()
        self._again: deque[Running] = deque()
        self._waiting: set[Running] = set()  # what is in `_again`

    def __len__(self) -> int:
        return len(self._at)

    def begin(self, running: Running, usage: PersonUsage, at: float, now: float) -> None:
        """Something begins to run, as decided at `now`: check it at the instant `at`, or sooner."""
        self._watch(running, usage, now)
        known = self._at.get(running)
        if known is None or at < known:
            self._set(running, at - ROUNDING)

    def go_on(self, running: Running, usage: PersonUsage, at: float, now: float) -> None:
        """It was checked at `now` and goes on: check it again at the instant `at`."""
        self._watch(running, usage, now)
        self._set(running, at - ROUNDING)

    def end(self, running: Running, usage: PersonUsage) -> None:
        """It has ended. Its instant stays: the next request for the same is often a moment away."""
        if isinstance(usage.watcher, _PersonWatch):
            usage.watcher.running.discard(running)
        if self._at.get(running) == math.inf:
            del self._at[running]

    def bring_forward(self, running: Running, seconds: float) -> None:
        """Check so many seconds earlier."""
        at = self._at.get(running, math.inf)
        if at < math.inf:
            self._set(running, at - seconds)

    def again(self, many: Iterable[Running]) -> None:
        """Check these with the next looks."""
        for running in many:
            if running not in self._waiting:
                self._waiting.add(running)
                self._again.append(running)

    def due(self, now: float) -> Iterator[Running]:
        """What has to be decided now. It comes again after `RETRY` unless it is scheduled."""
        for _ in range(min(PORTION, len(self._again))):
            running = self._again.popleft()
            self._waiting.discard(running)
            if running in self._at:
                self._set(running, now + RETRY)
                yield running
        while self._heap and self._heap[0][0] <= now:
            at, _, running = heapq.heappop(self._heap)
            if self._at.get(running) == at:
                self._set(running, now + RETRY)
                yield running

    def forget(self, running: Running) -> None:
        """It does not run any more, and its instant has come."""
        self._at.pop(running, None)

    def _watch(self, running: Running, usage: PersonUsage, now: float) -> None:
        person = usage.watcher
        if not isinstance(person, _PersonWatch) or person.schedule is not self:
            person = usage.watcher = _PersonWatch(self)
        person.running.add(running)
        person.checked = max(person.checked, now)

    def _set(self, running: Running, at: float) -> None:
        if self._at.get(running) == at:
            return
        self._at[running] = at
        if at == math.inf:
            return
        heapq.heappush(self._heap, (at, next(self._numbers), running))
        if len(self._heap) > 2 * len(self._at) + _STALE:
            known = [(at, each) for each, at in self._at.items() if at < math.inf]
            self._heap = [(at, next(self._numbers), each) for at, each in known]
            heapq.heapify(self._heap)
