"""Rule files to a rule set: read as data with places, validated whole, every problem kept.

`compile_rules` never raises for what is in the files: it answers with a rule set, or with the problems.
One mistake gives one problem: a name counts as declared even if what is declared under it is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

from proxy_addon.core import rules_values as values
from proxy_addon.core.documents import Document, Documents, Path
from proxy_addon.core.errors import Code, Place, RuleProblem, Severity
from proxy_addon.core.rules_checks import Names
from proxy_addon.core.rules_models import (
    AllowanceModel,
    OverrideModel,
    PeopleModel,
    PolicyModel,
    RuleModel,
    WhenModel,
)
from proxy_addon.core.rules_platforms import Entry, compile_platforms, entries, sections
from proxy_addon.core.rules_report import Report, validated
from proxy_addon.core.rules_values import BadValue, Network, quote
from proxy_addon.core.ruleset import (
    Allowance,
    Metering,
    Mode,
    OnFailure,
    Override,
    People,
    Platform,
    Rule,
    RuleSet,
    Then,
    When,
)
from proxy_addon.core.types import Target

ADMIN = "admin"  # the role that opens the admin pages is declared in every office
_POLICY_KEYS = tuple(PolicyModel.model_fields)
_PEOPLE_KEYS = tuple(PeopleModel.model_fields)


@dataclass(frozen=True, slots=True)
class Compiled:
    """`rule_set` is None when there are errors. `problems` are sorted by place and may be warnings only."""

    rule_set: RuleSet | None
    problems: tuple[RuleProblem, ...]


class _Top(NamedTuple):
    """The files at the top of the folder as one."""

    data: dict[str, Any]
    owners: dict[str, Document]  # top-level key -> the file it stands in
    first: Place  # of what stands nowhere

    def find(self, path: Path, key: bool = False) -> Place:
        if not path or path[0] not in self.owners:
            return self.first
        return self.owners[str(path[0])].place(path, key=key)

    def part(self, keys: Sequence[str]) -> dict[str, Any]:
        return {key: self.data[key] for key in keys if key in self.data}


def compile_rules(documents: Documents) -> Compiled:
    """Validate all files together and build the rule set."""
    report = Report()
    found = entries(documents.platforms)
    top = _merged(documents, found, report)
    names = _declared(top.data, found) if documents.complete else Names()
    policy = validated(PolicyModel, _policy_part(top, documents), names, report, top.find)
    people = validated(PeopleModel, top.part(_PEOPLE_KEYS), names, report, top.find)
    platforms = compile_platforms(found, report)
    devices = _devices(people, top, report)
    metering = _metering(top, report)
    _group_names(top, found, report)
    _rule_names(top, report)
    problems = tuple(sorted(set(report.problems)))
    if policy is None or people is None or any(p.severity is Severity.ERROR for p in problems):
        return Compiled(None, problems)
    staff = People(people.default_role, {r: tuple(m.members) for r, m in people.roles.items()}, devices)
    return Compiled(replace(_rule_set(policy, staff, platforms, metering), digest=documents.digest), problems)


def _merged(documents: Documents, found: Mapping[str, list[Entry]], report: Report) -> _Top:
    """Each top-level key with the one file it stands in."""
    main = min(documents.top, key=lambda document: not document.file.endswith("/policy.yaml"), default=None)
    top = _Top({}, {}, Place(main.file if main else documents.folder))
    known = _POLICY_KEYS + _PEOPLE_KEYS
    for document in sorted(documents.top, key=_newcomer):
        for key, value in document.data.items():
            place = document.place((key,), key=True)
            if key not in known:
                hint = f"it belongs in the folder {documents.folder}/platforms" if key in found else ""
                near = None if hint else (key, known)
                report.add(place, Code.UNKNOWN_KEY, f"{quote(key)} is not a key of the rules", hint, near)
            elif key in top.owners:
                had = top.owners[key].place((key,), key=True)
                message = f"{quote(key)} stands in {had.file}:{had.line} already"
                report.add(place, Code.TWO_FILES, message, "a top-level key may stand in one file only")
            else:
                top.data[key], top.owners[key] = value, document
    return top


def _newcomer(document: Document) -> tuple[bool, str]:
    """Files of other names are read after the two that everybody has, so that theirs is the mistake."""
    return not document.file.endswith(("/policy.yaml", "/people.yaml")), document.file


def _policy_part(top: _Top, documents: Documents) -> dict[str, Any]:
    """The policy's keys; what an unreadable file may hold is not called missing."""
    part = top.part(_POLICY_KEYS)
    return part if documents.complete else {"version": 1, "timezone": "UTC"} | part


