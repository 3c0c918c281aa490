"""An office with a written policy, and people who have read it, for the administrators' pages."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Final

from proxy_addon.core.notices.notice import AskWhen, Notice, NoticeText, Office, Version
from proxy_addon.core.ruleset import People, RuleSet
from proxy_addon.ledger.interface import Acknowledgement, Ledger, NoticeMeeting, NoticeVersion
from tests.web.admin_setup import RULES, AdminSetup
from tests.web.office import NOW, visit

DAY: Final = 86_400.0
STAFF: Final = (
    *("bella", "chris", "dilys", "emil", "fatima", "george", "hal", "iris", "jonas"),
    *("kemi", "lena"),
)
CARE: Final = ("cara", "carl", "cora", "curt")
OLD_TEXT: Final = """# Social media at work

## In a crisis {#escalation}
Call marketing.

## Images and video
Ask everybody in a picture before you publish it.
"""
NEW_TEXT: Final = """# Social media at work

## In a crisis: when and whom to call {#escalation}
**Call marketing and your team lead at once: {{ contact }}.**

## Images and video
Ask everybody in a picture before you publish it.

- Say so when a picture or a voice was made by a machine.
"""
TEXTS: Final = {
    "en": NoticeText("en", "Social media at work", NEW_TEXT),
    "de": NoticeText("de", "Soziale Medien bei der Arbeit", "# Soziale Medien\n\nRufen Sie an."),
}
SOCIAL: Final = Notice(
    "social-media",
    Version(3),
    TEXTS,
    "3f" * 32,
    owner="the people office",
    contact="ext. 120",
    grace=3 * DAY,
    roles=frozenset({"staff", "care", "marketing"}),
)
GUESTS: Final = Notice(
    "guests",
    Version(1),
    {"en": NoticeText("en", "Our network for guests", "# Guests")},
    "aa" * 32,
    ask=AskWhen.SHOWN,
    roles=frozenset({"guest"}),
)
WITH_POLICY: Final = replace(
    RULES,
    notices=(SOCIAL, GUESTS),
    office=Office("Example Ltd", "ext. 100", ("en", "de")),
    people=People(
        "staff",
        MappingProxyType(
            {
                "staff": STAFF,
                "care": CARE,
                "marketing": ("maria",),
                "guest": ("visitor",),
                "admin": ("ada",),
            }
        ),
    ),
)
UNREAD: Final = ("hal", "iris", "jonas", "cora", "curt")


def policy_setup(
    *, pseudonyms: bool = False, read_by: int = -len(UNREAD), rules: RuleSet = WITH_POLICY
) -> AdminSetup:
    """Of sixteen people eleven have read version 3; two have no time left, two have some, one has
    not met it. `read_by`: another number of people who have read it."""
    setup = AdminSetup(pseudonyms=pseudonyms, rules=rules)
    ledger = setup.ledger
    _texts(ledger)
    people = [name for name in (*STAFF, *CARE, "maria") if name not in UNREAD] + list(UNREAD)
    for number, name in enumerate(people):
        ledger.acknowledge(
            Acknowledgement(name, SOCIAL.name, "2", "22" * 32, NOW - 40 * DAY + number, "gate")
        )
    for number, name in enumerate(people[:read_by]):
        ledger.acknowledge(
            Acknowledgement(name, SOCIAL.name, "3", SOCIAL.digest, NOW - DAY + number, "policy")
        )
    for name, ago in (("hal", 5.0), ("cora", 4.0), ("iris", 1.0), ("curt", 0.5)):
        ledger.meet(NoticeMeeting(name, SOCIAL.name, 3, NOW - ago * DAY))
    ledger.write_visits([replace(visit("facebook", 60, 5), person="bella")])
    return setup


def _texts(ledger: Ledger) -> None:
    german = TEXTS["de"].markdown
    for digest, version, days, text in (
        ("11" * 32, "1", 160.0, {"en": OLD_TEXT}),
        ("22" * 32, "2", 60.0, {"en": OLD_TEXT, "de": german}),
        ("2e" * 32, "2.1", 40.0, {"en": OLD_TEXT, "de": german}),
        (SOCIAL.digest, "3", 6.0, {"en": NEW_TEXT, "de": german}),
    ):
        ledger.keep_notice(NoticeVersion(digest, SOCIAL.name, version, NOW - days * DAY, text))
