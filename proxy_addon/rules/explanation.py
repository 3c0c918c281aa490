"""A decision with its reasons: the evaluated rules, the allowance, and what each platform used.

The same for the command, which asks the ledger or takes amounts as given, and for the running
proxy, which asks its own memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from proxy_addon.core import period_table, periods
from proxy_addon.core.audience import NameIndex
from proxy_addon.core.catalogue import Catalogue, Hit
from proxy_addon.core.intervals import measure_between, unions
from proxy_addon.core.policy import balance as balances
from proxy_addon.core.policy.balance import StaticUsage, Usage
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.policy.wording import why
from proxy_addon.core.ruleset import Embeds, Limit, Override, Rule
from proxy_addon.core.types import Decision, Grant, Interval, Person, Reason, Visit
from proxy_addon.presentation import rule_text
from proxy_addon.presentation.durations import iso
from proxy_addon.rules.lookup import address_of, person_of, refused


@dataclass(frozen=True, slots=True)
class LimitLine:
    """One limit of the allowance and its state; seconds."""

    limit: Limit
    spent: float
    granted: float
    carried: float
    left: float


@dataclass(frozen=True, slots=True)
class AllowanceDetail:
    """The allowance of a decision: whose limits apply, their state, and which platforms used it.

    `override` is None where the allowance's own limits hold. `by_platform` covers the window of the
    limit with the least left, in seconds; platforms used at the same time count each, so the sum
    may be more than what was spent.
    """

    name: str
    override: Override | None
    limits: tuple[LimitLine, ...]
    by_platform: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer for one person and URL at one instant. `known` is False for a user whom no file
    names.

    `rules`: the rule of each step of the walk. `embed`: "player" or "part" where the URL is made
    for other sites' pages and a rule limits its platform; `embeds`: what films there cost.
    """

    user: str
    roles: tuple[str, ...]
    known: bool
    url: str
    at: float
    decision: Decision
    allowance: AllowanceDetail | None
    rules: tuple[Rule, ...] = ()
    embed: str | None = None
    embeds: Embeds = Embeds.MEDIA


@dataclass(frozen=True, slots=True)
class Used:
    """What a person used: for the decision, and the single visits where they are known."""

    usage: Usage
    visits: tuple[Visit, ...] = ()


NOTHING = Used(StaticUsage())


def explain(
    engine: Engine, catalogue: Catalogue, user: str, url: str, used: Used, at: float
) -> Explanation:
    """Explain what would be answered at the instant `at`. Raises ValueError for what is not a name
    or not a URL."""
    return explain_person(engine, catalogue, person_of(engine, user, at), user, url, used, at)


def explain_person(
    engine: Engine,
    catalogue: Catalogue,
    person: Person | None,
    user: str,
    url: str,
    used: Used,
    at: float,
) -> Explanation:
    """The same for somebody whose roles are known already; None: the policy refuses who is not
    identified."""
    found = address_of(catalogue, url)
    target = found.target
    if person is None:
        return Explanation(user, (), False, url, at, refused(engine, target), None)
    decision = engine.explain(person, target, used.usage, at)
    name = decision.allowance
    line = None if name is None else _allowance(engine, person, name, used, at)
    known = user.startswith("ip:") or _is_named(engine, person.name)
    rules = engine.rule_set.rules if decision.walk else ()
    return Explanation(
        person.name,
        person.roles,
        known,
        url,
        at,
        decision,
        line,
        rules,
        None if decision.reason is Reason.NOT_LIMITED else _embed(found.hit),
        engine.rule_set.embeds,
    )


def _embed(hit: Hit | None) -> str | None:
    if hit is None or not hit.embed:
        return None
    return "player" if hit.player else "part"


def taken_as_spent(
    engine: Engine, person: Person | None, amounts: Mapping[str, float], at: float
) -> StaticUsage:
    """Usage with given amounts, as if used just before `at`; seconds by allowance.

    Raises ValueError for an allowance that is not there, and for more than has passed of its
    window.
    """
    for name, seconds in amounts.items():
        if name not in engine.rule_set.allowances:
            there = ", ".join(engine.rule_set.allowances) or "none"
            raise ValueError(f'"{name}" is not an allowance of the rules; there are: {there}')
        for limit in engine.limits(person, name, at) if person else ():
            passed = at - periods.window(limit, engine.rule_set, at).start
            if seconds > passed:
                raise ValueError(
                    f"{rule_text.amount(seconds)} of {name} cannot have been spent: "
                    f"{period_table.this(limit.period)} began {rule_text.length(passed)} ago"
                )
    return StaticUsage(
        {name: (Interval(at - seconds, at),) for name, seconds in amounts.items() if seconds}
    )


