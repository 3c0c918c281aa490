"""Compiles rule files to a rule set: all files are validated together, and every problem is kept.

`compile_rules` never raises for the content of files: it returns a rule set, or the problems.
One mistake gives one problem: a name counts as declared even if its definition is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from proxy_addon.core.rules import address_parsers, conditions, lint, notices, parsers, time_parsers
from proxy_addon.core.rules.address_parsers import Network
from proxy_addon.core.rules.calendars import Sources
from proxy_addon.core.rules.checks import DefinedNames
from proxy_addon.core.rules.documents import Documents, Path
from proxy_addon.core.rules.merge import PEOPLE_KEYS, Top, declared, merged, policy_part
from proxy_addon.core.rules.models import (
    AllowanceModel,
    OverrideModel,
    PeopleModel,
    PolicyModel,
    RuleModel,
    UrgentModel,
)
from proxy_addon.core.rules.parsers import BadValue, quote
from proxy_addon.core.rules.platforms import compile_platforms, entries
from proxy_addon.core.rules.problems import Code, RuleProblem
from proxy_addon.core.rules.report import ProblemCollector, validated
from proxy_addon.core.rules.retention_checks import refuse_short_retention
from proxy_addon.core.ruleset import (
    Allowance,
    Decrypt,
    Embeds,
    Metering,
    Mode,
    OnFailure,
    Override,
    People,
    Period,
    Platform,
    Rule,
    RuleSet,
    Then,
    Urgent,
)
from proxy_addon.core.types import Target

type Device = tuple[Network, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Compiled:
    """`rule_set` is None when there are errors. `problems` are sorted by place and may be warnings
    only."""

    rule_set: RuleSet | None
    problems: tuple[RuleProblem, ...]


def compile_rules(
    documents: Documents, sources: Sources | None = None, *, advise: bool = False
) -> Compiled:
    """Validate all files together and build the rule set.

    `sources` provides calendars (None: they are empty). `advise`: valid rules are also checked for
    probable mistakes, which are warnings.
    """
    report = ProblemCollector()
    found = entries(documents.platforms)
    top = merged(documents, found, report)
    names = declared(top.data, found, sources) if documents.complete else DefinedNames()
    policy = validated(PolicyModel, policy_part(top, documents), names, report, top.find)
    people = validated(PeopleModel, top.part(PEOPLE_KEYS), names, report, top.find)
    platforms = compile_platforms(found, report)
    devices = _devices(people, top, report)
    metering = _metering(top, report)
    _group_names(top, found, report)
    _rule_names(top, report)
    if policy is None or people is None or report.has_errors:
        return Compiled(None, report.sorted)
    written = notices.NoticeCompiler(documents, top, names, report).compile(policy)
    rule_set = replace(
        _rule_set(policy, _people(people, policy, devices), platforms, metering),
        digest=documents.digest,
        notices=written,
        office=notices.office(policy),
    )
    refuse_short_retention(rule_set, top, report)
    if report.has_errors:
        return Compiled(None, report.sorted)
    if advise:
        lint.advise(rule_set, top, found, report)
        notices.advise(written, documents, policy, top, report)
    return Compiled(rule_set, report.sorted)


def _people(people: PeopleModel, policy: PolicyModel, devices: tuple[Device, ...]) -> People:
    """Who always has a role, and who has it at times."""
    members, duties = {}, {}
    known = conditions.calendars(policy)
    for role, model in people.roles.items():
        members[role] = conditions.members(model)
        if found := conditions.duties(model, known):
            duties[role] = found
    return People(people.default_role, members, devices, duties)


def _group_names(top: Top, found: Mapping[str, object], report: ProblemCollector) -> None:
    """A group must not have a platform's name, nor contain itself directly or indirectly."""
    groups = top.data.get("platform_groups")
    if not isinstance(groups, Mapping):
        return
    for name in groups:
        if name in found:
            message = f"group {quote(name)} has the name of a platform"
            report.add(
                top.find(("platform_groups", name), True),
                Code.DUPLICATE_NAME,
                message,
                "give the group a name of its own",
            )
    for path_names, position in _cycles(groups):
        message = f"group {quote(path_names[0])} contains itself: {' > '.join(path_names[:8])}"
        place = top.find(("platform_groups", path_names[-2], position))
        report.add(place, Code.GROUP_CYCLE, message, "take one of them out")


