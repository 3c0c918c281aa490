"""What tests of urgent minutes need: an office whose rules give some, and a ledger that its
balances follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from starlette.types import ASGIApp

from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Period, RuleSet, Urgent
from proxy_addon.core.types import Balance
from proxy_addon.ledger.interface import Ledger, LedgerUnavailable
from proxy_addon.web.app import employee_app
from proxy_addon.web.urgent_service import UrgentService
from tests.ledger.memory_ledger import MemoryLedger
from tests.web.admin_setup import RULES, AdminSetup
from tests.web.client import as_person
from tests.web.notice_setup import NoticeSetup
from tests.web.office import NOW, FixedProxyState, balance

TEN = Urgent(600.0, 2, Period.DAY)
URL = "https://www.facebook.com/messages?t=1"


class AwayLedger(MemoryLedger):
    """A ledger that cannot be reached."""

    def grants(self, valid_after: float, *, person: str | None = None) -> Sequence[object]:  # type: ignore[override]
        raise LedgerUnavailable("postgresql://10.0.0.1 does not answer")

    def take(self, *given: object, **more: object) -> bool:
        raise LedgerUnavailable("postgresql://10.0.0.1 does not answer")


@dataclass
class UrgentState(FixedProxyState):
    """Balances follow the grants in the ledger."""

    ledger: Ledger | None = None
    urgent: Urgent | None = TEN
    spent: float = 900.0
    clock: float = NOW

    def now(self) -> float:
        return self.clock

    def rules(self) -> RuleSet:
        return replace(RULES, urgent=self.urgent)

    def balances(self, person: str) -> Sequence[Balance]:
        found = (
            []
            if self.ledger is None or isinstance(self.ledger, AwayLedger)
            else self.ledger.grants(0.0, person=person)
        )
        granted = sum(each.seconds for each in found)
        return (balance(spent=self.spent, granted=granted), balance("weekly-video"))


class UrgentSetup:
    """The employee's application with all that stands behind it."""

    def __init__(
        self, urgent: Urgent | None = TEN, spent: float = 900.0, ledger: MemoryLedger | None = None
    ) -> None:
        notices = NoticeSetup()
        setup = AdminSetup(ledger)
        self.inner, self.counts = setup.inner, setup.counts
        self.state = UrgentState(ledger=self.inner, urgent=urgent, spent=spent)
        engine = Engine(self.state.rules())
        self.admin = replace(setup.admin_service, engine=lambda: engine)
        self.service = UrgentService(self.state, self.admin)
        self.back = notices.service.way_back
        self.app = employee_app(self.state, self.admin, notices.service)

    def person(self, name: str = "dora") -> ASGIApp:
        """The application as somebody gets it."""
        return as_person(self.app, name)

    def sealed(self, url: str = URL, person: str = "dora", at: float = NOW) -> str:
        """A way back as the block page has it."""
        return self.back.seal(url, person, at)