def _allowance(engine: Engine, person: Person, name: str, used: Used, at: float) -> AllowanceDetail:
    rules = engine.rule_set
    limits = engine.limits(person, name, at)
    override = engine.override_for(person, name, at)
    lines = []
    for limit in limits:
        state = balances.limit_balance(rules, rules.allowances[name], limit, used.usage, at)
        lines.append(LimitLine(limit, state.spent, state.granted, state.carried, state.left))
    least = min(range(len(lines)), key=lambda number: lines[number].left)
    window = Interval(
        _begin(used.usage, name, periods.window(limits[least], rules, at).start, at), at
    )
    mine = [visit for visit in used.visits if visit.allowance == name]
    return AllowanceDetail(name, override, tuple(lines), _by_platform(mine, window))


def _begin(usage: Usage, name: str, start: float, at: float) -> float:
    """From when on use counts: a reset moves the beginning of the windows it falls into."""
    resets = (
        grant.created
        for grant in usage.grants(name)
        if grant.resets and start < grant.created <= at
    )
    return max(resets, default=start)


def _by_platform(visits: Iterable[Visit], window: Interval) -> dict[str, float]:
    """Seconds of each platform within a window, the longest first."""
    used = unions((visit.platform, Interval(visit.start, visit.end)) for visit in visits)
    lengths = {platform: measure_between(union, *window) for platform, union in used.items()}
    longest_first = sorted(lengths.items(), key=lambda pair: -pair[1])
    return {platform: seconds for platform, seconds in longest_first if seconds > 0}


def _is_named(engine: Engine, name: str) -> bool:
    """True when some list of people, in whatever file, names the person."""
    rules = engine.rule_set
    lists = [*rules.people.roles.values(), *(rule.users for rule in rules.rules)]
    lists += [duty.users for duties in rules.people.duties.values() for duty in duties]
    lists += [one.users for allowance in rules.allowances.values() for one in allowance.overrides]
    lists += [(user,) for _, user, _ in rules.people.devices if user]
    return bool(NameIndex((1, names) for names in lists).bits(name))


def data(found: Explanation, zone: ZoneInfo) -> dict[str, Any]:
    """As `rules explain --json` prints it; the first keys are part of the outside contract."""
    decision, line = found.decision, found.allowance
    return {
        "verdict": decision.verdict,
        "reason": decision.reason,
        "rule": decision.rule,
        "platform": decision.platform,
        "allowance": decision.allowance,
        "left": None if decision.left is None else round(decision.left, 3),
        "until": None if decision.until is None else iso(decision.until, zone),
        "walk": [
            {"rule": step.rule, "fits": step.fits, "why": why(rule, step.fit)}
            for rule, step in zip(found.rules, decision.walk, strict=True)
        ],
        "user": found.user,
        "roles": list(found.roles),
        "known": found.known,
        "url": found.url,
        "at": iso(found.at, zone),
        "timezone": zone.key,
        "section": decision.section,
        "message": decision.message,
        "embed": found.embed,
        "embeds": found.embeds,
        "would": decision.would,
        "override": None
        if line is None or line.override is None
        else rule_text.override(line.override),
        "limits": [
            {
                "limit": rule_text.limit(one.limit),
                "spent": round(one.spent, 3),
                "granted": round(one.granted, 3),
                "carried": round(one.carried, 3),
                "left": round(one.left, 3),
            }
            for one in (line.limits if line is not None else ())
        ],
        "spent_by": {}
        if line is None
        else {name: round(s, 3) for name, s in line.by_platform.items()},
    }


def used_by(visits: Iterable[Visit], grants: Iterable[Grant]) -> Used:
    """What a ledger knows of one person."""
    kept = tuple(visits)
    spent = unions(
        (visit.allowance, Interval(visit.start, visit.end))
        for visit in kept
        if visit.allowance is not None
    )
    return Used(StaticUsage(spent, tuple(grants)), kept)