def _declared(data: Mapping[str, Any], found: Mapping[str, list[Entry]]) -> Names:
    """All names, taken from the raw data: a name is declared even if its value is wrong."""
    roles = _keys(data.get("roles"))
    if roles is not None:
        unidentified = data.get("unidentified", {"role": "guest"})
        guest = unidentified.get("role") if isinstance(unidentified, Mapping) else None
        roles |= {ADMIN, str(data.get("default_role", "staff"))} | ({str(guest)} if guest else set())
    return Names(
        roles=roles,
        sections={name: sections(same) for name, same in found.items()},
        groups=_keys(data.get("platform_groups")),
        allowances=_keys(data.get("allowances")),
    )


def _keys(value: object) -> frozenset[str] | None:
    if value is None:
        return frozenset()
    return frozenset(str(key).strip() for key in value) if isinstance(value, Mapping) else None


def _group_names(top: _Top, found: Mapping[str, object], report: Report) -> None:
    """A group must not bear a platform's name, nor contain itself by any way."""
    groups = top.data.get("platform_groups")
    if not isinstance(groups, Mapping):
        return
    for name in groups:
        if name in found:
            message = f"group {quote(name)} has the name of a platform"
            report.add(top.find(("platform_groups", name), True), Code.DUPLICATE_NAME, message)
    for way, position in _circles(groups):
        message = f"group {quote(way[0])} contains itself: {' > '.join(way[:8])}"
        place = top.find(("platform_groups", way[-2], position))
        report.add(place, Code.GROUP_CYCLE, message, "take one of them out")


def _circles(groups: Mapping[str, Any]) -> list[tuple[list[str], int]]:
    """Every circle once: the way round, and the position in its last group of the member that closes it."""
    circles: list[tuple[list[str], int]] = []
    done: set[str] = set()
    for start in groups:
        way = {start: enumerate(_members(groups[start]))} if start not in done else {}
        while way:
            name = next(reversed(way))
            position, member = next(way[name], (-1, ""))
            if position < 0:
                done.add(name)
                del way[name]
            elif member in way:
                names = list(way)
                circles.append(([*names[names.index(member) :], member], position))
            elif member in groups and member not in done:
                way[member] = enumerate(_members(groups[member]))
    return circles


def _members(value: object) -> list[str]:
    return [str(member) for member in value] if isinstance(value, list) else []


def _rule_names(top: _Top, report: Report) -> None:
    """Every name once: pages, logs and tests tell rules apart by it."""
    rules = top.data.get("rules")
    seen: dict[str, int] = {}
    for position, rule in enumerate(rules if isinstance(rules, list) else ()):
        if not isinstance(rule, Mapping):
            continue
        name = _rule_name(str(rule.get("name") or "").strip(), position)
        if name in seen:
            line = top.find(("rules", seen[name])).line
            at: Path = ("rules", position, "name") if "name" in rule else ("rules", position)
            message = f"the rule at line {line} is called {quote(name)} as well"
            report.add(top.find(at), Code.DUPLICATE_NAME, message, "give each rule a name of its own")
        seen.setdefault(name, position)


def _rule_name(name: str | None, position: int) -> str:
    return name or f"rule {position + 1}"


def _devices(
    people: PeopleModel | None, top: _Top, report: Report
) -> tuple[tuple[Network, str | None, str | None], ...]:
    """Networks with who sits there, the most specific first."""
    raw = top.data.get("devices")
    seen: dict[Network, str] = {}
    for address in raw if isinstance(raw, Mapping) else ():
        try:
            network = values.network(address)
        except BadValue as error:
            report.refuse(top.find(("devices", address), True), error)
            continue
        if network in seen:
            message = f"{quote(address)} is the same network as {quote(seen[network])}"
            report.add(
                top.find(("devices", address), True), Code.DUPLICATE_KEY, message, "keep one of the two"
            )
        seen.setdefault(network, address)
    if people is None:
        return ()
    rows = [(network, *people.devices[address]) for network, address in seen.items()]
    return tuple(sorted(rows, key=lambda row: -row[0].prefixlen))


