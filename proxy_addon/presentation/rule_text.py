"""Lengths, limits and answers in the words of the rule files: "4m40s", "15m per day", "spend daily-social".

For people who write rules; `words.py` speaks to employees.
"""

from __future__ import annotations

from collections.abc import Iterable

from proxy_addon.core.ruleset import Limit, Override, Period

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_FEW = 4


def length(seconds: float) -> str:
    """To the second, as a rule file would write it: "15m", "4m40s", "1h30m", "0m"."""
    return "".join(f"{count}{unit[0]}" for count, unit in _counts(seconds))


def spelled_length(seconds: float) -> str:
    """The same for employees: "15 minutes", "1 hour 30 minutes"."""
    return " ".join(
        f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in _counts(seconds)
    )


def _counts(seconds: float) -> list[tuple[int, str]]:
    """How many of each unit, to the second; no minutes where it is nothing."""
    rest, found = round(seconds), []
    for unit, size in _UNITS:
        count, rest = divmod(max(0, rest), size)
        if count:
            found.append((count, unit))
    return found or [(0, "minute")]


def limit(one: Limit) -> str:
    """ "15m per day", "20m per rolling 4h"."""
    if one.period is Period.ROLLING:
        return f"{length(one.seconds)} per rolling {length(one.rolling)}"
    return f"{length(one.seconds)} per {one.period}"


def spelled_limit(one: Limit) -> str:
    """The same for employees: "15 minutes per day", "20 minutes in any 4 hours"."""
    if one.period is Period.ROLLING:
        return f"{spelled_length(one.seconds)} in any {spelled_length(one.rolling)}"
    return f"{spelled_length(one.seconds)} per {one.period}"


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
    return " and ".join(
        part for part in (", ".join(texts[:-1]), texts[-1] if texts else "") if part
    )
