"""Rules that close something for good, but stand below a rule that opens it at some times.

"Not on our network" below "Lunch is yours" is closed only outside lunch, which its author hardly
meant. A rule above is taken for an exception that is meant, and not warned of, where it is the more
special of the two: it names users or roles and the closing rule does not name one of them, or all
the platforms and sections that it names the closing rule names as well. A closing rule with a
`when` says itself at which times it closes, and is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.rules import reachability
from proxy_addon.core.ruleset import Rule, RuleSet, Then
from proxy_addon.core.types import Person, Target


class PartialBlock(NamedTuple):
    """The numbers of a rule that blocks and of one above that decides first at some times, and the
    platforms and sections for which it does."""

    block: int
    above: int
    targets: tuple[Target, ...]


def partial_blocks(rs: RuleSet) -> Iterator[PartialBlock]:
    """Each such pair, in the order of the rules."""
    engine = Engine(replace(rs, people=replace(rs.people, duties={})))
    for n, block in enumerate(rs.rules):
        if block.then is not Then.BLOCK or block.when is not None:
            continue
        for i, above in enumerate(rs.rules[:n]):
            if above.when is None or above.then is Then.BLOCK or _is_exception(above, block):
                continue
            people = _people(engine, above, block)
            found = tuple(
                target
                for target in _sorted(block.targets)
                if any(_opens(engine, above, block, who, target) for who in people)
            )
            if found:
                yield PartialBlock(n, i, found)


def _opens(engine: Engine, above: Rule, block: Rule, who: Person, target: Target) -> bool:
    """Whether the rule above decides at some time about somebody for whom the target is closed
    otherwise. A condition with hours from an ICS file beside others counts as never."""
    deciding = engine.rules_for(who, target, 0.0)
    if above not in deciding or deciding[-1] != block:
        return False
    others = [each.when for each in deciding[: deciding.index(above)] if each.when is not None]
    assert above.when is not None
    return reachability.holds_without(above.when, others, engine.rule_set)


def _is_exception(above: Rule, block: Rule) -> bool:
    """Whether the rule above is the more special of the two."""
    if above.users or above.roles:
        named, closed = _names(above), _names(block)
        if not named & closed and not above.roles & block.roles:
            return True
    if block.targets is None:
        return True
    return above.targets is not None and above.targets <= block.targets


def _names(rule: Rule) -> frozenset[str]:
    return frozenset(name.casefold() for name in rule.users)


def _people(engine: Engine, *rules: Rule) -> list[Person]:
    """Somebody of each role alone, and whoever the rules name; for a pattern somebody who fits
    it."""
    named = {user.replace("*", "a").replace("?", "a") for rule in rules for user in rule.users}
    return [
        *(Person(f"ip:{role}", (role,)) for role in sorted(engine.rule_set.roles)),
        *(engine.person(name, 0.0) for name in sorted(named)),
    ]


def _sorted(targets: frozenset[Target] | None) -> list[Target]:
    return sorted(targets or (), key=lambda target: (target.platform, target.section or ""))
