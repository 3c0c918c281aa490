"""`allowance policy remind`: reminders for those who have not read the written policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import typer

from proxy_addon.cli.common import AsJson, Config, Database, Rules, print_json, say
from proxy_addon.cli.ledger_access import open_ledger
from proxy_addon.cli.policy.common import (
    Csv,
    Language,
    Names,
    NoticeName,
    Reason,
    Waiting,
    reason_for,
    spoken,
    waiting,
)
from proxy_addon.cli.policy.status import summary, write_table
from proxy_addon.config.settings import load_settings
from proxy_addon.core.notices.notice import Notice
from proxy_addon.presentation.languages import speaking
from proxy_addon.presentation.notice_reminder import Reminder, address
from proxy_addon.report.notice_reminders import COLUMNS, reminder_for, reminder_rows
from proxy_addon.report.notice_status import NoticeStatus, Reader
from proxy_addon.report.spreadsheet import written


class _Message(NamedTuple):
    """What goes to somebody."""

    notice: Notice
    reader: Reader
    reminder: Reminder


def remind(
    notice: NoticeName = None,
    names: Names = False,
    reason: Reason = None,
    language: Language = None,
    csv: Csv = None,
    rules: Rules = None,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Print a reminder for those who have not read the written policy; with a reason, one for each.

    Nothing is sent. `--csv` is for the mail merge of an office program.
    """
    if csv is not None and as_json:
        raise typer.BadParameter("choose one of --csv and --json")
    if csv is not None and not names:
        raise typer.BadParameter("--csv: a table of reminders needs --names and --reason")
    why = reason_for(names, reason)
    with open_ledger(rules, database, config) as context:
        settings = load_settings({"rules": rules, "database": database}, config)
        speaks = spoken(language, context.engine.rule_set)
        found = waiting(context, settings, notice, why)
    with speaking(speaks):
        if as_json:
            print_json(
                {"notices": {each.notice.name: _line(found, each) for each in found.statuses}}
            )
        elif csv is not None:
            write_table(csv, written(COLUMNS, _rows(found)))
        else:
            _print(found)


def _messages(found: Waiting) -> Iterator[_Message]:
    for each in found.statuses:
        for reader in (found.names or {}).get(each.notice.name, ()):
            yield _Message(each.notice, reader, _reminder(found, each.notice, reader))


def _reminder(found: Waiting, notice: Notice, reader: Reader | None = None) -> Reminder:
    return reminder_for(notice, reader, found.rules, found.now)


def _rows(found: Waiting) -> Iterator[tuple[str, ...]]:
    for each in found.statuses:
        names = (found.names or {}).get(each.notice.name, ())
        yield from reminder_rows(each.notice, names, found.rules, found.now)


def _line(found: Waiting, status: NoticeStatus) -> dict[str, Any]:
    """One notice for JSON."""
    notice = status.notice
    made = _reminder(found, notice)
    told: dict[str, Any] = {
        "version": str(notice.version),
        "waiting": len(status.waiting),
        "address": address(notice),
        "subject": made.subject,
        "text": made.text,
    }
    if found.names is not None:
        told["reminders"] = [
            {"user": each.reader.name, "subject": each.reminder.subject, "text": each.reminder.text}
            for each in _messages(found)
            if each.notice is notice
        ]
    return told


def _print(found: Waiting) -> None:
    if not found.statuses:
        say("No written policy is in force.")
    for each in found.statuses:
        say(summary(each))
        say(f"They read it at {address(each.notice)}")
        if not each.waiting:
            continue
        if found.names is None:
            say(_shown(_reminder(found, each.notice)))
    for message in _messages(found):
        say(f"\nTo: {message.reader.name}{_shown(message.reminder)}")


def _shown(made: Reminder) -> str:
    return f"\nSubject: {made.subject}\n\n{made.text}\n"
