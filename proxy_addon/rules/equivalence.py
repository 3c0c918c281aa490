"""People and platforms in classes: those whom two sets of rules cannot tell apart need to be asked about once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from proxy_addon.core.audience import AudienceIndex, is_pattern
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Limit, Rule, RuleSet
from proxy_addon.core.types import Person, Target

ANYBODY = "anybody in role "
MATCHING = "anybody like "
UNIDENTIFIED = "anybody unidentified"


class Side:
    """One set of rules, ready to be asked."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self.engine = Engine(rules)
        lists = [(rule.users, rule.roles) for rule in rules.rules]
        for allowance in rules.allowances.values():
            lists += [(one.users, frozenset(one.roles)) for one in allowance.overrides]
        self._audiences = AudienceIndex(lists)
        self._overrides = {
            name: [
                (self._audiences.bit(one.users, one.roles), one.limits)
                for one in allowance.overrides
            ]
            for name, allowance in rules.allowances.items()
        }
        self._rules_at: dict[Target, list[tuple[int, Rule, int]]] = {}

    def met(self, bits: int, target: Target) -> tuple[object, ...]:
        """The rules that can decide about people in these lists and a target, each with the limits it leads to.

        People for whom this is equal are answered alike at every instant.
        """
        found: list[object] = [target.platform in self.rules.limited]
        for number, rule, bit in self._at(target):
            if bit & bits:
                limits = None if rule.allowance is None else self._limits(bits, rule.allowance)
                found += [number, limits]
                if rule.when is None:
                    break
        return tuple(found)

    def _at(self, target: Target) -> list[tuple[int, Rule, int]]:
        """The rules that name a target: number, rule, and the bit of the people it is for."""
        rows = self._rules_at.get(target)
        if rows is None:
            rows = self._rules_at[target] = [
                (number, rule, self._audiences.bit(rule.users, rule.roles))
                for number, rule in enumerate(self.rules.rules)
                if _covers(rule, target)
            ]
        return rows

    def bits(self, person: Person | None, at: float) -> int:
        """The lists of rules and overrides that the person is in; 0 for somebody whom the policy refuses."""
        if person is None:
            return 0
        return self._audiences.bits(self.engine.person(person.name, at) if person.duty else person)

    def limits(self, person: Person, allowance: str, at: float) -> tuple[Limit, ...]:
        """The limits of an allowance that hold for the person."""
        return self._limits(self.bits(person, at), allowance)

    def _limits(self, bits: int, allowance: str) -> tuple[Limit, ...]:
        fitting = (limits for bit, limits in self._overrides[allowance] if bit & bits)
        return next(fitting, self.rules.allowances[allowance].limits)


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
    """All names and patterns of users, from wherever they stand."""
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
    """People by what decides about them: the lists they are in, and for those of a rota their name."""
    found: dict[object, list[Audience]] = {}
    for who in people:
        if any(person is not None and person.duty for person in (who.before, who.after)):
            key: object = who.label
        else:
            key = (old.bits(who.before, at), new.bits(who.after, at))
        found.setdefault(key, []).append(who)
    return found


def kinds(before: RuleSet, after: RuleSet) -> dict[Target, tuple[str, ...]]:
    """One target for all that are treated alike, with the names of those; sections only where a rule names one."""
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
            (target.platform in rules.limited, tuple(_covers(rule, target) for rule in rules.rules))
            for rules in (before, after)
        )
        found.setdefault(key, []).append(target)
    return {same[0]: tuple(map(target_name, same)) for same in found.values()}


def _covers(rule: Rule, target: Target) -> bool:
    return rule.targets is None or target in rule.targets or Target(target.platform) in rule.targets


def target_name(target: Target) -> str:
    return target.platform if target.section is None else f"{target.platform}/{target.section}"
