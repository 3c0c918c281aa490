"""A small office for reports: who used what on the Monday and Tuesday of the sample policy."""

from __future__ import annotations

from dataclasses import replace

from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Mode, Period, Rule, RuleSet, Then
from proxy_addon.core.types import Grant
from proxy_addon.ledger.interface import PlainVisit
from proxy_addon.report.aggregate import gather
from proxy_addon.report.date_range import around
from proxy_addon.report.roles import Roles
from proxy_addon.report.totals import Report
from tests.core.policies import SAMPLE, at, grant, targets

NOW = at("2026-11-09 08:00")
RULE, LUNCH = "Fifteen minutes a day", "Lunch is yours"
DAILY = "daily-social"
VISITS = (
    PlainVisit("carl", "x", DAILY, RULE, at("09:00"), at("09:20")),
    PlainVisit("dora", "facebook", DAILY, RULE, at("09:00"), at("09:10")),
    PlainVisit("dora", "x", DAILY, RULE, at("09:05"), at("09:15")),
    PlainVisit("dora", "facebook", None, LUNCH, at("12:50"), at("13:10")),
    PlainVisit("dora", "youtube", DAILY, RULE, at("2026-11-03 14:00"), at("2026-11-03 14:05")),
    PlainVisit(
        "maria", "x", None, "Marketing runs our channels", at("23:50"), at("2026-11-03 00:10")
    ),
)
GRANTS = (grant(600, "10:00", "23:00"), replace(grant(0, "11:00", "23:00", name="r"), resets=True))


def observing(rules: RuleSet = SAMPLE) -> RuleSet:
    """The policy, with TikTok blocked for staff and fifteen minutes for all, both only observed."""
    block = Rule("No TikTok", Then.BLOCK, targets=targets("tiktok"), mode=Mode.OBSERVE)
    spend = replace(rules.rules[-1], mode=Mode.OBSERVE)
    return replace(rules, rules=(block, *rules.rules[:-1], spend))


def made(
    *visits: PlainVisit,
    rules: RuleSet = SAMPLE,
    grants: tuple[Grant, ...] = (),
    by_person: bool = False,
) -> Report:
    """The report of that week."""
    engine = Engine(rules)
    span = around(rules, Period.WEEK, NOW, last=True)
    return gather(engine, Roles(engine), span, visits, grants, by_person=by_person)


def office(*, by_person: bool = False) -> Report:
    """Of everybody."""
    return made(*VISITS, grants=GRANTS, by_person=by_person)
