"""Urgent minutes, as the pages give them: counted by the ledger, so that two clicks at once, or on
two proxies, never take more than the rules say."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from proxy_addon.core.policy import urgent
from proxy_addon.core.policy.urgent import UrgentOffer
from proxy_addon.core.types import Balance, Grant, Person
from proxy_addon.ledger import time_requests as more_time
from proxy_addon.ledger.interface import whole_milliseconds
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.web.admin_service import AdminService
from proxy_addon.web.interface import ProxyState

ARRIVES: Final = 2.5  # seconds in which what was taken is in the memory of every proxy
AGAIN: Final = 10.0  # seconds in which sending a form again is the second half of a double click
_LOOK: Final = 0.05  # seconds between two looks
NO_REASON: Final = "a customer is waiting"  # as the ledger keeps it where nothing was typed


@dataclass(frozen=True)
class UrgentService:
    """For the event loop of the proxy; whatever needs the ledger is a coroutine, and raises
    LedgerError."""

    state: ProxyState
    admin: AdminService

    def person(self, name: str) -> Person:
        """Somebody with the roles in force, those of their address included."""
        return Person(name, self.state.roles(name))

    def used_up(self, name: str) -> tuple[Balance, ...]:
        """The allowances of a person that gave them time, of which nothing is left."""
        found = self.state.balances(name)
        return tuple(each for each in found if each.left <= 0 < each.limit)

    async def offer(self, name: str) -> UrgentOffer | None:
        """What the rules give a person now; None: none."""
        engine, now = self.admin.engine(), self.state.now()
        rules = engine.rule_set.urgent
        if rules is None or not rules.is_for(self.state.roles(name)):
            return None
        since = urgent.window(engine.rule_set, rules, now).start
        grants = await self.admin.executor.run(lambda: self.admin.ledger.grants(since, person=name))
        taken = sum(each.is_urgent and each.created >= since for each in grants)
        return urgent.offer(engine, self.person(name), taken, now)

    async def take(self, name: str, allowance: str, reason: str, form: str = "") -> bool:
        """Take them for an allowance that is used up; False: all have been taken, or `form`, which
        takes them once, was sent long before. Raises NotPossible."""
        engine, now = self.admin.engine(), whole_milliseconds(self.state.now())
        rules = engine.rule_set.urgent
        words = more_time.one_line(reason) or NO_REASON
        if rules is None or not rules.is_for(self.state.roles(name)):
            raise more_time.NotPossible(_("The rules give you no urgent minutes."))
        if allowance not in {each.allowance for each in self.used_up(name)}:
            raise more_time.NotPossible(_("You still have time. Nothing was taken."))
        grant = more_time.urgent_grant(engine, self.person(name), allowance, words, now, form)
        since = urgent.window(engine.rule_set, rules, now).start
        taken = await self.admin.executor.run(lambda: self._take(grant, rules.times, since))
        if taken:
            self.admin.counted.time_requested(allowance, "urgent")
            self.admin.wake()
        return taken

    def _take(self, grant: Grant, most: int, since: float) -> bool:
        ledger = self.admin.ledger
        known = [each for each in ledger.grants(since, person=grant.person) if each.id == grant.id]
        if known:
            return grant.created - known[0].created <= AGAIN
        return ledger.take(grant, actor=f"web:{grant.person}", most=most, since=since)

    async def arrived(self, name: str, allowance: str) -> bool:
        """Wait until what was taken can be used here; False: it takes longer than usual."""
        for _look in range(int(ARRIVES / _LOOK)):
            if self.has_time(name, allowance):
                return True
            await asyncio.sleep(_LOOK)
        return self.has_time(name, allowance)

    def has_time(self, name: str, allowance: str) -> bool:
        """Whether something of an allowance is left for a person."""
        found = self.state.balances(name)
        return any(each.allowance == allowance and each.left > 0 for each in found)
