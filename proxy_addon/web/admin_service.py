"""What pages do beyond showing memory: requests for more, and what administrators see and decide."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from proxy_addon.core import periods
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Limit, Period
from proxy_addon.identity.pseudonyms import Pseudonyms
from proxy_addon.ledger import time_requests as more_time
from proxy_addon.ledger import unmasking
from proxy_addon.ledger.interface import Ledger, LedgerError, TimeRequest
from proxy_addon.ledger.writer import WriterState
from proxy_addon.observability.interface import TimeRequestCounts
from proxy_addon.system.clock import Clock
from proxy_addon.web.forms import Tokens
from proxy_addon.web.ledger_executor import LedgerExecutor

ADMIN: Final = "admin"  # the role that opens the admin pages
GLANCE: Final = 1.0  # seconds that a page waits for what it can do without
_DAY: Final = Limit(0.0, Period.DAY)


class Totals(NamedTuple):
    """Seconds of everybody today, by platform and by allowance (None: free), and how many people."""

    platforms: Mapping[str, float]
    allowances: Mapping[str | None, float]
    people: int


@dataclass(frozen=True)
class AdminService:
    """For the event loop of the proxy: whatever needs the ledger is a coroutine, and raises LedgerError.

    `ledger` is asked by names, also where it keeps pseudonyms (`names`). `loaded`: since when the rules are in
    force here. `problems`: what is wrong with the rules folder, a line each. `would_block`: labels and counts of
    what observed rules would have stopped, of all workers; read on another thread. `users`: who is in the
    password file. `wake`: have news of the ledger read now. `workers`: how many processes share the port.
    """

    ledger: Ledger
    engine: Callable[[], Engine]
    clock: Clock
    tokens: Tokens
    counted: TimeRequestCounts
    state: Callable[[], WriterState]
    wake: Callable[[], None]
    loaded: Callable[[], float]
    problems: Callable[[], Sequence[str]]
    would_block: Callable[[], Sequence[tuple[Mapping[str, str], int]]]
    users: Callable[[], Iterable[str]]
    executor: LedgerExecutor
    names: Pseudonyms | None = None
    workers: int = 1

    def is_admin(self, person: str) -> bool:
        """Whether the rules give that name the role; what an address gives does not count."""
        return ADMIN in self.engine().person(person, self.clock.now()).roles

    # -- asking for more

    async def ask(
        self, person: str, allowance: str, minutes: str, reason: str, among: Collection[str]
    ) -> TimeRequest:
        """Somebody asks for more. Raises NotPossible, and LedgerError."""
        made = more_time.request_of(
            person, allowance, minutes, reason, among=among, now=self._now()
        )
        if not await self.executor.ask(
            lambda: self.ledger.ask(made, most_open=more_time.MOST_OPEN)
        ):
            raise more_time.NotPossible(
                f"You have asked {more_time.MOST_OPEN} times already. Please wait for an answer."
            )
        self.counted.time_requested(allowance, "asked")
        return made

    async def asked_by(self, person: str) -> Sequence[TimeRequest]:
        """All that somebody asked for, oldest first."""
        return await self.executor.ask(lambda: self.ledger.requests(person=person))

    async def glance(self, person: str) -> Sequence[TimeRequest]:
        """The same for a page that goes without while the ledger is slow or away."""
        try:
            if not self.state().up:
                return ()
            return await self.executor.ask(lambda: self.ledger.requests(person=person), GLANCE)
        except LedgerError:
            return ()

    # -- deciding

    async def waiting(self) -> Sequence[TimeRequest]:
        """Everybody's requests that wait for an answer, oldest first."""
        return await self.executor.ask(lambda: self.ledger.requests(status="open"))

    async def approve(self, key: str, by: str) -> TimeRequest:
        """Grant a request. Raises NotPossible, and LedgerError."""
        asked = await self._open(key, by)
        names, rules = self.names, self.engine().rule_set

        def name_of(person: str) -> str | None:
            if names is None:
                return person
            return names.search(person, unmasking.known_names(rules, self.users()))

        grant = await self.executor.ask(
            lambda: more_time.grant_for(
                self.engine(), asked, by=by, now=self._now(), name_of=name_of
            )
        )
        closed = self._closed(
            await self.executor.ask(
                lambda: self.ledger.decide(
                    key, at=grant.created, by=by, actor=f"web:{by}", grant=grant
                )
            )
        )
        self.wake()
        return closed

    async def refuse(self, key: str, by: str, note: str) -> TimeRequest:
        """Say no. Raises NotPossible, and LedgerError."""
        words = more_time.one_line(note)
        if not words:
            raise more_time.NotPossible("Say in a few words why not: the person reads it.")
        await self._open(key, by)
        now = self._now()
        return self._closed(
            await self.executor.ask(
                lambda: self.ledger.decide(
                    key, at=now, by=by, actor=f"web:{by}", grant=None, note=words
                )
            )
        )

    def _closed(self, closed: TimeRequest | None) -> TimeRequest:
        if closed is None:
            raise more_time.NotPossible("Somebody else has just decided about this request.")
        self.counted.time_requested(closed.allowance, closed.status)
        return closed

    def is_own(self, request: TimeRequest, person: str) -> bool:
        """Whether somebody asked for it themselves."""
        return request.person in (person, self.names.of(person) if self.names else person)

    async def _open(self, key: str, by: str) -> TimeRequest:
        found = next((each for each in await self.waiting() if each.id == key), None)
        if found is None:
            raise more_time.NotPossible("This request does not wait for an answer any more.")
        if self.is_own(found, by):
            raise more_time.NotPossible("Somebody else has to decide about your own request.")
        return found

    # -- looking

    async def totals(self) -> Totals:
        """What everybody together did since the policy's day began."""
        now = self.clock.now()
        start = periods.window(_DAY, self.engine().rule_set, now).start
        platforms: Counter[str] = Counter()
        allowances: Counter[str | None] = Counter()
        people: set[str] = set()
        for each in await self.executor.ask(lambda: self.ledger.totals(start, now)):
            platforms[each.platform] += each.seconds  # type: ignore[assignment]
            allowances[each.allowance] += each.seconds  # type: ignore[assignment]
            people.add(each.person)
        return Totals(dict(platforms.most_common()), dict(allowances.most_common()), len(people))

    async def observed(self) -> Sequence[tuple[Mapping[str, str], int]]:
        """What observed rules would have stopped since the start. No question for the ledger, but files are read."""
        return await asyncio.to_thread(self.would_block)

    # -- unmasking

    async def unmask(self, pseudonym: str, reason: str, by: str) -> str | None:
        """Who a pseudonym is; the audit has it first. Raises NotPossible, and LedgerError."""
        names, words = self._names(), more_time.one_line(reason)
        if not words:
            raise more_time.NotPossible("Say why you need to know: it is kept in the audit.")
        now, rules = self.clock.now(), self.engine().rule_set
        return await self.executor.ask(
            lambda: unmasking.unmask(
                self.ledger,
                names,
                pseudonym,
                reason=words,
                actor=f"web:{by}",
                at=now,
                among=unmasking.known_names(rules, self.users()),
            )
        )

    async def name_of(self, pseudonym: str) -> str | None:
        """The same without a trace: for the page after `unmask`, which has left one."""
        names, rules = self._names(), self.engine().rule_set
        return await self.executor.ask(
            lambda: names.search(pseudonym, unmasking.known_names(rules, self.users()))
        )

    def _now(self) -> float:
        """The instant in whole milliseconds: what is written now is in force now, however the ledger rounds."""
        return math.floor(self.clock.now() * 1000) / 1000

    def _names(self) -> Pseudonyms:
        if self.names is None:
            raise more_time.NotPossible("The ledger keeps names, not pseudonyms.")
        return self.names
