"""What tests of the written policy's pages need: a ledger in memory, rules with policies for two
roles, and the proxy at one instant."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType

from starlette.types import ASGIApp

from proxy_addon.core.notices.gate import Confirmation, Meeting
from proxy_addon.core.notices.headings import headings
from proxy_addon.core.notices.notice import Notice, NoticeText, Office, Version
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import People, RuleSet
from proxy_addon.core.types import Person
from proxy_addon.ledger.interface import Acknowledgement, Ledger
from proxy_addon.metering.notice_book import NoticeBook
from proxy_addon.metering.notice_gate import NoticeGate
from proxy_addon.system.sealing import Sealer
from proxy_addon.web.app import employee_app
from proxy_addon.web.ledger_executor import LedgerExecutor
from proxy_addon.web.notice_service import NoticeService
from tests.ledger.memory_ledger import MemoryLedger
from tests.virtual_clock import VirtualClock
from tests.web.admin_setup import RULES, AdminProxyState, AdminSetup
from tests.web.client import as_person
from tests.web.office import NOW

DAY = 86_400.0
BODY = (
    "# Social media\n\n## Purpose\n\nWhy **{{ office }}** has it.\n\n## Images & video\n\nNone.\n"
)
GERMAN = "# Soziale Medien\n\n## Zweck\n\nWarum.\n"


def text(language: str, title: str, markdown: str, changes: str = "") -> NoticeText:
    """A text as the compiler makes it."""
    return NoticeText(language, title, markdown, headings(markdown), (), changes)


SOCIAL = Notice(
    "social",
    Version(3),
    {
        "en": text("en", "Social media", BODY, "The part about images."),
        "de": text("de", "Soziale Medien", GERMAN),
    },
    "d3",
    owner="the people office",
    effective=date(2026, 10, 19),
    grace=3 * DAY,
)
GUESTS = replace(
    SOCIAL,
    name="guests",
    digest="g3",
    roles=frozenset({"guest"}),
    texts={"en": text("en", "For guests", "# For guests\n\nBe kind.\n")},
)


@dataclass
class NoticeState(AdminProxyState):
    """An office with written policies."""

    inner: RuleSet = field(
        default_factory=lambda: replace(
            RULES,
            notices=(GUESTS, SOCIAL),
            office=Office("Example Ltd", "ext. 1", ("en", "de")),
            people=People(
                "staff",
                MappingProxyType({"staff": (), "admin": ("ada",), "guest": ("gus",)}),
            ),
        )
    )

    def rules(self) -> RuleSet:
        return self.inner

    def roles(self, person: str) -> tuple[str, ...]:
        return Engine(self.inner).person(person, NOW).roles


class NoticeSetup:
    """The service and the application with it. `meetings`: what the ledger is told of."""

    def __init__(self, ledger: Ledger | None = None, *notices: Notice) -> None:
        self.ledger = ledger if ledger is not None else MemoryLedger()
        self.state = NoticeState()
        if notices:
            self.use(*notices)
        self.clock = VirtualClock(NOW)
        self.meetings: list[tuple[str, Meeting]] = []
        self.gate = NoticeGate(NoticeBook(), lambda name, met: self.meetings.append((name, met)))
        self.gate.book.is_known = True
        self.seal = Sealer(b"the key of the CA", "way back")
        self.service = NoticeService(
            self.ledger,
            lambda: Engine(self.state.rules()),
            self.gate,
            self.clock,
            self.seal,
            {"www.facebook.com": "facebook", "facebook.com": "facebook"}.get,
            LedgerExecutor(5.0),
            lambda name: Person(name, self.state.roles(name)),
        )
        admin = AdminSetup(self.ledger).admin_service
        self.app = employee_app(self.state, admin, self.service)

    def use(self, *notices: Notice) -> None:
        """Other policies come into force."""
        self.state.inner = replace(self.state.inner, notices=notices)

    def confirmed(self, person: str, notice: Notice, at: float) -> None:
        """Somebody confirmed a version some time ago, and the ledger has it."""
        version, digest = notice.version, notice.digest
        row = Acknowledgement(person, notice.name, str(version), digest, at, "policy")
        self.ledger.acknowledge(row)
        self.gate.book.confirm(person, Confirmation(notice.name, version, digest, at))

    def person(self, name: str = "dora", *, signed_in: bool = True) -> ASGIApp:
        """The application as somebody gets it."""
        return as_person(self.app, name, signed_in=signed_in, identified=signed_in)
