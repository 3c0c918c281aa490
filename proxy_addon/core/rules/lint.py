"""What rules probably do not mean, although they can go into force: one warning for each.

Looked for by `allowance rules check` only, in rules without errors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from proxy_addon.core import period_table
from proxy_addon.core.audience import is_pattern
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.rules import address_parsers, reachability
from proxy_addon.core.rules.address_parsers import Network
from proxy_addon.core.rules.bundled_platforms import PLATFORMS
from proxy_addon.core.rules.conditions import SHIFTS
from proxy_addon.core.rules.documents import Path
from proxy_addon.core.rules.merge import ADMIN, Top
from proxy_addon.core.rules.parsers import quote
from proxy_addon.core.rules.partial_blocks import partial_blocks
from proxy_addon.core.rules.platforms import PlatformEntry
from proxy_addon.core.rules.problems import Code, Place
from proxy_addon.core.rules.report import ProblemCollector
from proxy_addon.core.rules.retention_checks import warn_of_lost_carry_over
from proxy_addon.core.ruleset import Allowance, Duty, Limit, Override, RuleSet, Then
from proxy_addon.core.types import Person


def advise(
    rs: RuleSet, top: Top, found: Mapping[str, list[PlatformEntry]], report: ProblemCollector
) -> None:
    """Add every warning about these rules to the report."""
    _rules(rs, top, report)
    _partial_blocks(rs, top, report)
    _duties(rs, top, report)
    _allowances(rs, top, report)
    warn_of_lost_carry_over(rs, top, report)
    _roles(rs, top, report)
    _platforms(rs, found, report)
    _devices(rs, top, report)


def _rules(rs: RuleSet, top: Top, report: ProblemCollector) -> None:
    """Rules that no request ever meets."""
    dead = set()
    for n, rule in enumerate(rs.rules):
        if rule.when is not None and not reachability.can_hold(rule.when, rs):
            dead.add(n)
            _never(top.find(("rules", n, "when"), True), report)
    for n, above in reachability.shadowed(rs):
        if n in dead:
            continue
        by = [f"{quote(rs.rules[i].name)} at line {top.find(('rules', i)).line}" for i in above[:3]]
        if len(above) > 3:
            by.append(f"{len(above) - 3} more")
        which = by[0] if len(by) == 1 else f"{', '.join(by[:-1])} and {by[-1]}"
        message = (
            f"the rule {quote(rs.rules[n].name)} is never reached: {which} always decides first"
        )
        if len(by) > 1:
            message = message.removesuffix("s first") + " first"
        report.warn(
            top.find(("rules", n)), Code.UNREACHABLE_RULE, message, "move it up, or remove it"
        )


def _partial_blocks(rs: RuleSet, top: Top, report: ProblemCollector) -> None:
    """Rules that close for good what a rule above opens at some times."""
    for found in partial_blocks(rs):
        above = rs.rules[found.above]
        names = [
            f"{each.platform}/{each.section}" if each.section else each.platform
            for each in found.targets
        ]
        which = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        line = top.find(("rules", found.above)).line
        report.warn(
            top.find(("rules", found.block)),
            Code.BLOCK_AFTER_ALLOW,
            f"the rule {quote(rs.rules[found.block].name)} does not close {which} at all times: "
            f"{quote(above.name)} at line {line} decides first at some",
            "move it above that rule, or give it times of its own with `when` if this is meant",
        )


def _never(place: Place, report: ProblemCollector) -> None:
    report.warn(
        place,
        Code.NEVER_TRUE,
        "this condition never holds",
        "all its parts must hold at the same time",
    )


def _duties(rs: RuleSet, top: Top, report: ProblemCollector) -> None:
    """Members whose times never come."""
    for role, duties in rs.people.duties.items():
        own = (duty for duty in duties if not _is_shift(duty))
        for place, duty in zip(_timed(role, top), own, strict=True):
            if not reachability.can_hold(duty.when, rs):
                _never(top.find(place, True), report)


def _is_shift(duty: Duty) -> bool:
    """True for a duty from a file of shifts."""
    return duty.when.calendar is not None and duty.when.calendar.names == (SHIFTS,)


def _timed(role: str, top: Top) -> Iterator[Path]:
    """The place of the `when` of each user of the role who has it at times, in the order of the
    file."""
    key = {str(key).strip(): key for key in top.data["roles"]}[role]
    for n, member in enumerate(top.data["roles"][key]["members"]):
        if isinstance(member, Mapping) and member.get("user") is not None and "when" in member:
            yield "roles", key, "members", n, "when"


def _allowances(rs: RuleSet, top: Top, report: ProblemCollector) -> None:
    engine = Engine(replace(rs, people=replace(rs.people, duties={})))
    spent = {rule.allowance for rule in rs.rules}
    for name, allowance in rs.allowances.items():
        at: Path = ("allowances", name)
        if name not in spent:
            message = f"no rule spends the allowance {quote(name)}"
            report.warn(
                top.find(at, True),
                Code.UNUSED_ALLOWANCE,
                message,
                f"write then: {{spend: {name}}}, or remove it",
            )
        _limits(allowance.limits, (*at, "limit"), top, report)
        for n, override in enumerate(allowance.overrides):
            _limits(override.limits, (*at, "overrides", n, "limit"), top, report)
        _overrides(engine, allowance, at, top, report)


def _limits(limits: Sequence[Limit], at: Path, top: Top, report: ProblemCollector) -> None:
    """More time than the window has does not limit anything."""
    for n, limit in enumerate(limits):
        if limit.seconds > period_table.longest(limit):
            what = period_table.article(limit.period)
            message = f"this limit is longer than {what}, so it can never be used up"
            report.warn(
                top.find((*at, n)),
                Code.LIMIT_TOO_LARGE,
                message,
                "write less, or use then: allow",
            )


def _overrides(
    engine: Engine, allowance: Allowance, at: Path, top: Top, report: ProblemCollector
) -> None:
    """Whoever fits an override above never has the one below. The engine is one without a rota."""
    devices = engine.rule_set.people.devices
    forced = {name.casefold() for _, name, role in devices if name and role}
    first: dict[str, int] = {}
    for n, override in enumerate(allowance.overrides):
        for k, user in enumerate(override.users):
            had = n
            if is_pattern(user):
                had = _wider(user, allowance.overrides[:n])
            else:
                is_free = user.casefold() not in forced
                who = engine.person(user, 0.0) if is_free else Person(user, ())
                wins = engine.override_for(who, allowance.name, 0.0)
                had = n if wins is None else allowance.overrides.index(wins)
            if had < n:
                _second(quote(user), had, (*at, "overrides", n, "users", k), at, top, report)
        for k, role in enumerate(override.roles):
            if role in first:
                _second(
                    f"role {quote(role)}",
                    first[role],
                    (*at, "overrides", n, "roles", k),
                    at,
                    top,
                    report,
                )
            first.setdefault(role, n)
        _twice(override, n, at, top, report)


def _wider(pattern: str, above: Sequence[Override]) -> int:
    """The number of the first override that names a pattern as wide or wider; their number if none
    does."""
    wide = (
        n
        for n, override in enumerate(above)
        if any(reachability.covers(user.casefold(), pattern.casefold()) for user in override.users)
    )
    return next(wide, len(above))


def _twice(override: Override, n: int, at: Path, top: Top, report: ProblemCollector) -> None:
    """The same user in one list twice."""
    seen: set[str] = set()
    for k, user in enumerate(override.users):
        if user.casefold() in seen:
            _second(quote(user), n, (*at, "overrides", n, "users", k), at, top, report)
        seen.add(user.casefold())


def _second(who: str, had: int, place: Path, at: Path, top: Top, report: ProblemCollector) -> None:
    line = top.find((*at, "overrides", had)).line
    message = f"{who} already has the override on line {line}, which wins"
    report.warn(top.find(place), Code.TWO_OVERRIDES, message, "keep one of the two")


def _roles(rs: RuleSet, top: Top, report: ProblemCollector) -> None:
    """A role that nobody has decides nothing."""
    had = {
        rs.people.default_role,
        rs.unidentified_role,
        ADMIN,
        *(role for _, _, role in rs.people.devices),
    }
    for role, members in rs.people.roles.items():
        if role not in had and not members and role not in rs.people.duties:
            message = f"nobody has the role {quote(role)}"
            report.warn(
                top.find(("roles", role), True),
                Code.UNUSED_ROLE,
                message,
                "write members, or remove the role",
            )


def _platforms(
    rs: RuleSet, found: Mapping[str, list[PlatformEntry]], report: ProblemCollector
) -> None:
    """A platform of the office's own that neither a rule nor a group names was written for
    nothing."""
    if rs.otherwise is Then.BLOCK or any(rule.targets is None for rule in rs.rules):
        return
    named = {target.platform for rule in rs.rules for target in rule.targets or ()}
    named.update(platform for members in rs.groups.values() for platform in members)
    for platform, same in found.items():
        if platform not in named | PLATFORMS:
            message = f"no rule and no group names the platform {quote(platform)}"
            hint = "name it in a rule: without one it is not limited"
            report.warn(same[0].place(key=True), Code.UNUSED_PLATFORM, message, hint)


def _devices(rs: RuleSet, top: Top, report: ProblemCollector) -> None:
    """Networks that lie in each other: the smaller one wins, whatever their order."""
    words = {str(address_parsers.network(word)): word for word in top.data.get("devices") or {}}
    networks = [network for network, _, _ in rs.people.devices]
    known = set(networks)
    for network in networks:
        around: Network | None = network
        while around is not None and around.prefixlen > 0:
            around = around.supernet()
            if around in known:
                _within(network, around, words, top, report)
                break


def _within(
    network: Network, around: Network, words: Mapping[str, str], top: Top, report: ProblemCollector
) -> None:
    word, outer = words[str(network)], words[str(around)]
    line = top.find(("devices", outer), True).line
    message = f"{quote(word)} lies in {quote(outer)} at line {line}; the smaller network wins there"
    hint = "take it out of the larger one if that is not meant"
    report.warn(top.find(("devices", word), True), Code.OVERLAPPING_DEVICES, message, hint)
