"""What is open for somebody now, and what comes next, for many platforms at once.

Targets that the same rules cover get the same answer at every instant, so only one of each group is
asked about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from proxy_addon.core.policy.balance import Usage
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.policy.matching import covers
from proxy_addon.core.policy.outlook import NextAnswer, answers, kind
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Decision, Person, Target


class OpenGroup(NamedTuple):
    """Targets with the same answers: the one now, the next other one, and the two after that; None:
    not within a month."""

    targets: tuple[Target, ...]
    now: Decision
    next: NextAnswer | None = None
    after: NextAnswer | None = None
    third: NextAnswer | None = None


def all_targets(rules: RuleSet) -> tuple[Target, ...]:
    """Every platform, and every section that some rule names, in the order of the groups."""
    named = {target for rule in rules.rules for target in rule.targets or ()}
    known = dict.fromkeys(member for group in rules.groups.values() for member in group)
    platforms = [name for name in known | dict.fromkeys(rules.platforms) if name in rules.platforms]
    return tuple(
        target
        for name in platforms
        for target in (
            Target(name),
            *(Target(name, section.name) for section in rules.platforms[name].sections),
        )
        if target.section is None or target in named
    )


def alike(rules: RuleSet, targets: Iterable[Target]) -> tuple[tuple[Target, ...], ...]:
    """The targets in groups that the same rules cover, whoever asks and whenever."""
    groups: dict[tuple[int, ...], list[Target]] = {}
    for target in targets:
        limited = target.platform in rules.limited
        fitting = (n for n, rule in enumerate(rules.rules) if covers(rule, target))
        groups.setdefault(tuple(fitting) if limited else (-1,), []).append(target)
    return tuple(map(tuple, groups.values()))


def open_groups(
    engine: Engine, person: Person, groups: Sequence[Sequence[Target]], usage: Usage, now: float
) -> list[OpenGroup]:
    """What each group of targets that are alike is for a person, in the same order."""
    return [_group(engine, person, tuple(targets), usage, now) for targets in groups if targets]


def _group(
    engine: Engine, person: Person, targets: tuple[Target, ...], usage: Usage, now: float
) -> OpenGroup:
    changes = answers(engine, person, targets[0], usage, now)
    first = next(changes)
    found: list[NextAnswer] = []
    last = kind(first.decision)
    for each in changes:
        if kind(each.decision) != last:
            found.append(each)
            last = kind(each.decision)
            if len(found) == 3:
                break
    return OpenGroup(targets, first.decision, *found)
