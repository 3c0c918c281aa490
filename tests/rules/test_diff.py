"""What another set of rules would change."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from proxy_addon.core.ruleset import Duty, When
from proxy_addon.rules.diff import (
    Change,
    Comparison,
    DecisionAtHour,
    Effect,
    WeekdayInterval,
    compare,
    differences,
    next_week,
    week_of,
)
from tests.rule_tests.office import POLICY, machine

LONDON = ZoneInfo("Europe/London")
MONDAY = datetime(2026, 11, 2, tzinfo=LONDON).timestamp()
WHOLE_WEEK = tuple(WeekdayInterval(day, 0, 86_400) for day in range(7))


def diff(old: str, new: str, start: float = MONDAY) -> Comparison:
    """The office's policy with one piece of it replaced."""
    assert old in POLICY
    return differences(machine().rules, machine(POLICY.replace(old, new)).rules, start)


def only(found: Comparison) -> Change:
    """The only change."""
    (change,) = found.changes
    return change


def test_the_same_rules() -> None:
    """Nothing changes, nor does it when only names of nobody or remarks differ."""
    assert diff("version: 1", "version: 1  # a remark").equal
    found = differences(machine().rules, machine().rules, MONDAY)
    assert found.equal
    assert (found.people, found.classes) == (5, 3)


def test_another_limit_for_a_role() -> None:
    """Those of the role, named and not, wherever and whenever they spend it."""
    found = diff("{roles: [care], limit: 45m per day}", "{roles: [care], limit: 1h per day}")
    assert [change.platforms for change in found.changes] == [
        ("x",),
        ("linkedin",),
    ]  # x has its night
    for change in found.changes:
        assert (change.roles, change.people, change.effect) == (("care",), ("carl",), Effect.GAIN)
        assert (str(change.before), str(change.after)) == (
            "spend daily 45m per day",
            "spend daily 1h per day",
        )


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        ("5h per quarter", "6h per quarter", Effect.GAIN),
        ("6h per quarter", "20h per year", Effect.LOSS),
        ("45m per day", "10h per year", Effect.LOSS),
        ("20h per year", "2h per month", Effect.GAIN),
        ("5h per quarter", "5h per rolling 2160h", Effect.GAIN),  # 90 days, which come sooner
    ],
)
def test_limits_of_all_periods_are_compared(before: str, after: str, effect: Effect) -> None:
    """By what they come to in a day: a quarter and a year have a length, too."""
    kept = POLICY + "retention: 400d\n"
    old, new = (kept.replace("45m per day", limit) for limit in (before, after))
    found = differences(machine(old).rules, machine(new).rules, MONDAY)
    assert found.changes
    assert {change.effect for change in found.changes} == {effect}


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        ("45m per day", "[45m per day, 20h per year]", Effect.LOSS),
        ("[45m per day, 20h per year]", "45m per day", Effect.GAIN),
        ("[45m per day, 20h per year]", "1h per day", Effect.GAIN),
        ("[45m per day, 20h per year]", "30m per day", Effect.OTHER),  # a year without a limit
        ("45m per day", "[2h per week, 20h per year]", Effect.OTHER),
        (
            "[45m per day, 2h per rolling 7d]",
            "[45m per day, 2h per rolling 7d, 1h per rolling 3d]",
            Effect.LOSS,
        ),
    ],
)
def test_a_limit_more_is_less_time(before: str, after: str, effect: Effect) -> None:
    """All limits hold, so one more can only take away, whatever the others say."""
    kept = POLICY + "retention: 400d\n"
    old, new = (kept.replace("45m per day", limit) for limit in (before, after))
    found = differences(machine(old).rules, machine(new).rules, MONDAY)
    assert {change.effect for change in found.changes} == {effect}


def test_the_order_of_limits_means_nothing() -> None:
    """The same limits in another order are the same rules."""
    both = ("[45m per day, 20h per year]", "[20h per year, 45m per day]")
    old, new = (POLICY.replace("45m per day", limit) + "retention: 400d\n" for limit in both)
    assert differences(machine(old).rules, machine(new).rules, MONDAY).equal


def test_an_earlier_warning_is_a_difference() -> None:
    """Nobody gains or loses a minute, but people see it."""
    found = diff("warn_at: 2m", "warn_at: 5m")
    assert found.changes == ()
    ((key, before, after),) = found.settings
    assert (key, before, after) == ("daily: warn_at", "2m", "5m")
    assert not found.equal


def test_the_hours_are_those_on_the_clock() -> None:
    """From change to change, not by the full hour; days are tiled to midnight."""
    found = diff(
        '{days: mon-fri, between: "12:00-13:30"}', '{days: mon-fri, between: "12:15-13:30"}'
    )
    change = next(one for one in found.changes if "staff" in one.roles)
    assert change.times == tuple(WeekdayInterval(day, 43_200, 44_100) for day in range(5))
    assert change.hours == 1.25
    assert change.effect is Effect.LOSS
    night = diff('"22:00-06:00"', '"23:00-06:00"')
    assert {change.times for change in night.changes} == {
        tuple(WeekdayInterval(day, 79_200, 82_800) for day in range(7))
    }


def test_platforms_of_a_group_are_named_by_the_group() -> None:
    """Where the whole group is treated alike."""
    policy = POLICY.replace("rules:", "platform_groups: {both: [x, linkedin]}\nrules:").replace(
        '{name: Night, platforms: [x], when: {between: "22:00-06:00"}, then: block}',
        "{name: Night, platforms: [both], then: block}",
    )
    before = machine(policy).rules
    after = machine(policy.replace("then: block", "then: allow")).rules
    change = only(differences(before, after, MONDAY))
    assert change.platforms == ("both",)
    assert change.times == WHOLE_WEEK
    assert change.roles == ("staff", "care", "guest")


