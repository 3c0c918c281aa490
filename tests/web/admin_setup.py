"""What tests of the admin pages need: a ledger in memory, rules with an administrator, and the
proxy at one instant."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import httpx
from starlette.types import ASGIApp

from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Mode, People, Rule, RuleSet, Then
from proxy_addon.identity.pseudonyms import Pseudonyms
from proxy_addon.ledger.interface import Ledger, TimeRequest
from proxy_addon.ledger.pseudonymous import PseudonymLedger
from proxy_addon.ledger.writer_state import WriterState
from proxy_addon.web.admin_service import AdminService
from proxy_addon.web.app import employee_app
from proxy_addon.web.forms import Tokens
from proxy_addon.web.ledger_executor import LedgerExecutor
from tests.ledger.memory_ledger import MemoryLedger
from tests.virtual_clock import VirtualClock
from tests.web.client import as_person
from tests.web.office import NOW, FixedProxyState, balance, rule_set, visit

UP = WriterState(True, 0, 0.01, {}, None, 0, 0)
TOKENS = Tokens(b"the key of the CA")
NAMES = Pseudonyms(b"k" * 32)
RULES = replace(
    rule_set(),
    rules=(
        Rule("Fifteen", Then.SPEND, "daily-social"),
        Rule("Tried <b>out</b>", Then.BLOCK, mode=Mode.OBSERVE),
    ),
    people=People(
        "staff", MappingProxyType({"staff": (), "admin": ("ada", "abe"), "care": ("Dora",)})
    ),
)
WOULD = [({"rule": "Tried <b>out</b>", "platform": "youtube", "role": "staff"}, 7)]
SAME = {"Origin": "http://allowance.internal"}


@dataclass
class AdminProxyState(FixedProxyState):
    """The office with an administrator."""

    ruled: RuleSet = RULES

    def rules(self) -> RuleSet:
        return self.ruled

    def roles(self, person: str) -> tuple[str, ...]:
        return ("staff", "admin") if person in ("ada", "abe") else super().roles(person)


@dataclass
class Counts:
    """Where requests for more are counted."""

    seen: Counter[tuple[str, str]] = field(default_factory=Counter)

    def time_requested(self, allowance: str, outcome: str) -> None:
        self.seen[allowance, outcome] += 1


class AdminSetup:
    """The employee's application with all that stands behind it."""

    def __init__(
        self,
        ledger: Ledger | None = None,
        *,
        state: WriterState = UP,
        problems: Sequence[str] = (),
        would: Sequence[tuple[Mapping[str, str], int]] = WOULD,
        pseudonyms: bool = False,
        timeout: float = 5.0,
        rules: RuleSet = RULES,
    ) -> None:
        self.inner = ledger if ledger is not None else MemoryLedger()
        self.ledger: Ledger = PseudonymLedger(self.inner, NAMES) if pseudonyms else self.inner
        self.counts = Counts()
        self.woken = 0
        self.office = AdminProxyState(
            ruled=rules,
            held=(balance(spent=900.0), balance("weekly-video")),
            seen=(visit("facebook", 60, 5),),
        )
        engine = Engine(rules)
        self.admin_service = AdminService(
            ledger=self.ledger,
            engine=lambda: engine,
            clock=VirtualClock(NOW),
            tokens=TOKENS,
            counted=self.counts,
            state=lambda: state,
            wake=self._count_wake,
            loaded=lambda: NOW - 3600.0,
            problems=lambda: problems,
            would_block=lambda: would,
            users=lambda: ["dora", "ada"],
            executor=LedgerExecutor(timeout),
            names=NAMES if pseudonyms else None,
            workers=2,
        )
        self.app = employee_app(self.office, self.admin_service)

    def _count_wake(self) -> None:
        self.woken += 1

    def asked(self, number: int = 1, person: str = "dora", **changes: object) -> TimeRequest:
        """A request that waits already."""
        made = TimeRequest(
            f"r{number}", person, "daily-social", 600.0, "a launch", "open", NOW - 60.0
        )
        made = replace(made, **changes)
        assert self.ledger.ask(made, most_open=99)
        return made

    def person(
        self, name: str = "dora", *, signed_in: bool = True, identified: bool = True
    ) -> ASGIApp:
        """The application as somebody gets it."""
        return as_person(self.app, name, signed_in=signed_in, identified=identified)


async def call(
    app: ASGIApp,
    path: str,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] = SAME,
) -> httpx.Response:
    """A request; with a form it is a POST."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://allowance.internal"
    ) as client:
        if form is None:
            return await client.get(path)
        return await client.post(path, data=dict(form), headers=dict(headers))


def token(page: str) -> str:
    """The token of the first form of a page."""
    found = re.search(r'name="token" value="(\w+)"', page)
    assert found is not None
    return found[1]
