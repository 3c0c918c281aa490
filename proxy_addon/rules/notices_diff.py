"""What differs between the written policies of two sets of rules, and who is asked again because of
it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from proxy_addon.core.notices.notice import AskWhen, Notice, Office
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.presentation import rule_text

_YEAR = 365 * 86_400.0
_NONE = "none"
_SHORT = 12  # digits of a digest that are shown

type SettingDifference = tuple[str, str, str]


def differences(before: RuleSet, after: RuleSet) -> Iterator[SettingDifference]:
    """Each difference: its key, and both values as rule files write them."""
    was, becomes = _by_name(before), _by_name(after)
    for name in dict.fromkeys((*was, *becomes)):
        yield from _of_one(f"notice {name}", was.get(name), becomes.get(name))
    order = [
        [name for name in found if name in was and name in becomes] for found in (was, becomes)
    ]
    if order[0] != order[1]:
        yield "notice: order", ", ".join(order[0]), ", ".join(order[1])
    for key, shown in _OFFICE.items():
        old, new = shown(before.office), shown(after.office)
        if old != new:
            yield f"office: {key}", old, new


def _by_name(rules: RuleSet) -> dict[str, Notice]:
    return {notice.name: notice for notice in rules.notices}


def _of_one(key: str, was: Notice | None, becomes: Notice | None) -> Iterator[SettingDifference]:
    if was is None and becomes is not None:
        yield key, _NONE, f"{_described(becomes)} ({_asked_first(becomes)})"
    elif was is not None and becomes is None:
        yield key, _described(was), f"{_NONE} (nobody is asked any more)"
    elif was is not None and becomes is not None:
        if was.version != becomes.version:
            yield f"{key}: version", str(was.version), f"{becomes.version} ({_again(was, becomes)})"
        elif was.digest != becomes.digest:
            digests = was.digest[:_SHORT], becomes.digest[:_SHORT]
            yield (
                f"{key}: text",
                digests[0],
                f"{digests[1]} (the same version: nobody is asked again)",
            )
        for setting, shown in _SETTINGS.items():
            old, new = shown(was), shown(becomes)
            if old != new:
                yield f"{key}: {setting}", old, new


def _again(was: Notice, becomes: Notice) -> str:
    """Who has to confirm another version."""
    if becomes.ask is AskWhen.OFF:
        return "nobody is asked"
    if becomes.version < was.version:
        return f"older: nobody who has confirmed {was.version} is asked"
    if was.version.covers(becomes.version):
        return "nobody is asked again"
    again = "shown again" if becomes.ask is AskWhen.SHOWN else "asked again"
    return f"{_everybody(becomes)} is {again}"


def _asked_first(notice: Notice) -> str:
    if notice.ask is AskWhen.OFF:
        return "nobody is asked"
    return f"{_everybody(notice)} is {'shown it' if notice.ask is AskWhen.SHOWN else 'asked'}"


def _everybody(notice: Notice) -> str:
    if not notice.roles:
        return "everybody"
    return f"everybody with the role {' or '.join(sorted(notice.roles))}"


def _described(notice: Notice) -> str:
    shown = (f"{key} {value(notice)}" for key, value in _SETTINGS.items())
    return f"version {notice.version}, {', '.join(shown)}"


def _again_after(notice: Notice) -> str:
    seconds = notice.again_after
    if seconds is None:
        return "never"
    years, rest = divmod(seconds, _YEAR)
    return rule_text.length(seconds) if rest else f"{years:.0f}y"


_SETTINGS: Mapping[str, Callable[[Notice], str]] = {
    "ask": lambda notice: str(notice.ask),
    "grace": lambda notice: rule_text.length(notice.grace),
    "roles": lambda notice: ", ".join(sorted(notice.roles)) or "all",
    "again_after": _again_after,
}
_OFFICE: Mapping[str, Callable[[Office], str]] = {
    "name": lambda office: office.name or _NONE,
    "contact": lambda office: office.contact or _NONE,
    "languages": lambda office: ", ".join(office.languages),
}