def _metering(top: _Top, report: Report) -> Metering:
    """The constants with those of the policy in place of our own."""
    raw = top.data.get("metering")
    kinds = {field.name: type(getattr(Metering(), field.name)) for field in fields(Metering)}
    changed: dict[str, Any] = {}
    for key, value in raw.items() if isinstance(raw, Mapping) else ():
        if key not in kinds:
            message, hint = f"{quote(key)} is not a key of `metering`", f"it has {', '.join(kinds)}"
            report.add(top.find(("metering", key), True), Code.UNKNOWN_KEY, message, hint, (key, kinds))
            continue
        parse: Callable[[object], float] = values.number if key.endswith("_rate") else values.seconds
        try:
            changed[key] = kinds[key](parse(value))
        except BadValue as error:
            report.refuse(top.find(("metering", key)), error)
    return replace(Metering(), **changed)


def _rule_set(
    policy: PolicyModel, people: People, platforms: Mapping[str, Platform], metering: Metering
) -> RuleSet:
    groups = _expanded(policy.platform_groups)
    mode = Mode(policy.mode)
    rules = tuple(_rule(rule, n, groups, mode) for n, rule in enumerate(policy.rules))
    otherwise = Then(policy.otherwise)
    return RuleSet(
        zone=policy.timezone,
        day_starts=policy.day_starts,
        week_starts=policy.week_starts,
        platforms=platforms,
        groups=groups,
        allowances={name: _allowance(name, allowance) for name, allowance in policy.allowances.items()},
        rules=rules,
        people=people,
        otherwise=otherwise,
        unidentified_role=policy.unidentified,
        on_failure=OnFailure(policy.on_failure),
        metering=metering,
        retention=policy.retention,
        pseudonyms=policy.privacy.pseudonyms,
        limited=_limited(rules, otherwise, frozenset(platforms)),
        mode=mode,
        require_tests=policy.reload.require_tests,
    )


def _expanded(groups: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The platforms of each group and of the groups in it, in order, each once. There are no circles."""
    done: dict[str, tuple[str, ...]] = {}
    for start in groups:
        waiting = [start]
        while waiting:
            name = waiting[-1]
            first = [member for member in groups[name] if member in groups and member not in done]
            if name in done or not first:
                members = (platform for member in groups[name] for platform in done.get(member, (member,)))
                done[waiting.pop()] = tuple(dict.fromkeys(members))
            else:
                waiting.extend(first)
    return {name: done[name] for name in groups}


def _rule(rule: RuleModel, position: int, groups: Mapping[str, Sequence[str]], mode: Mode) -> Rule:
    return Rule(
        name=_rule_name(rule.name, position),
        then=rule.then.then,
        allowance=rule.then.allowance,
        users=tuple(rule.users or ()),
        roles=frozenset(rule.roles or ()),
        targets=None if rule.platforms is None else _targets(rule.platforms, groups),
        when=None if rule.when is None else _when(rule.when),
        message=rule.message,
        mode=Mode(rule.mode) if rule.mode else mode,
    )


def _targets(words: Sequence[str], groups: Mapping[str, Sequence[str]]) -> frozenset[Target]:
    found: set[Target] = set()
    for word in words:
        platform, _, section = word.partition("/")
        found.update(Target(member, section or None) for member in groups.get(word, (platform,)))
    return frozenset(found)


def _when(when: WhenModel) -> When:
    return When(
        days=None if when.days is None else frozenset().union(*when.days),
        between=tuple(when.between or ()),
        dates=tuple(when.dates or ()),
        negated=None if when.not_ is None else _when(when.not_),
    )


def _allowance(name: str, allowance: AllowanceModel) -> Allowance:
    return Allowance(
        name=name,
        limits=tuple(allowance.limit),
        warn_at=allowance.warn_at,
        carry_over=allowance.carry_over,
        overrides=tuple(_override(override) for override in allowance.overrides),
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
