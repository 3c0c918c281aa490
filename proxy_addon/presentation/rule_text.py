"""Lengths, limits and answers in the words of the rule files: "4m40s", "15m per day", "spend
daily-social".

For people who write rules; `durations.py` is for employees.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from proxy_addon.core import period_table
from proxy_addon.core.ruleset import Limit, Override, RuleSet
from proxy_addon.presentation.durations import count

_HOURS = (("hour", 3_600), ("minute", 60), ("second", 1))
_UNITS = (("day", 86_400), *_HOURS)
_FEW = 4


def length(seconds: float) -> str:
    """To the second, as a rule file would write it: "15m", "4m40s", "1h30m", "0m"."""
    return _short(_counts(seconds, _UNITS))


def spelled_length(seconds: float) -> str:
    """The same for employees: "15 minutes", "1 hour 30 minutes"."""
    return _spelled(_counts(seconds, _UNITS))


def amount(seconds: float) -> str:
    """Time of an allowance, such as a limit and what is left of it: in hours, however many ("40h",
    "15m")."""
    return _short(_counts(seconds, _HOURS))


def _short(counts: Iterable[tuple[int, str]]) -> str:
    return "".join(f"{count}{unit[0]}" for count, unit in counts)


def _spelled(counts: Iterable[tuple[int, str]]) -> str:
    return " ".join(f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in counts)


def _counts(seconds: float, units: Iterable[tuple[str, int]]) -> list[tuple[int, str]]:
    """How many of each unit, to the second; no minutes where it is nothing."""
    rest, found = round(seconds), []
    for unit, size in units:
        count, rest = divmod(max(0, rest), size)
        if count:
            found.append((count, unit))
    return found or [(0, "minute")]


def limit(one: Limit) -> str:
    """ "15m per day", "20m per rolling 4h", "40h per year"."""
    return f"{amount(one.seconds)} {period_table.per(one.period, length(one.rolling))}"


def spelled_limit(one: Limit) -> str:
    """The same for employees: "15 minutes per day", "20 minutes in any 4 hours"."""
    seconds = _spelled(_counts(one.seconds, _HOURS))
    return f"{seconds} {period_table.spelled(one.period, spelled_length(one.rolling))}"


def limits(many: Iterable[Limit]) -> str:
    """Several limits that all hold: "15m per day and 1h per week"."""
    return " and ".join(limit(one) for one in many)


def override(one: Override) -> str:
    """Whom an override is for: "role care", "user bob or role care"."""
    parts = [f"{'user' if len(one.users) == 1 else 'users'} {some(one.users)}"] if one.users else []
    if one.roles:
        parts.append(f"{'role' if len(one.roles) == 1 else 'roles'} {some(one.roles)}")
    return " or ".join(parts)


def some(names: Iterable[str]) -> str:
    """ "a, b and c"; a long list is cut to "a, b, c and 7 more"."""
    texts = list(names)
    if len(texts) > _FEW:
        texts = [*texts[: _FEW - 1], f"{len(texts) - _FEW + 1} more"]
    return listed(texts)


def listed(texts: Sequence[str]) -> str:
    """ "a, b and c", however many there are."""
    return " and ".join(filter(None, (", ".join(texts[:-1]), *texts[-1:])))


def size(rules: RuleSet) -> str:
    """ "5 rules, 2 allowances, 1 role, 9 of 48 platforms limited"."""
    return (
        f"{count(len(rules.rules), 'rule')}, {count(len(rules.allowances), 'allowance')}, "
        f"{count(len(rules.people.roles), 'role')}, "
        f"{len(rules.limited)} of {count(len(rules.platforms), 'platform')} limited"
    )