def _cycles(groups: Mapping[str, Any]) -> list[tuple[list[str], int]]:
    """Every cycle once: its path, and the position in the last group of the member that closes
    it."""
    cycles: list[tuple[list[str], int]] = []
    done: set[str] = set()
    for start in groups:
        path_names = {start: enumerate(_members(groups[start]))} if start not in done else {}
        while path_names:
            name = next(reversed(path_names))
            position, member = next(path_names[name], (-1, ""))
            if position < 0:
                done.add(name)
                del path_names[name]
            elif member in path_names:
                names = list(path_names)
                cycles.append(([*names[names.index(member) :], member], position))
            elif member in groups and member not in done:
                path_names[member] = enumerate(_members(groups[member]))
    return cycles


def _members(value: object) -> list[str]:
    return [str(member) for member in value] if isinstance(value, list) else []


def _rule_names(top: Top, report: ProblemCollector) -> None:
    """Reports names that several rules have: pages, logs and tests identify a rule by its name."""
    rules = top.data.get("rules")
    seen: dict[str, int] = {}
    for position, rule in enumerate(rules if isinstance(rules, list) else ()):
        if not isinstance(rule, Mapping):
            continue
        given = rule.get("name")
        name = _rule_name("" if given is None else str(given).strip(), position)
        if name in seen:
            line = top.find(("rules", seen[name])).line
            at: Path = ("rules", position, "name") if "name" in rule else ("rules", position)
            message = f"the rule at line {line} is called {quote(name)} as well"
            report.add(
                top.find(at), Code.DUPLICATE_NAME, message, "give each rule a name of its own"
            )
        seen.setdefault(name, position)


def _rule_name(name: str | None, position: int) -> str:
    return name or f"rule {position + 1}"


def _devices(people: PeopleModel | None, top: Top, report: ProblemCollector) -> tuple[Device, ...]:
    """Networks with their users and roles, the most specific first."""
    raw = top.data.get("devices")
    seen: dict[Network, str] = {}
    for address in raw if isinstance(raw, Mapping) else ():
        try:
            network = address_parsers.network(address)
        except BadValue as error:
            report.refuse(top.find(("devices", address), True), error)
            continue
        if network in seen:
            message = f"{quote(address)} is the same network as {quote(seen[network])}"
            report.add(
                top.find(("devices", address), True),
                Code.DUPLICATE_KEY,
                message,
                "keep one of the two",
            )
        seen.setdefault(network, address)
    if people is None:
        return ()
    rows = [(network, *people.devices[address]) for network, address in seen.items()]
    return tuple(sorted(rows, key=lambda row: -row[0].prefixlen))


def _metering(top: Top, report: ProblemCollector) -> Metering:
    """The constants with those of the policy in place of our own."""
    raw = top.data.get("metering")
    kinds = {field.name: type(getattr(Metering(), field.name)) for field in fields(Metering)}
    changed: dict[str, Any] = {}
    for key, value in raw.items() if isinstance(raw, Mapping) else ():
        if key not in kinds:
            message, hint = f"{quote(key)} is not a key of `metering`", f"it has {', '.join(kinds)}"
            report.add(
                top.find(("metering", key), True), Code.UNKNOWN_KEY, message, hint, (key, kinds)
            )
            continue
        parse: Callable[[object], float] = (
            parsers.number if key.endswith("_rate") else time_parsers.seconds
        )
        try:
            changed[key] = kinds[key](parse(parsers.given(value)))
        except BadValue as error:
            report.refuse(top.find(("metering", key)), error)
    return replace(Metering(), **changed)


