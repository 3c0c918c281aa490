"""Equivalence classes of people and platforms: those that two rule sets treat alike are compared
once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from proxy_addon.core.audience import is_pattern
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.policy.matching import covers
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Person, Target

ANYBODY = "anybody in role "
MATCHING = "anybody like "
UNIDENTIFIED = "anybody unidentified"


class Side:
    """One rule set with its engine."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self.engine = Engine(rules)

    def met(self, person: Person | None, target: Target, at: float) -> tuple[object, ...]:
        """The rules that can decide about a person and a target, each with the limits it leads to.

        People for whom this is equal are answered alike at every instant. None: the policy refuses
        them.
        """
        found: list[object] = [target.platform in self.rules.limited]
        if person is not None:
            for rule in self.engine.rules_for(person, target, at):
                name = rule.allowance
                limits = None if name is None else self.engine.limits(person, name, at)
                found += [rule.name, limits]
        return tuple(found)

    def lists_of(self, person: Person | None, at: float) -> int:
        """See `Engine.lists_of`; 0 for a person whom the policy refuses."""
        return 0 if person is None else self.engine.lists_of(person, at)


class Audience(NamedTuple):
    """Somebody, as both sets know them; None where one refuses them."""

    label: str
    before: Person | None
    after: Person | None


def everybody(old: Side, new: Side, at: float) -> Iterator[Audience]:
    """Everybody whom one of the sets names, one like each pattern, and somebody of each role."""
    roles = dict.fromkeys((*_roles(old.rules), *_roles(new.rules)))
    for role in roles:
        yield Audience(ANYBODY + role, _in_role(old.rules, role), _in_role(new.rules, role))
    if old.rules.unidentified_role != new.rules.unidentified_role:
        address = "0.0.0.0"  # noqa: S104 - a person's name, nothing that is bound
        yield Audience(
            UNIDENTIFIED, old.engine.unidentified(address), new.engine.unidentified(address)
        )
    names = dict.fromkeys(name.casefold() for name in (*_names(old.rules), *_names(new.rules)))
    for name in names:
        sample = _like(name) if is_pattern(name) else name
        label = MATCHING + name if is_pattern(name) else name
        yield Audience(label, old.engine.person(sample, at), new.engine.person(sample, at))


def _roles(rules: RuleSet) -> Iterator[str]:
    yield rules.people.default_role
    yield from rules.people.roles
    yield from rules.people.duties
    if rules.unidentified_role is not None:
        yield rules.unidentified_role


def _in_role(rules: RuleSet, role: str) -> Person:
    """Somebody whom no list names. In a set without the role they have the default role."""
    return Person("\0nobody", (role if role in set(_roles(rules)) else rules.people.default_role,))


def _names(rules: RuleSet) -> Iterator[str]:
    """All names and patterns of users in a rule set."""
    for names in rules.people.roles.values():
        yield from names
    for duties in rules.people.duties.values():
        for duty in duties:
            yield from duty.users
    for rule in rules.rules:
        yield from rule.users
    for allowance in rules.allowances.values():
        for override in allowance.overrides:
            yield from override.users
    yield from (user for _, user, _ in rules.people.devices if user)


def _like(pattern: str) -> str:
    """A name that the pattern fits."""
    sample, inside = "", False
    for position, sign in enumerate(pattern):
        if inside:
            inside = sign != "]"
        elif sign == "[" and "]" in pattern[position + 2 :]:
            sample, inside = sample + pattern[position + 1], True
        else:
            sample += {"*": "somebody", "?": "a"}.get(sign, sign)
    return sample


def classes(
    old: Side, new: Side, people: Iterable[Audience], at: float
) -> dict[object, list[Audience]]:
    """People by what decides about them: the lists they are in, and for those of a rota their
    name."""
    found: dict[object, list[Audience]] = {}
    for who in people:
        if any(person is not None and person.duty for person in (who.before, who.after)):
            key: object = who.label
        else:
            key = (old.lists_of(who.before, at), new.lists_of(who.after, at))
        found.setdefault(key, []).append(who)
    return found


def kinds(before: RuleSet, after: RuleSet) -> dict[Target, tuple[str, ...]]:
    """One target for all that are treated alike, with the names of those; sections only where a
    rule names one."""
    targets = [Target(name) for name in dict.fromkeys((*before.platforms, *after.platforms))]
    named = {
        t
        for rules in (before, after)
        for rule in rules.rules
        for t in rule.targets or ()
        if t.section
    }
    targets += sorted(named)
    found: dict[object, list[Target]] = {}
    for target in targets:
        key = tuple(
            (target.platform in rules.limited, tuple(covers(rule, target) for rule in rules.rules))
            for rules in (before, after)
        )
        found.setdefault(key, []).append(target)
    return {same[0]: tuple(map(target_name, same)) for same in found.values()}


def target_name(target: Target) -> str:
    return target.platform if target.section is None else f"{target.platform}/{target.section}"
