"""What tests of the policy commands need: an office with a written policy, and people who have read
it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from db.ledger import SqlLedger
from proxy_addon.core.notices.notice import Notice
from proxy_addon.ledger.interface import (
    Acknowledgement,
    Ledger,
    NoticeMeeting,
    NoticeVersion,
    whole_milliseconds,
)
from proxy_addon.ledger.pseudonymous import PseudonymLedger, ledger_pseudonyms
from proxy_addon.rules import folder as rules_folder
from tests.cli.command_setup import URL, ledger, office, used

NOTICE = """notice:
  - {file: notices/social.md, grace: 3d, roles: [staff, care]}
  - {file: notices/guests.md, ask: shown, roles: [guest]}
office: {name: Example Ltd, languages: [en, de], contact: ext. 100}
"""
ONE = "notice: {file: notices/social.md, grace: 3d}\n"
TEXT = """---
version: {version}
title: Social media at work
owner: the people office
contact: ext. 120
languages: [{languages}]
---
# Social media at work
## Your time {{#time}}
- You have **{{{{ allowance.daily }}}}** from {{{{ office }}}}.
- {{{{ free }}}}
{more}
"""
GERMAN = """---
title: Soziale Medien
---
# Soziale Medien
## Ihre Zeit
Fragen: {{ contact }}
"""
OLD = "# Social media at work\n## Your time {#time}\n- You have {{ allowance.daily }}. {{ contact }}\n"


def policy_office(
    folder: Path, monkeypatch: pytest.MonkeyPatch, more: str = NOTICE, version: str = "3"
) -> Path:
    """Rules with one notice for staff, in two languages, and one for guests."""
    office(folder, monkeypatch, more=more)
    notices = folder / "rules" / "notices"
    notices.mkdir()
    (notices / "social.md").write_text(
        TEXT.format(version=version, languages="en, de", more="The last line.")
    )
    (notices / "social.de.md").write_text(GERMAN)
    (notices / "guests.md").write_text(TEXT.format(version="1", languages="en", more=""))
    return folder


def in_force(folder: Path) -> tuple[Notice, ...]:
    """The notices of those rules."""
    return rules_folder.load(folder / "rules").notices


def now() -> float:
    """The clock that the commands go by, as the ledger keeps it."""
    return whole_milliseconds(time.time())  # noqa: TID251


@contextmanager
def opened(folder: Path, url: str = URL) -> Iterator[Ledger]:
    """The ledger, addressed by names; with pseudonyms where the rules say so."""
    with ledger(url) as plain:
        yield _masked(folder, plain)


def _masked(folder: Path, plain: SqlLedger) -> Ledger:
    if not rules_folder.load(folder / "rules").pseudonyms:
        return plain
    return PseudonymLedger(plain, ledger_pseudonyms(plain, folder / "var" / "pseudonym.key", now()))


def people_read(folder: Path, url: str = URL) -> None:
    """Bo has read version 3, ana version 2 and met 3, cleo met it long ago, dee only used a
    platform; the texts are kept."""
    social = in_force(folder)[0]
    at = now()
    with opened(folder, url) as book:
        book.keep_notice(NoticeVersion("22" * 32, "social", "2", at - 9 * 86_400, {"en": OLD}))
        book.keep_notice(
            NoticeVersion(
                social.digest,
                "social",
                "3",
                at - 86_400,
                {language: text.markdown for language, text in social.texts.items()},
            )
        )
        book.acknowledge(Acknowledgement("ana", "social", "2", "22" * 32, at - 8e5, "gate"))
        book.acknowledge(Acknowledgement("bo", "social", "3", social.digest, at - 60, "policy"))
        book.meet(NoticeMeeting("ana", "social", 3, at - 3600))
        book.meet(NoticeMeeting("cleo", "social", 3, at - 5 * 86_400))
        book.write_visits([used("dee"), used("bo")])