def test_a_rule_with_another_name_only() -> None:
    """People read it on the page, so it is told; nobody gains or loses."""
    found = diff("name: Learning", "name: Courses")
    assert only(found).effect is Effect.OTHER
    assert only(found).after.rule == "Courses"


def test_a_platform_that_is_limited_no_more() -> None:
    """It is let through without a rule."""
    found = diff(
        "platforms: [x, linkedin], then: {spend: daily}", "platforms: [x], then: {spend: daily}"
    )
    change = next(one for one in found.changes if one.before.allowance == "daily")
    assert (change.platforms, change.after, change.effect) == (
        ("linkedin",),
        DecisionAtHour("allow", None),
        Effect.GAIN,
    )


def test_a_person_with_a_rule_of_their_own() -> None:
    """Whoever one of the sets names is asked about; patterns by somebody like them."""
    rule = '{name: Not bob, users: [Bob, "*@out.example"], platforms: [x], when: {days: sat-sun}, then: block}'
    found = diff("  - {name: Lunch,", f"  - {rule}\n  - {{name: Lunch,")
    change = only(found)
    assert (change.people, change.patterns, change.roles) == (("bob",), ("*@out.example",), ())
    assert [stretch.day for stretch in change.times] == [5, 5, 6][:0] or {
        s.day for s in change.times
    } == {
        5,
        6,
    }
    assert change.effect is Effect.LOSS


def test_somebody_who_gets_a_role() -> None:
    """Named in the other set only; those whom nothing changes for are not told."""
    before, after = machine().rules, machine().rules
    people = replace(after.people, roles={**after.people.roles, "care": ("carl", "dora")})
    found = differences(before, replace(after, people=people), MONDAY)
    assert {change.people for change in found.changes} == {("dora",)}
    assert {change.effect for change in found.changes} == {Effect.GAIN}


def test_roles_that_come_and_go() -> None:
    """Somebody on a rota gains while they are on duty, and only then."""
    rules = machine().rules
    duty = Duty(("dora",), When(days=frozenset({5, 6})))
    found = differences(
        rules, replace(rules, people=replace(rules.people, duties={"care": (duty,)})), MONDAY
    )
    assert {change.people for change in found.changes} == {("dora",)}
    assert {stretch.day for change in found.changes for stretch in change.times} == {5, 6}


def test_observed_rules_block_nobody() -> None:
    """From observed to enforced is a loss."""
    found = diff("{name: Night,", "{name: Night, mode: observe,")
    change = only(found)
    assert (change.effect, change.after.observed, str(change.after)) == (
        Effect.GAIN,
        True,
        "block (observed only)",
    )


def test_what_else_differs() -> None:
    """Keys of the policy that are not rules."""
    found = differences(
        machine().rules, machine(POLICY + "week_starts: sunday\nretention: 30d\n").rules, MONDAY
    )
    assert found.settings == (("week_starts", "monday", "sunday"), ("retention", "90d", "30d"))
    assert not found.equal


def test_dates_are_seen_in_their_week() -> None:
    """Rules with dates are named; another week shows them."""
    old, new = (
        "{name: Learning,",
        "{name: Crisis, platforms: [x], when: {dates: 2026-12-04}, then: allow}\n  - {name: Learning,",
    )
    found = diff(old, new)
    assert (found.changes, found.dated) == ((), ("Crisis",))
    december = week_of(machine().rules, date(2026, 12, 6))
    assert {
        stretch.day for change in diff(old, new, december).changes for stretch in change.times
    } == {4}


def test_weeks_begin_where_the_policy_says() -> None:
    """The next one, or the one around a day; one with a change of clocks ends a week later on the
    clock."""
    rules = machine().rules
    assert next_week(rules, MONDAY) == MONDAY + 7 * 86_400
    assert week_of(rules, date(2026, 11, 8)) == MONDAY
    found = diff("then: block", "then: allow", week_of(rules, date(2026, 10, 25)))
    assert only(found).times[-1] == WeekdayInterval(6, 79_200, 86_400)


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        (
            DecisionAtHour("block", "a"),
            DecisionAtHour("spend", "a", "d", ("1m per day",), worth=(60.0,)),
            Effect.GAIN,
        ),
        (
            DecisionAtHour("allow", "a"),
            DecisionAtHour("spend", "a", "d", ("1m per day",), worth=(60.0,)),
            Effect.LOSS,
        ),
        (
            DecisionAtHour("spend", "a", worth=(60.0, 9.0)),
            DecisionAtHour("spend", "a", worth=(60.0, 8.0)),
            Effect.LOSS,
        ),
        (
            DecisionAtHour("spend", "a", worth=(60.0, 9.0)),
            DecisionAtHour("spend", "a", worth=(70.0, 8.0)),
            Effect.OTHER,
        ),
        (
            DecisionAtHour("spend", "a", worth=(60.0,)),
            DecisionAtHour("spend", "a", worth=(60.0, 8.0)),
            Effect.OTHER,
        ),
        (
            DecisionAtHour("spend", "a", worth=(60.0,)),
            DecisionAtHour("spend", "a", worth=(60.0,), carry_over=5.0),
            Effect.GAIN,
        ),
        (DecisionAtHour("block", "a", observed=True), DecisionAtHour("block", "a"), Effect.LOSS),
    ],
)
def test_who_is_better_off(before: DecisionAtHour, after: DecisionAtHour, effect: Effect) -> None:
    """Allowed is more than charged, charged more than blocked, more time more than less."""
    assert compare(before, after) is effect
