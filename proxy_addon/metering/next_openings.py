"""When what is closed to somebody opens next: remembered, because a page that is refused asks for
its hundred images as well."""

from __future__ import annotations

from typing import Final, NamedTuple

from proxy_addon.core.audience import keep
from proxy_addon.core.policy import urgent
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.policy.outlook import free_until, next_change, next_opening
from proxy_addon.core.policy.urgent import UrgentOffer
from proxy_addon.core.types import Person, Target, Verdict
from proxy_addon.metering.usage_book import UsageBook

_KEPT: Final = 20_000  # people with targets; all are dropped when there are more
_GROWS: Final = 5.0  # seconds in which visits may grow without another look
_LOOK_AGAIN: Final = 600.0  # seconds after which something without an opening is looked at again


class NextOpening(NamedTuple):
    """From the instant `at` on somebody is let in, by `rule` (None: by `otherwise`). `allowance`:
    what their time is charged to then, None where it is free; `free_until`: when a free time ends,
    None where nothing is known to end it."""

    at: float
    rule: str | None
    allowance: str | None = None
    free_until: float | None = None


class _Known(NamedTuple):
    engine: Engine
    person: Person
    usage: object
    changes: tuple[int, int]  # of the usage that the answer rests on
    since: float
    before: float
    opening: NextOpening | None


class NextOpenings:
    """Answers from memory, and only works when something has changed."""

    def __init__(self, book: UsageBook) -> None:
        self._book = book
        self._known: dict[tuple[str, Target], _Known] = {}

    def next(
        self, engine: Engine, person: Person, target: Target, now: float
    ) -> NextOpening | None:
        """The next opening for somebody to whom the target is closed at `now`, with what they have
        used until now; None: none is known within a month."""
        usage = self._book.of(person.name)
        changes = (usage.revision, usage.applied)
        known = self._known.get((person.name, target))
        if (
            known is not None
            and known.engine is engine
            and known.person == person
            and known.usage is usage
            and (known.changes == changes or self._is_fresh(known, changes, now))
            and known.since <= now < known.before
        ):
            return known.opening
        opening = self._look(engine, person, target, now)
        before = now + _LOOK_AGAIN if opening is None else opening.at
        found = _Known(engine, person, usage, changes, now, before, opening)
        keep(self._known, (person.name, target), found, _KEPT)
        return opening

    def _is_fresh(self, known: _Known, changes: tuple[int, int], now: float) -> bool:
        """Whether only visits have grown, a moment ago: somebody who is using another platform
        grows them every second, and some rules are long to look through."""
        return known.changes[0] == changes[0] and now - known.since < _GROWS

    def free(
        self, engine: Engine, person: Person, target: Target, now: float
    ) -> NextOpening | None:
        """When a target that is charged to somebody at `now` is free next, if it is that before it
        is closed."""
        usage = self._book.of(person.name)
        change = next_change(engine, person, target, usage, now)
        if change is None or change.decision.verdict is not Verdict.ALLOW:
            return None
        ends = free_until(engine, person, target, usage, change)
        return NextOpening(change.at, change.decision.rule, None, ends)

    def urgent(
        self, engine: Engine, person: Person, allowance: str, now: float
    ) -> UrgentOffer | None:
        """The urgent minutes that somebody may take for an allowance that is used up, as far as is
        known here; None: none."""
        usage = self._book.of(person.name)
        if engine.rule_set.urgent is None or not urgent.is_used_up(
            engine, person, allowance, usage, now
        ):
            return None
        return urgent.offer(engine, person, urgent.taken_in_memory(engine, usage, now), now)

    def _look(
        self, engine: Engine, person: Person, target: Target, now: float
    ) -> NextOpening | None:
        usage = self._book.of(person.name)
        change = next_opening(engine, person, target, usage, now)
        if change is None:
            return None
        decision = change.decision
        if decision.verdict is Verdict.SPEND:
            return NextOpening(change.at, decision.rule, decision.allowance)
        ends = free_until(engine, person, target, usage, change)
        return NextOpening(change.at, decision.rule, None, ends)
