"""Shared by the commands about the written policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo

import typer

from proxy_addon.cli.common import exit_with, operator
from proxy_addon.cli.ledger_access import CommandContext, reason_words
from proxy_addon.config.settings import Settings
from proxy_addon.core.notices.notice import Notice
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.identity.passwords import PasswordFile
from proxy_addon.identity.pseudonyms import Mask
from proxy_addon.ledger.interface import Ledger
from proxy_addon.ledger.pseudonymous import PseudonymLedger
from proxy_addon.ledger.unmasking import known_names
from proxy_addon.presentation.languages import LANGUAGES
from proxy_addon.report.notice_names import waiting_by_name
from proxy_addon.report.notice_status import NoticeStatus, Reader, read_status
from proxy_addon.report.notice_texts import PolicyText, TextNotFound, find, known_texts

NoticeName = Annotated[
    str | None,
    typer.Argument(metavar="NOTICE", help="Its name: the name of its file. Default: the only one"),
]
Names = Annotated[
    bool, typer.Option("--names", help="Also who has not read it; needs --reason, and is audited.")
]
Reason = Annotated[
    str | None, typer.Option("--reason", help="Why the names are needed; kept in the audit.")
]
Language = Annotated[
    str | None,
    typer.Option("--language", metavar="CODE", help="Such as de. Default: the office's first"),
]
Csv = Annotated[
    str | None, typer.Option("--csv", metavar="FILE", help="Write a table; `-` prints it.")
]


class Waiting(NamedTuple):
    """Who has read what; `names`: those who have not, where they were asked for."""

    statuses: Sequence[NoticeStatus]
    names: dict[str, tuple[Reader, ...]] | None
    now: float
    rules: RuleSet

    @property
    def zone(self) -> ZoneInfo:
        """That of the policy."""
        return self.rules.zone


def reason_for(names: bool, reason: str | None) -> str | None:
    """The reason, on one line; None where no names are asked for. Either without the other is a
    wrong use of the command."""
    if names != (reason is not None):
        raise typer.BadParameter("--names and --reason belong together: say why you need the names")
    return None if reason is None else reason_words(reason)


def waiting(
    context: CommandContext, settings: Settings, notice: str | None, reason: str | None
) -> Waiting:
    """What the ledger knows of one notice or of all; with a reason also names, audited first."""
    ledger, engine = context.ledger, context.engine
    found = read_status(
        ledger, engine, context.now, mask=mask_of(ledger), known=known(engine.rule_set, settings)
    )
    if notice is not None:
        named(engine.rule_set.notices, notice)
        found = tuple(each for each in found if each.notice.name == notice)
    names = None
    if reason is not None and found:
        names = waiting_by_name(
            ledger, found, reason=reason, actor=f"cli:{operator()}", at=context.now
        )
    return Waiting(found, names, context.now, engine.rule_set)


def mask_of(ledger: Ledger) -> Mask:
    """From a name to what the ledger has in its place."""
    return ledger.names.of if isinstance(ledger, PseudonymLedger) else str


def known(rules: RuleSet, settings: Settings) -> list[str]:
    """Names that this host knows, to find people behind pseudonyms."""
    if not rules.pseudonyms:
        return []
    return list(known_names(rules, PasswordFile(settings.passwords).users()))


def named(notices: Sequence[Notice], name: str | None) -> Notice:
    """The notice in force with that name; without a name the only one. Exits with 1 where there is
    none, or more than one."""
    there = ", ".join(each.name for each in notices)
    if not notices:
        exit_with("no written policy is in force; a `notice:` in the policy names one")
    if name is None:
        if len(notices) > 1:
            exit_with(f"NOTICE: several are in force; name one of {there}")
        return notices[0]
    found = next((each for each in notices if each.name == name), None)
    if found is None:
        exit_with(f"NOTICE: no {name!r} is in force; there is {there}")
    return found


def texts_of(rules: RuleSet, ledger: Ledger | None) -> list[PolicyText]:
    """Those in force and those that the ledger keeps, where there is one. Raises LedgerError."""
    kept = () if ledger is None else ledger.notice_versions()
    return known_texts(rules.notices, kept)


def notice_name(texts: Sequence[PolicyText], name: str | None) -> str:
    """The notice that is meant: the one named, else the only one in force, else the only one that
    is known. Exits with 1."""
    there = list(dict.fromkeys(each.notice for each in texts))
    if name is not None:
        if name not in there:
            exit_with(f"NOTICE: no text of {name!r} is known; {_known(there)}")
        return name
    current = list(dict.fromkeys(each.notice for each in texts if each.in_force))
    candidates = current or there
    if len(candidates) != 1:
        exit_with(f"NOTICE: say which; {_known(there)}")
    return candidates[0]


def _known(names: Sequence[str]) -> str:
    return (
        f"there is {', '.join(names)}" if names else "the ledger keeps none, and none is in force"
    )


def one_text(texts: Sequence[PolicyText], notice: str, wanted: str, option: str) -> PolicyText:
    """By version or digest. Exits with 1 where there is none."""
    try:
        return find(texts, notice, wanted)
    except TextNotFound as problem:
        exit_with(f"{option}: {problem}")


def spoken(language: str | None, rules: RuleSet) -> str:
    """A language that commands can write reminders in; without one the office's first."""
    if language is None:
        return next((each for each in rules.office.languages if each in LANGUAGES), "en")
    if language not in LANGUAGES:
        raise typer.BadParameter(f"--language: choose one of {', '.join(LANGUAGES)}")
    return language
