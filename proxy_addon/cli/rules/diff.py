"""`allowance rules diff`: what another rules folder would change, for whom, where and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from proxy_addon.cli.common import AsJson, Config, Rules, exit_with, print_json, say
from proxy_addon.cli.expected_errors import one_line_errors
from proxy_addon.config import dates
from proxy_addon.config.dates import BadDateError
from proxy_addon.config.settings import load_settings
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.presentation import rule_text
from proxy_addon.presentation.durations import day, iso
from proxy_addon.rules import folder as rules_folder
from proxy_addon.rules.diff import (
    Change,
    Comparison,
    DecisionAtHour,
    Effect,
    WeekdayInterval,
    differences,
    next_week,
    week_of,
)
from proxy_addon.system.clock import SystemClock

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder with the changed rules.")]
Week = Annotated[
    str | None,
    typer.Option(
        "--week", metavar="DATE", help="Look at the week of this day. Default: the next week"
    ),
]
ExitCode = Annotated[
    bool, typer.Option("--exit-code", help="Exit with 1 when there are differences.")
]

_MARKS = {Effect.GAIN: "+", Effect.LOSS: "-", Effect.OTHER: "~"}
_COUNTED = {
    Effect.GAIN: ("gain", "gains"),
    Effect.LOSS: ("loss", "losses"),
    Effect.OTHER: ("other", "others"),
}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WHOLE = 86_400
_FEW_PLACES = 6


def diff(
    folder: Folder,
    rules: Rules = None,
    week: Week = None,
    exit_code: ExitCode = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show what would change if the rules in DIR took the place of those in force: who gains, who
    loses."""
    with one_line_errors():
        before = rules_folder.load(load_settings({"rules": rules}, config).rules)
        after = rules_folder.load(folder)
    found = differences(before, after, _start(before, week))
    if as_json:
        print_json(_data(found, before))
    else:
        say("\n".join(_lines(found, before)))
    raise typer.Exit(1 if exit_code and not found.equal else 0)


def _start(rules: RuleSet, week: str | None) -> float:
    if week is None:
        return next_week(rules, SystemClock().now())
    try:
        return week_of(rules, dates.day(week))
    except BadDateError as error:
        exit_with(f"--week: {error}")


def _lines(found: Comparison, rules: RuleSet) -> Iterator[str]:
    """One sentence a change, then what the week cannot show."""
    yield f"In the week of {day(found.start, rules.zone)}:"
    for change in found.changes:
        yield f"{_MARKS[change.effect]} {sentence(change)}"
    for key, was, becomes in found.settings:
        yield f"~ everybody: {key}: {was} -> {becomes}"
    if found.equal:
        yield "nothing changes for anybody"
    else:
        count = Counter(one.effect for one in found.changes)
        count[Effect.OTHER] += len(found.settings)
        yield ", ".join(_many(count[effect], *words) for effect, words in _COUNTED.items())
    if found.dated:
        names = rule_text.some(f'"{name}"' for name in found.dated)
        yield f"Dates are seen in their own week only (--week DATE): {names}"


def _many(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def sentence(change: Change) -> str:
    """ "role care: facebook Sat-Sun 00:00-24:00: spend daily-social 15m per day -> 45m per day"."""
    places = change.platforms
    where = ", ".join(places[:_FEW_PLACES])
    if len(places) > _FEW_PLACES:
        where += f" and {len(places) - _FEW_PLACES} more"
    return f"{_who(change)}: {where} {times(change.times)}: {_what(change.before, change.after)}"


def _who(change: Change) -> str:
    parts = [f"role {role}" for role in change.roles]
    parts += [f'users like "{pattern}"' for pattern in change.patterns]
    return rule_text.some([*parts, *change.people])


def _what(before: DecisionAtHour, after: DecisionAtHour) -> str:
    """Both answers; what they have in common is written once."""
    by = "" if before.rule == after.rule else f" ({_rule(before)} -> {_rule(after)})"
    was, becomes = str(before), str(after)
    if before.limits and after.limits and before.allowance == after.allowance:
        becomes = becomes.removeprefix(f"spend {after.allowance} ")
    return f"{was}, as before{by}" if str(before) == str(after) else f"{was} -> {becomes}{by}"


def _rule(answer: DecisionAtHour) -> str:
    return "no rule" if answer.rule is None else f'"{answer.rule}"'


def times(stretches: tuple[WeekdayInterval, ...]) -> str:
    """ "always", "Sat-Sun 00:00-24:00", "Mon-Fri 12:00-13:30, 18:00-20:00 and Sat 00:00-24:00"."""
    by_day: dict[int, tuple[tuple[int, int], ...]] = {}
    for number, same in groupby(stretches, key=lambda one: one.day):
        by_day[number] = tuple((one.start, one.end) for one in same)
    if len(by_day) == len(_DAYS) and set(by_day.values()) == {((0, _WHOLE),)}:
        return "always"
    alike: dict[tuple[tuple[int, int], ...], list[int]] = {}
    for number, spans in by_day.items():
        alike.setdefault(spans, []).append(number)
    return " and ".join(f"{_days(numbers)} {_spans(spans)}" for spans, numbers in alike.items())


def _days(numbers: list[int]) -> str:
    """Runs of days as ranges."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(
        _DAYS[run[0]] if len(run) == 1 else f"{_DAYS[run[0]]}-{_DAYS[run[-1]]}" for run in runs
    )


def _spans(spans: tuple[tuple[int, int], ...]) -> str:
    return ", ".join(f"{_clock(start)}-{_clock(end)}" for start, end in spans)


def _clock(second: int) -> str:
    hours, rest = divmod(second, 3600)
    text = f"{hours:02}:{rest // 60:02}"
    return f"{text}:{rest % 60:02}" if rest % 60 else text


def _data(found: Comparison, rules: RuleSet) -> dict[str, Any]:
    start = datetime.fromisoformat(iso(found.start, rules.zone))
    return {
        "equal": found.equal,
        "week": start.isoformat(),
        "people": found.people,
        "classes": found.classes,
        "changes": [
            {
                "roles": list(one.roles),
                "patterns": list(one.patterns),
                "people": list(one.people),
                "platforms": list(one.platforms),
                "times": [
                    {"day": _DAYS[t.day].lower(), "from": _clock(t.start), "to": _clock(t.end)}
                    for t in one.times
                ],
                "hours": round(one.hours, 2),
                "effect": one.effect,
                "before": _answer(one.before),
                "after": _answer(one.after),
                "sentence": sentence(one),
            }
            for one in found.changes
        ],
        "settings": [
            {"key": k, "before": was, "after": becomes} for k, was, becomes in found.settings
        ],
        "dated_rules": list(found.dated),
    }


def _answer(answer: DecisionAtHour) -> dict[str, Any]:
    return {
        "verdict": answer.verdict,
        "rule": answer.rule,
        "allowance": answer.allowance,
        "limits": list(answer.limits),
        "carry_over": answer.carry_over,
        "observed": answer.observed,
    }
