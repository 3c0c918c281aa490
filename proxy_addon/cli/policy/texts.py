"""`allowance policy list`: which texts are in force, and which older ones are kept."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from proxy_addon.cli.common import AsJson, Config, Database, Rules, print_json, say
from proxy_addon.cli.expected_errors import one_line_errors
from proxy_addon.cli.ledger_access import ledger_if_any
from proxy_addon.cli.policy.common import texts_of
from proxy_addon.cli.tables import PlainConsole, PlainTable, whole
from proxy_addon.config.settings import load_settings
from proxy_addon.core.notices.notice import AskWhen, Notice
from proxy_addon.presentation.durations import duration, iso
from proxy_addon.presentation.spoken_rules import days
from proxy_addon.report.notice_texts import SHORT, PolicyText
from proxy_addon.rules import folder as rules_folder

_DAY = 86_400.0


def show_list(
    rules: Rules = None, database: Database = None, config: Config = None, as_json: AsJson = False
) -> None:
    """Show the written policies in force, and the older texts that the ledger keeps."""
    with one_line_errors():
        settings = load_settings({"rules": rules, "database": database}, config)
        rule_set = rules_folder.load(settings.rules)
        with ledger_if_any(rule_set, settings) as ledger:
            texts = texts_of(rule_set, ledger)
    if as_json:
        print_json(
            {
                "in_force": [line(each) for each in rule_set.notices],
                "texts": [text_line(each, rule_set.zone) for each in texts],
            }
        )
        return
    console = PlainConsole(highlight=False)
    if not rule_set.notices:
        say("No written policy is in force.")
    else:
        console.print(_in_force(rule_set.notices))
    older = [each for each in texts if not each.in_force]
    if older:
        console.print(_older(older, rule_set.zone))


def line(notice: Notice) -> dict[str, Any]:
    """A notice in force for JSON; times in seconds."""
    return {
        "notice": notice.name,
        "version": str(notice.version),
        "digest": notice.digest,
        "languages": list(notice.texts),
        "ask": notice.ask.value,
        "roles": sorted(notice.roles),
        "grace": notice.grace,
        "again_after": notice.again_after,
        "effective": None if notice.effective is None else notice.effective.isoformat(),
        "owner": notice.owner,
        "contact": notice.contact,
    }


def text_line(text: PolicyText, zone: ZoneInfo) -> dict[str, Any]:
    """A text for JSON; the instant in the zone of the policy."""
    return {
        "notice": text.notice,
        "version": text.version,
        "digest": text.digest,
        "languages": list(text.texts),
        "since": None if text.since is None else iso(text.since, zone),
        "in_force": text.in_force,
    }


def _in_force(notices: tuple[Notice, ...]) -> PlainTable:
    table = PlainTable(
        whole("Notice"), whole("Version"), "For whom, and how", whole("Digest"), title="In force"
    )
    for each in notices:
        table.add(each.name, str(each.version), _conditions(each), each.digest[:SHORT])
    return table


def _conditions(notice: Notice) -> str:
    """What its entry in the policy file says, in one line."""
    parts = [", ".join(sorted(notice.roles)) or "everybody", f"ask {notice.ask.value}"]
    if notice.ask is AskWhen.BEFORE_FIRST_USE:
        parts.append(f"grace {_time(notice.grace)}")
        if notice.again_after is not None:
            parts.append(f"again after {_time(notice.again_after)}")
    return "; ".join([*parts, f"in {', '.join(notice.texts)}"])


def _older(texts: list[PolicyText], zone: ZoneInfo) -> PlainTable:
    table = PlainTable(
        whole("Notice"),
        whole("Version"),
        "Languages",
        "First in force",
        whole("Digest"),
        title="Older texts that the ledger keeps",
    )
    for each in texts:
        since = "" if each.since is None else iso(each.since, zone)[:16].replace("T", " ")
        table.add(each.notice, each.version, ", ".join(each.texts), since, each.digest[:SHORT])
    return table


def _time(seconds: float) -> str:
    """Days where it is whole days."""
    if seconds >= _DAY and seconds % _DAY == 0:
        return days(round(seconds / _DAY))
    return duration(seconds)
