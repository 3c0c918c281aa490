"""Which settings of the policy differ between two sets of rules, beside what people may do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields

from proxy_addon.core.ruleset import Metering, RuleSet, Urgent
from proxy_addon.presentation import rule_text
from proxy_addon.rules import notices_diff

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def differences(before: RuleSet, after: RuleSet) -> Iterator[tuple[str, str, str]]:
    """Each setting that differs: its key, and both values as rule files write them."""
    for key, shown in _SETTINGS.items():
        was, becomes = shown(before), shown(after)
        if was != becomes:
            yield key, was, becomes
    for name, allowance in before.allowances.items():
        other = after.allowances.get(name, allowance)
        if allowance.warn_at != other.warn_at:
            was, becomes = map(rule_text.amount, (allowance.warn_at, other.warn_at))
            yield f"{name}: warn_at", was, becomes
        if allowance.title != other.title:
            yield f"{name}: title", allowance.title or "none", other.title or "none"
    for span in fields(Metering):
        was, becomes = (f"{getattr(rules.metering, span.name):g}" for rules in (before, after))
        if was != becomes:
            yield f"metering: {span.name}", was, becomes
    yield from notices_diff.differences(before, after)


def _urgent(urgent: Urgent | None) -> str:
    if urgent is None:
        return "none"
    minutes = rule_text.amount(urgent.seconds)
    roles = f" for {', '.join(sorted(urgent.roles))}" if urgent.roles else ""
    return f"{minutes}, {urgent.times} per {urgent.period}{roles}"


_SETTINGS: Mapping[str, Callable[[RuleSet], str]] = {
    "timezone": lambda rules: rules.zone.key,
    "day_starts": lambda rules: f"{rules.day_starts // 3600:02}:{rules.day_starts % 3600 // 60:02}",
    "week_starts": lambda rules: _DAYS[rules.week_starts],
    "unidentified": lambda rules: rules.unidentified_role or "refuse",
    "on_failure": lambda rules: str(rules.on_failure),
    "decrypt": lambda rules: str(rules.decrypt),
    "embeds": lambda rules: str(rules.embeds),
    "urgent": lambda rules: _urgent(rules.urgent),
    "retention": lambda rules: rule_text.length(rules.retention),
}
