"""What the page of the written policy does: who has to read which, confirming, putting off, and the
way back to where somebody wanted to go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from proxy_addon.core import periods
from proxy_addon.core.hosts import normalise
from proxy_addon.core.notices.gate import Confirmation, Meeting, Standing, put_off
from proxy_addon.core.notices.notice import Notice, notice_for
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Period
from proxy_addon.core.types import Person
from proxy_addon.ledger.interface import Acknowledgement, Ledger, NoticeVersion, whole_milliseconds
from proxy_addon.metering.notice_gate import NoticeGate
from proxy_addon.presentation.theme import web_link
from proxy_addon.system.clock import Clock
from proxy_addon.system.sealing import Sealer
from proxy_addon.web.ledger_executor import LedgerExecutor

WAY_BACK_SECONDS: Final = 3600.0  # how long the way back to a page lasts


@dataclass(frozen=True)
class NoticeService:
    """For the event loop of the proxy. `ledger` takes names, also where it keeps pseudonyms.
    `limited` gives the platform of a host that some rule limits, `known` somebody with the roles in
    force, those of their address included."""

    ledger: Ledger
    engine: Callable[[], Engine]
    gate: NoticeGate
    clock: Clock
    way_back: Sealer
    limited: Callable[[str], str | None]
    executor: LedgerExecutor
    known: Callable[[str], Person]

    def person(self, name: str) -> Person:
        """Somebody with their roles now."""
        return self.known(name)

    def notices(self) -> tuple[Notice, ...]:
        """Those in force."""
        return self.engine().rule_set.notices

    def notice(self, person: Person, name: str = "") -> Notice | None:
        """The notice of that name, if it is for the person; without a name the one that is."""
        found = notice_for(self.notices(), person)
        if not name:
            return found
        return next(
            (each for each in self.notices() if each.name == name and each.is_for(person)), None
        )

    def standing(self, person: str, notice: Notice, *, signed_in: bool) -> Standing:
        """What somebody has to do about it now."""
        return self.gate.book.standing(person, notice, self.clock.now(), signed_in=signed_in)

    def confirmations(self, person: str, notice: Notice) -> list[Confirmation]:
        """What somebody has confirmed of it, oldest first."""
        found = self.gate.book.confirmations(person)
        return [each for each in found if each.notice == notice.name]

    def all_confirmations(self, person: str) -> tuple[Confirmation, ...]:
        """What somebody has confirmed of whichever notice, oldest first."""
        return self.gate.book.confirmations(person)

    async def kept(self, notice: str) -> Sequence[NoticeVersion]:
        """The texts of a notice that were in force, oldest first. Raises LedgerError."""
        return await self.executor.run(lambda: self.ledger.notice_versions(notice=notice))

    async def confirm(self, person: str, notice: Notice, page: str) -> None:
        """Somebody has read this version. Raises LedgerError, and then nothing has changed."""
        at = whole_milliseconds(self.clock.now())
        row = Acknowledgement(person, notice.name, str(notice.version), notice.digest, at, page)
        await self.executor.run(lambda: self.ledger.acknowledge(row))
        self.gate.book.confirm(person, Confirmation(notice.name, notice.version, notice.digest, at))

    def put_off(self, person: str, notice: Notice) -> None:
        """Somebody reads it later: they are not asked again before the next day begins."""
        now = self.clock.now()
        met = self.gate.book.met(person, notice) or Meeting(notice.name, notice.version.major, now)
        later = self.gate.book.meet(person, put_off(met, now, self._next_day))
        self.gate.on_meeting(person, later)

    def way_to(self, person: str, sealed: str) -> str | None:
        """Where a sealed way back leads; None where it leads nowhere that is ours to send somebody:
        it is too old, was not made for them, or its platform is not limited any more."""
        now = self.clock.now()
        url = self.way_back.open(sealed, person, now, WAY_BACK_SECONDS) if sealed else None
        link = None if url is None else web_link(url)
        if link is None:
            return None
        try:
            host = normalise(urlsplit(link).hostname or "")
        except ValueError:
            return None
        return link if host and self.limited(host) is not None else None

    def platform_title(self, url: str) -> str:
        """What people call the platform of an address."""
        name = self.limited(normalise(urlsplit(url).hostname or "")) or ""
        platform = self.engine().rule_set.platforms.get(name)
        return name if platform is None else platform.title

    def _next_day(self, now: float) -> float:
        return periods.calendar_window(Period.DAY, self.engine().rule_set, now).end