def _rule_set(
    policy: PolicyModel, people: People, platforms: Mapping[str, Platform], metering: Metering
) -> RuleSet:
    groups = _expanded(policy.platform_groups)
    mode = Mode(policy.mode)
    known = conditions.calendars(policy)
    rules = tuple(_rule(rule, n, groups, mode, known) for n, rule in enumerate(policy.rules))
    otherwise = Then(policy.otherwise)
    return RuleSet(
        zone=policy.timezone,
        day_starts=policy.day_starts,
        week_starts=policy.week_starts,
        platforms=platforms,
        groups=groups,
        allowances={
            name: _allowance(name, allowance) for name, allowance in policy.allowances.items()
        },
        rules=rules,
        people=people,
        otherwise=otherwise,
        unidentified_role=policy.unidentified,
        on_failure=OnFailure(policy.on_failure),
        decrypt=Decrypt(policy.decrypt),
        embeds=Embeds(policy.embeds),
        metering=metering,
        retention=policy.retention,
        pseudonyms=policy.privacy.pseudonyms,
        limited=_limited(rules, otherwise, frozenset(platforms)),
        mode=mode,
        require_tests=policy.reload.require_tests,
        urgent=_urgent(policy.urgent),
    )


def _urgent(model: UrgentModel | None) -> Urgent | None:
    if model is None:
        return None
    roles = frozenset(model.roles or ())
    return Urgent(model.minutes * 60.0, model.times, Period(model.per), roles)


def _expanded(groups: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The platforms of each group and of the groups in it, in order, each once. There are no
    cycles."""
    done: dict[str, tuple[str, ...]] = {}
    for start in groups:
        waiting = [start]
        while waiting:
            name = waiting[-1]
            first = [member for member in groups[name] if member in groups and member not in done]
            if name in done or not first:
                members = (
                    platform for member in groups[name] for platform in done.get(member, (member,))
                )
                done[waiting.pop()] = tuple(dict.fromkeys(members))
            else:
                waiting.extend(first)
    return {name: done[name] for name in groups}


def _rule(
    rule: RuleModel,
    position: int,
    groups: Mapping[str, Sequence[str]],
    mode: Mode,
    known: conditions.Known,
) -> Rule:
    return Rule(
        name=_rule_name(rule.name, position),
        then=rule.then.then,
        allowance=rule.then.allowance,
        users=tuple(rule.users or ()),
        roles=frozenset(rule.roles or ()),
        targets=None if rule.platforms is None else _targets(rule.platforms, groups),
        when=None if rule.when is None else conditions.when_of(rule.when, known),
        message=rule.message,
        mode=Mode(rule.mode) if rule.mode else mode,
    )


def _targets(words: Sequence[str], groups: Mapping[str, Sequence[str]]) -> frozenset[Target]:
    found: set[Target] = set()
    for word in words:
        platform, _, section = word.partition("/")
        found.update(Target(member, section or None) for member in groups.get(word, (platform,)))
    return frozenset(found)


def _allowance(name: str, allowance: AllowanceModel) -> Allowance:
    return Allowance(
        name=name,
        limits=tuple(allowance.limit),
        warn_at=allowance.warn_at,
        carry_over=allowance.carry_over,
        overrides=tuple(_override(override) for override in allowance.overrides),
        title=allowance.title,
    )


def _override(override: OverrideModel) -> Override:
    return Override(tuple(override.users or ()), tuple(override.roles or ()), tuple(override.limit))


def _limited(rules: Sequence[Rule], otherwise: Then, known: frozenset[str]) -> frozenset[str]:
    """Platforms that some rule, or `otherwise`, may block or make spend."""
    if otherwise is Then.BLOCK:
        return known
    limiting = [rule for rule in rules if rule.then is not Then.ALLOW]
    if any(rule.targets is None for rule in limiting):
        return known
    return frozenset(target.platform for rule in limiting for target in rule.targets or ())
