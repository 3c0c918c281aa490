"""Explanations in words: why a rule did not fit, and a condition as text.

Addressed to the person whom the decision is about ("you are not in role marketing").
"""

from __future__ import annotations

from collections.abc import Iterable

from proxy_addon.core.ruleset import Rule, When
from proxy_addon.core.types import Fit, Target

_ALWAYS = {
    Fit.FITS: "the first rule that fits",
    Fit.OBSERVED: "the first rule that fits; observed only, it stops nobody",
    Fit.TOO_LATE: "an earlier rule decided",
}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMED = 4  # a list longer than this is cut


def why(rule: Rule, fit: Fit) -> str:
    """Why a rule fits, or does not."""
    if fit is Fit.NOT_YOU:
        return not_you(rule)
    if fit is Fit.NOT_THERE:
        return not_there(rule)
    if fit in _ALWAYS or rule.when is None:
        return _ALWAYS.get(fit, "")
    return not_now(rule.when, fit is Fit.EXCEPTED)


def not_you(rule: Rule) -> str:
    """The person is in none of the rule's users and roles."""
    parts = []
    if rule.users:
        parts.append(f"you are not {_either(rule.users)}")
    if rule.roles:
        you = "" if parts else "you are "
        parts.append(f"{you}not in role {_either(sorted(rule.roles))}")
    return " and ".join(parts)


def not_there(rule: Rule) -> str:
    """The target is not one of the rule's platforms and sections."""
    return f"not {_either(sorted(target_name(target) for target in rule.targets or ()))}"


def not_now(when: When, negated_holds: bool) -> str:
    """The condition does not hold; `negated_holds`: because its `not` part does."""
    if negated_holds and when.negated is not None:
        return f"it is {describe(when.negated)} now"
    return f"it is not {describe(when)} now"


def target_name(target: Target) -> str:
    """As the rule files write it: `linkedin` or `linkedin/learning`."""
    return target.platform if target.section is None else f"{target.platform}/{target.section}"


def describe(when: When) -> str:
    """The condition as a person would write it: "mon-fri 12:00-13:30", "2026-12-24 to
    2026-12-26"."""
    parts = []
    if when.dates:
        parts.append(
            _either(
                [f"{a}" if a == b else f"{a} to {b}" for a, b in when.dates], most=len(when.dates)
            )
        )
    if when.calendar is not None:
        parts.append(_either(when.calendar.names, most=len(when.calendar.names)))
    if when.days is not None:
        parts.append(_days(when.days))
    if when.between:
        parts.append(
            _either([f"{_clock(a)}-{_clock(b)}" for a, b in when.between], most=len(when.between))
        )
    text = " ".join(parts)
    if when.negated is None:
        return text or "any time"
    return f"{text or 'any time'} except {describe(when.negated)}"


def _days(days: frozenset[int]) -> str:
    """Runs of days as ranges: {0, 1, 2, 5} is "mon-wed, sat"."""
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    texts = [
        _DAYS[run[0]] if len(run) == 1 else f"{_DAYS[run[0]]}-{_DAYS[run[-1]]}" for run in runs
    ]
    return ", ".join(texts) or "no day"


def _clock(second: int) -> str:
    hours, rest = divmod(second, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours:02}:{minutes:02}" + (f":{seconds:02}" if seconds else "")


def _either(names: Iterable[str], most: int = _NAMED) -> str:
    """ "a, b or c"; a long list is cut to "a, b, c or 7 more"."""
    texts = list(names)
    if len(texts) > most:
        texts = [*texts[: most - 1], f"{len(texts) - most + 1} more"]
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} or {texts[-1]}"
