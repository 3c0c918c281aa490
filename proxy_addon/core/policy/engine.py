"""Who may use what, now: the ordered rules, evaluated from the top.

The complete order of precedence:

1. A target that no rule limits (or no platform at all) is **allowed, not-limited**. Nobody has to
   sign in for it, and nothing is counted.
2. The rules are read from the top and **the first one that fits decides**; rules below it do not
   matter, however specific they are. A rule fits when all of its parts fit, and a missing part fits
   everything:
   * *who*: the name is in `users`, or one of the person's roles is in `roles`. One of the two is
     enough.
   * *where*: a rule that names `linkedin` fits all of LinkedIn; one that names `linkedin/learning`
     fits that section only.
   * *when*: the local time in the zone of the policy.
3. `allow` and `block` are answers. `spend` asks for the balance of its allowance: with time left it
   is **spend, within**; without it is **block, exhausted**, and no later rule is tried: a used-up
   allowance does not fall through to something more lenient.
4. No rule fits: `otherwise`.

An allowance is identified by its name alone: which rule spends it makes no difference to the
balance. The first of its overrides that fits the person gives the limits; without one its own
limits apply. `balance.py` computes balances.

`until` says when the answer may change. For an exhausted allowance that is when it has time again,
even if another rule applies earlier (at lunch, say): "until midnight" is then true of this person's
minutes. For every other answer it is the next instant at which a `when` between the top and the
deciding rule opens or closes. Any answer may also change when a rota gives or takes a role that
some rule or override depends on.

`Engine` is one rule set with its indexes. Its answers never change; its caches (who fits which
rule, which rule fits a target until the next `when` opens or closes) are bounded and may be cleared
at any time. It is thread-safe.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from proxy_addon.core import conditions, period_table, periods
from proxy_addon.core.audience import EVERYBODY, AudienceIndex, keep
from proxy_addon.core.policy import balance as balances
from proxy_addon.core.policy import horizon
from proxy_addon.core.policy.balance import StaticUsage, Usage
from proxy_addon.core.policy.matching import (
    Found,
    IndexedRule,
    Match,
    covers,
    decision_without_balance,
    not_limited,
)
from proxy_addon.core.policy.roster import Roster
from proxy_addon.core.ruleset import Limit, Override, Rule, RuleSet, When
from proxy_addon.core.types import Balance, Decision, Fit, Person, Reason, Step, Target, Verdict

__all__ = ["Engine", "Match", "StaticUsage", "Usage"]

_KEPT = 20_000  # entries in a cache, which is cleared when it is full


class Engine:
    """One rule set with indexes and caches: answers in microseconds."""

    def __init__(self, rs: RuleSet) -> None:
        self.rule_set = rs
        named = [(rule.users, rule.roles) for rule in rs.rules]
        for allowance in rs.allowances.values():
            named += [(one.users, frozenset(one.roles)) for one in allowance.overrides]
        self._audiences = AudienceIndex(named)
        self._whens: list[When] = list(
            dict.fromkeys(rule.when for rule in rs.rules if rule.when is not None)
        )
        numbers = {when: i for i, when in enumerate(self._whens)}
        self._entries = tuple(
            IndexedRule(
                rule,
                self._audiences.bit(rule.users, rule.roles),
                None if rule.when is None else numbers[rule.when],
            )
            for rule in rs.rules
        )
        self._roster = Roster(rs)
        self._entries_at: dict[Target, tuple[IndexedRule, ...]] = {}
        self._lists_of: dict[Target, int] = {}
        self._found: dict[tuple[int, Target], Found] = {}
        self._limits_of: dict[tuple[int, str], tuple[Limit, ...]] = {}
        self._when_now: dict[int, tuple[float, float, bool]] = {}

    # People

    def roles_of(self, name: str, now: float) -> tuple[str, ...]:
        """Every role that lists the name at `now`, in file order; the default role when none
        does."""
        return self._roster.roles(name, now).names

    def person(self, name: str, now: float) -> Person:
        """The person with the roles that the people file and the rota give at `now`."""
        return self._roster.person(name, now)

    def unidentified(self, address: str) -> Person | None:
        """A person known by the address alone; None where the policy refuses them."""
        role = self.rule_set.unidentified_role
        return None if role is None else Person(f"ip:{address}", (role,))

    def lists_of(self, person: Person, now: float) -> int:
        """A number for the lists of users and roles that the person is in, equal for people in the
        same ones.

        Lists are those of the rules and overrides; roles that a rota gives are those of the instant
        `now`.
        """
        return self._audiences.bits(
            self._roster.person(person.name, now) if person.duty else person
        )

    # Matching rules

    def rules_for(self, person: Person, target: Target, now: float) -> tuple[Rule, ...]:
        """The rules that can decide about a person and a target, from the top to the first without
        a `when`.

        People who have the same ones are answered by the same rule at every instant, as long as the
        rota leaves them in the lists of `now`. Empty: `otherwise` decides. Source: the rules as
        compiled, in file order.
        """
        lists = self.lists_of(person, now)
        found: list[Rule] = []
        for entry in self._at(target):
            if entry.who & lists:
                found.append(entry.rule)
                if entry.when is None:
                    break
        return tuple(found)

    def override_for(self, person: Person, allowance_name: str, now: float) -> Override | None:
        """The override of an allowance whose limits (seconds per window) hold for a person; None:
        its own hold.

        It is the first that fits: the name is in its `users`, or one of the roles is in its
        `roles`; roles that a rota gives are those of the instant `now`. Source: the allowance as
        compiled, in file order.
        """
        return self._override(self.lists_of(person, now), allowance_name)

    # Decisions

    def match(self, person: Person, target: Target, now: float) -> Match:
        """The first rule that fits, whatever the balances."""
        found = self._find(self.lists_of(person, now), target, now).match
        return (
            found._replace(until=self._sooner(found.until, person, target, now))
            if person.duty
            else found
        )

    def decide(self, person: Person, target: Target | None, usage: Usage, now: float) -> Decision:
        """The answer for one request."""
        if target is None or target.platform not in self.rule_set.limited:
            return not_limited(target)
        bits = self.lists_of(person, now)
        found = self._find(bits, target, now)
        decision = found.decision or self._spend(found.match, bits, target, usage, now)
        return (
            replace(decision, until=self._sooner(decision.until, person, target, now))
            if person.duty
            else decision
        )

    def explain(self, person: Person, target: Target | None, usage: Usage, now: float) -> Decision:
        """The same answer with every rule that was evaluated, and why it did not fit."""
        decision = self.decide(person, target, usage, now)
        if target is None or decision.reason is Reason.NOT_LIMITED:
            return decision
        walk = tuple(self._walk(self.lists_of(person, now), target, now))
        return replace(decision, walk=walk)

    # Balances

    def balance(self, person: Person, allowance_name: str, usage: Usage, now: float) -> Balance:
        """What the person has left of one allowance."""
        limits = self._limits(self.lists_of(person, now), allowance_name)
        return balances.balance(
            self.rule_set, self.rule_set.allowances[allowance_name], limits, usage, now
        )

    def limits(self, person: Person, allowance_name: str, now: float) -> tuple[Limit, ...]:
        """The limits of an allowance that hold for a person: those of `override_for`, else its
        own."""
        return self._limits(self.lists_of(person, now), allowance_name)

    def balances(self, person: Person, usage: Usage, now: float) -> tuple[Balance, ...]:
        """The balance of every allowance that a rule could make this person spend, in file
        order."""
        names = self._spendable(self.lists_of(person, now))
        return tuple(
            self.balance(person, name, usage, now)
            for name in self.rule_set.allowances
            if name in names
        )

    def grant_expiry(self, person: Person, allowance_name: str, now: float) -> float:
        """When a new grant ends by default: with the shortest window of the allowance. An
        instant."""
        limits = self._limits(self.lists_of(person, now), allowance_name)
        for period in period_table.CALENDAR:
            for limit in limits:
                if limit.period is period:
                    return periods.window(limit, self.rule_set, now).end
        return now + min(limit.rolling for limit in limits)

    def needed_since(self, now: float) -> float:
        """The instant before which use cannot affect any balance: older visits need not be
        loaded."""
        return horizon.needed_since(self.rule_set, now)

    def needed_until(self, now: float) -> float:
        """The instant from which use at `now` can no longer affect any balance."""
        return horizon.needed_until(self.rule_set, now)

    # Internals

    def _sooner(
        self, until: float | None, person: Person, target: Target, now: float
    ) -> float | None:
        """`until`, or the earlier instant at which the rota moves the person to other lists of the
        target."""
        end, lists = math.inf if until is None else until, self._lists(target)
        bits = self.lists_of(person, now) & lists
        change = self._roster.roles(person.name, now).before
        while change < min(end, now + conditions.HORIZON):
            if self.lists_of(person, change) & lists != bits:
                return change
            change = self._roster.roles(person.name, change).before
        return until

    def _lists(self, target: Target) -> int:
        """The lists of people that answers about the target depend on."""
        lists = self._lists_of.get(target)
        if lists is None:
            lists = EVERYBODY
            for entry in self._at(target):
                lists |= entry.who
                overrides = (
                    self.rule_set.allowances[entry.rule.allowance].overrides
                    if entry.rule.allowance
                    else ()
                )
                for one in overrides:
                    lists |= self._audiences.bit(one.users, one.roles)
            keep(self._lists_of, target, lists, _KEPT)
        return lists

    def _at(self, target: Target) -> tuple[IndexedRule, ...]:
        """The rules that fit the target, from the top."""
        entries = self._entries_at.get(target)
        if entries is None:
            entries = tuple(entry for entry in self._entries if covers(entry.rule, target))
            keep(self._entries_at, target, entries, _KEPT)
        return entries

    def _find(self, bits: int, target: Target, now: float) -> Found:
        """The match of everybody with these bits."""
        found = self._found.get((bits, target))
        if found is None or not found.since <= now < found.before:
            found = self._find_uncached(bits, target, now)
            keep(self._found, (bits, target), found, _KEPT)
        return found

    def _find_uncached(self, bits: int, target: Target, now: float) -> Found:
        change, before = math.inf, now + conditions.HORIZON  # nothing is known beyond the horizon
        rule = None
        for entry in self._at(target):
            if not entry.who & bits:
                continue
            if entry.when is not None:
                since, flip, holds = self._when(entry.when, now)
                change, before = min(change, flip), min(before, flip, since + conditions.HORIZON)
                if not holds:
                    continue
            rule = entry.rule
            break
        until = None if change == math.inf else change
        if rule is None:
            found = Match(None, self.rule_set.otherwise, None, until, self.rule_set.observes)
        else:
            found = Match(rule, rule.then, rule.allowance, until, rule.observes)
        return Found(now, before, found, decision_without_balance(found, target))

    def _when(self, number: int, now: float) -> tuple[float, float, bool]:
        """Whether a `when` holds, as `(since, before, holds)`: the answer for `[since, before)`."""
        known = self._when_now.get(number)
        if known is None or not known[0] <= now < min(known[1], known[0] + conditions.HORIZON):
            when = self._whens[number]
            change = conditions.next_change(when, self.rule_set, now)
            holds = conditions.fits(when, self.rule_set, now)
            known = (now, math.inf if change is None else change, holds)
            self._when_now[number] = known
        return known

    def _override(self, bits: int, allowance_name: str) -> Override | None:
        """The override of an allowance for everybody with these bits: the first that fits."""
        for override in self.rule_set.allowances[allowance_name].overrides:
            if self._audiences.bit(override.users, override.roles) & bits:
                return override
        return None

    def _limits(self, bits: int, allowance_name: str) -> tuple[Limit, ...]:
        """The limits of an allowance for everybody with these bits."""
        limits = self._limits_of.get((bits, allowance_name))
        if limits is None:
            override = self._override(bits, allowance_name)
            limits = (override or self.rule_set.allowances[allowance_name]).limits
            keep(self._limits_of, (bits, allowance_name), limits, _KEPT)
        return limits

    def _spend(self, found: Match, bits: int, target: Target, usage: Usage, now: float) -> Decision:
        """The answer of a rule that spends."""
        rule, name = found.rule, found.allowance
        if (
            rule is None or name is None
        ):  # cannot be: only `decision_without_balance` matches have neither
            raise ValueError("a match that spends names its rule and its allowance")
        allowance = self.rule_set.allowances[name]
        limits = self._limits(bits, name)
        left, reset_at = balances.left_or_reset(self.rule_set, allowance, limits, usage, now)
        if left > 0:
            decision = Decision(
                Verdict.SPEND, Reason.WITHIN, *target, rule.name, name, left, found.until
            )
        else:
            decision = Decision(
                Verdict.BLOCK,
                Reason.EXHAUSTED,
                *target,
                rule.name,
                name,
                0.0,
                reset_at,
                rule.message,
            )
        return decision.tried_out(Verdict.SPEND) if found.observed else decision

    def _spendable(self, bits: int) -> set[str]:
        """The allowances of rules that can be reached: what earlier rules always decide is out of
        reach."""
        names: set[str] = set()
        decided: set[Target] = set()
        for entry in self._entries:
            rule = entry.rule
            if not entry.who & bits:
                continue
            open_to = rule.targets is None or any(
                target not in decided and Target(target.platform) not in decided
                for target in rule.targets
            )
            if open_to and rule.allowance is not None:
                names.add(rule.allowance)
            if rule.when is None:
                if rule.targets is None:
                    break
                decided |= rule.targets
        return names

    def _walk(self, bits: int, target: Target, now: float) -> Iterator[Step]:
        """One step for each rule, evaluated without the caches of `decide`."""
        decided = False
        for entry in self._entries:
            fit = Fit.TOO_LATE if decided else self._fit(entry, bits, target, now)
            step = Step(entry.rule.name, fit)
            decided = decided or step.fits
            yield step

    def _fit(self, entry: IndexedRule, bits: int, target: Target, now: float) -> Fit:
        """The first part of a rule that does not fit, or that all do."""
        rule, when = entry.rule, entry.rule.when
        if not entry.who & bits:
            return Fit.NOT_YOU
        if not covers(rule, target):
            return Fit.NOT_THERE
        if when is None or conditions.fits(when, self.rule_set, now):
            return Fit.OBSERVED if rule.observes else Fit.FITS
        negated = when.negated is not None and conditions.fits(when.negated, self.rule_set, now)
        return Fit.EXCEPTED if negated else Fit.NOT_NOW
