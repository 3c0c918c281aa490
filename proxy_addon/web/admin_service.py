"""What pages do beyond showing the state in memory: requests for more time, and what administrators
see and decide."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from proxy_addon.core import periods
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Period
from proxy_addon.core.types import Grant
from proxy_addon.identity.pseudonyms import Pseudonyms
from proxy_addon.ledger import time_requests as more_time
from proxy_addon.ledger import unmasking
from proxy_addon.ledger.interface import Ledger, LedgerError, TimeRequest, whole_milliseconds
from proxy_addon.ledger.writer_state import WriterState
from proxy_addon.observability.interface import TimeRequestCounts
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.system.clock import Clock
from proxy_addon.web.forms import Tokens
from proxy_addon.web.ledger_executor import LedgerExecutor

ADMIN: Final = "admin"  # the role that opens the admin pages
OPTIONAL_TIMEOUT: Final = 1.0  # seconds that a page waits for data that it can do without


class Totals(NamedTuple):
    """Seconds of everybody today, by platform and by allowance (None: free), and how many
    people."""

    platforms: Mapping[str, float]
    allowances: Mapping[str | None, float]
    people: int


@dataclass(frozen=True)
class AdminService:
    """For the event loop of the proxy: whatever needs the ledger is a coroutine, and raises
    LedgerError.

    `ledger` takes names, also where it keeps pseudonyms (`names`). `loaded`: since when the rules
    have been in force here. `problems`: what is wrong with the rules folder, a line each.
    `would_block`: labels and counts of what observed rules would have blocked, for all workers;
    called on another thread. `users`: the names in the password file. `wake`: have changes in the
    ledger read now. `workers`: how many processes share the port.
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
        """Whether the rules give that name the admin role; a role given by an address does not
        count."""
        return ADMIN in self.roles(person)

    def roles(self, person: str) -> tuple[str, ...]:
        """The roles that the rules give that name now."""
        return self.engine().person(person, self.clock.now()).roles

    # -- requests for more time

    async def request_time(
        self, person: str, allowance: str, minutes: str, reason: str, among: Collection[str]
    ) -> TimeRequest:
        """Make a request for more time. Raises NotPossible, and LedgerError."""
        made = more_time.request_of(
            person, allowance, minutes, reason, among=among, now=self._now()
        )
        if not await self.executor.run(
            lambda: self.ledger.ask(made, most_open=more_time.MOST_OPEN)
        ):
            raise more_time.NotPossible(
                _("You already have %(n)d open requests. Please wait for an answer.")
                % {"n": more_time.MOST_OPEN}
            )
        self.counted.time_requested(allowance, "asked")
        return made

    async def requests_of(self, person: str) -> Sequence[TimeRequest]:
        """All requests of one person, oldest first."""
        return await self.executor.run(lambda: self.ledger.requests(person=person))

    async def requests_if_quick(self, person: str) -> Sequence[TimeRequest]:
        """The same for a page that can do without them; empty while the ledger is slow or
        unavailable."""
        try:
            if not self.state().up:
                return ()
            return await self.executor.run(
                lambda: self.ledger.requests(person=person), OPTIONAL_TIMEOUT
            )
        except LedgerError:
            return ()

    # -- deciding

    async def waiting(self) -> Sequence[TimeRequest]:
        """All open requests, oldest first."""
        return await self.executor.run(lambda: self.ledger.requests(status="open"))

    async def urgent_today(self) -> Sequence[Grant]:
        """The urgent minutes that people have taken since the policy's day began, oldest first."""
        now = self.clock.now()
        start = periods.calendar_window(Period.DAY, self.engine().rule_set, now).start
        grants = await self.executor.run(lambda: self.ledger.grants(start))
        return [each for each in grants if each.is_urgent and each.created >= start]

    async def approve(self, key: str, by: str) -> TimeRequest:
        """Grant a request. Raises NotPossible, and LedgerError."""
        asked = await self._open_request(key, by)
        names, rules = self.names, self.engine().rule_set

        def name_of(person: str) -> str | None:
            if names is None:
                return person
            return names.search(person, unmasking.known_names(rules, self.users()))

        grant = await self.executor.run(
            lambda: more_time.grant_for(
                self.engine(), asked, by=by, now=self._now(), name_of=name_of
            )
        )
        closed = self._counted_decision(
            await self.executor.run(
                lambda: self.ledger.decide(
                    key, at=grant.created, by=by, actor=f"web:{by}", grant=grant
                )
            )
        )
        self.wake()
        return closed

    async def refuse(self, key: str, by: str, note: str) -> TimeRequest:
        """Refuse a request. Raises NotPossible, and LedgerError."""
        words = more_time.one_line(note)
        if not words:
            raise more_time.NotPossible(_("Please say briefly why not; the person will read it."))
        await self._open_request(key, by)
        now = self._now()
        return self._counted_decision(
            await self.executor.run(
                lambda: self.ledger.decide(
                    key, at=now, by=by, actor=f"web:{by}", grant=None, note=words
                )
            )
        )

    def _counted_decision(self, closed: TimeRequest | None) -> TimeRequest:
        if closed is None:
            raise more_time.NotPossible(_("Somebody else has just decided on this request."))
        self.counted.time_requested(closed.allowance, closed.status)
        return closed

    def is_own(self, request: TimeRequest, person: str) -> bool:
        """Whether a person made this request."""
        return request.person in (person, self.names.of(person) if self.names else person)

    async def _open_request(self, key: str, by: str) -> TimeRequest:
        found = next((each for each in await self.waiting() if each.id == key), None)
        if found is None:
            raise more_time.NotPossible(_("This request has already been answered."))
        if self.is_own(found, by):
            raise more_time.NotPossible(_("Somebody else has to decide on your own request."))
        return found

    # -- totals

    async def totals(self) -> Totals:
        """The totals of all people since the policy's day began."""
        now = self.clock.now()
        start = periods.calendar_window(Period.DAY, self.engine().rule_set, now).start
        platforms: Counter[str] = Counter()
        allowances: Counter[str | None] = Counter()
        people: set[str] = set()
        for each in await self.executor.run(lambda: self.ledger.totals(start, now)):
            platforms[each.platform] += each.seconds  # type: ignore[assignment]
            allowances[each.allowance] += each.seconds  # type: ignore[assignment]
            people.add(each.person)
        return Totals(dict(platforms.most_common()), dict(allowances.most_common()), len(people))

    async def observed(self) -> Sequence[tuple[Mapping[str, str], int]]:
        """What observed rules would have blocked since the start. Reads files, not the ledger."""
        return await asyncio.to_thread(self.would_block)

    # -- unmasking

    async def unmask(self, pseudonym: str, reason: str, by: str) -> str | None:
        """Who a pseudonym is; written to the audit log first. Raises NotPossible, and
        LedgerError."""
        names, words = self._names(), more_time.one_line(reason)
        if not words:
            raise more_time.NotPossible(
                _("Please say why you need to know; the reason is kept in the audit log.")
            )
        now, rules = self.clock.now(), self.engine().rule_set
        return await self.executor.run(
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
        """The same without an audit entry: for the page that follows `unmask`, which made one."""
        names, rules = self._names(), self.engine().rule_set
        return await self.executor.run(
            lambda: names.search(pseudonym, unmasking.known_names(rules, self.users()))
        )

    def _now(self) -> float:
        return whole_milliseconds(self.clock.now())

    def _names(self) -> Pseudonyms:
        if self.names is None:
            raise more_time.NotPossible(_("The ledger keeps names, not pseudonyms."))
        return self.names
