"""The employee's own pages in every state that they have."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from proxy_addon.core.notices.notice import Office
from proxy_addon.core.ruleset import Mode, RuleSet
from proxy_addon.ledger.interface import AuditEntry
from proxy_addon.rules.folder import load
from proxy_addon.web.app import employee_app
from proxy_addon.web.interface import PersonNow
from tests.browser.facts import office, with_evidence
from tests.browser.state import State
from tests.web.admin_setup import UP, AdminSetup
from tests.web.client import as_person
from tests.web.notice_setup import SOCIAL
from tests.web.office import NOW, FixedProxyState, visit
from tests.web.test_admin_pages import UnreachableLedger

SHIPPED = load(Path(__file__).resolve().parents[2] / "rules")
OFFICE = Office("Example Ltd", "it@office.example", ("en", "de", "fr", "es"))
PAST = [
    visit("facebook", 24 * 60, 14),
    visit("linkedin", 23 * 60, 8, None, "learning", "Learning is work"),
    visit("x", 3 * 24 * 60, 11),
    visit("youtube", 3 * 24 * 60 - 60, 41, None, None, "Lunch is yours"),
    visit("reddit", 5 * 24 * 60, 15),
]


@dataclass
class OfficeState(FixedProxyState):
    """An office with the rules that we ship, a policy and a contact. Balances are those of the
    visits."""

    changes: dict[str, Any] = field(default_factory=dict)

    def rules(self) -> RuleSet:
        return replace(SHIPPED, office=OFFICE, notices=(SOCIAL,), **self.changes)

    def roles(self, person: str) -> tuple[str, ...]:
        named = {"mo": ("marketing",), "ada": ("staff", "admin")}
        return named.get(person, ("guest",) if person.startswith("ip:") else ("staff",))

    def person_now(self, person: str) -> PersonNow:
        one = super().person_now(person)
        left = self.engine().balances(one.person, one.usage, one.at)
        return one._replace(balances=left)


def employee(
    person: str = "dora", path: str = "/", ledger: AdminSetup | None = None, **facts: Any
) -> State:
    """The employee's page of somebody with these facts."""
    setup = ledger or AdminSetup()
    if ledger is None:
        setup.ledger.write_visits(PAST)
    app = employee_app(OfficeState(**facts), setup.admin_service)
    identified = not person.startswith("ip:")
    return State(as_person(app, person, identified=identified, signed_in=identified), path)


def employee_states() -> dict[str, State]:
    """The employee's page."""
    free = visit("linkedin", 30, 4, None, "learning", "Learning is work")
    lunch = visit("youtube", 131, 41, None, None, "Lunch is yours")
    seen = (with_evidence(visit("facebook", 60, 5)), free)
    low = (visit("facebook", 200, 7), lunch, visit("x", 60, 6 + 8 / 60), free)
    running = (*seen, with_evidence(visit("instagram", 1, 1.1)))
    tried = tuple(replace(rule, mode=Mode.OBSERVE) for rule in SHIPPED.rules)
    looked = AdminSetup()
    looked.ledger.audit(AuditEntry(NOW - 3_000, "web:ada", "unmask", "dora", "A complaint"))
    away = AdminSetup(UnreachableLedger(), state=replace(UP, up=False))
    full = visit("facebook", 90, 15)
    return {
        "employee-nothing-limited": employee("mo", changes={"rules": SHIPPED.rules[:1]}),
        "employee-free-always": employee("mo"),
        "employee-nothing-used": employee(),
        "employee-some-used": employee(seen=seen),
        "employee-running": employee(seen=running),
        "employee-low": employee(seen=low),
        "employee-used-up": employee(seen=(full, free)),
        "employee-observed": employee(seen=(full,), changes={"rules": tried}),
        "employee-several": State(as_person(employee_app(office()))),
        "employee-nobody-signed-in": employee("ip:10.0.7.33", seen=seen),
        "employee-ledger-away": employee(ledger=away, seen=seen, known=False),
        "employee-was-looked-up": employee(ledger=looked, seen=seen),
        "employee-administrator": employee("ada", seen=seen),
        "day": employee(path="/?day=2026-11-01"),
        "day-without-visits": employee(path="/?day=2026-10-20"),
        "day-ledger-away": employee(path="/?day=2026-11-01", ledger=away),
        "opens": employee(path="/opens", seen=seen),
        "opens-used-up": employee(path="/opens", seen=(full,)),
        "opens-free-always": employee("mo", path="/opens"),
    }
