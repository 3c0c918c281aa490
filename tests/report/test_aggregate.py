"""`proxy_addon/report/aggregate.py`: the sums, on a week that can be added up by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Allowance, Mode, Period, Then
from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import PlainVisit
from proxy_addon.report.aggregate import OTHERWISE, needed_since
from proxy_addon.report.date_range import around
from proxy_addon.report.document import notes
from proxy_addon.report.totals import Sum, Table
from tests.core.policies import SAMPLE, M, at, per
from tests.ledger.memory_ledger import MemoryLedger
from tests.report.scene import DAILY, LUNCH, NOW, RULE, made, observing, office


def sums(table: Table) -> dict[str, Sum]:
    """The rows of a table."""
    return dict(table.rows)


def test_the_whole() -> None:
    """Two tabs count once: twenty, fifteen and five charged; twenty free at lunch, and twenty of
    marketing's."""
    report = office()
    assert report.whole == Sum(charged=40 * M, free=40 * M, people=3, visits=6, ran_out=1)
    assert not report.empty


def test_by_day() -> None:
    """What crosses midnight is cut there; a visit belongs to the day that it began on."""
    monday, tuesday, *rest = office().days
    assert monday == Sum(charged=35 * M, free=30 * M, people=3, visits=5, ran_out=1)
    assert tuesday == Sum(charged=5 * M, free=10 * M, people=2, visits=1)
    assert rest == [Sum()] * 5


def test_by_platform() -> None:
    """The platforms add up to the whole; it ran out on the one that was in use."""
    rows = sums(office().platforms)
    assert rows == {
        "x": Sum(charged=25 * M, free=20 * M, people=3, visits=3, ran_out=1),
        "facebook": Sum(charged=10 * M, free=20 * M, people=1, visits=2),
        "youtube": Sum(charged=5 * M, people=1, visits=1),
    }


def test_by_role() -> None:
    """Carl has 45 minutes, so that only dora ran out."""
    rows = sums(office().roles)
    assert {role: found.seconds for role, found in rows.items()} == {
        "care": 20 * M,
        "staff": 40 * M,
        "marketing": 20 * M,
    }
    assert {role: found.ran_out for role, found in rows.items()} == {
        "care": 0,
        "staff": 1,
        "marketing": 0,
    }


def test_by_person_only_when_asked() -> None:
    """Otherwise there are no names in it at all."""
    report = office()
    assert report.people is None
    assert "dora" not in repr(report.platforms.rows) + repr(report.roles.rows)
    people = office(by_person=True).people
    assert people is not None
    assert people.rows["dora"] == Sum(charged=20 * M, free=20 * M, people=1, visits=4, ran_out=1)
    assert [name for name, _ in people.largest_first()] == ["dora", "carl", "maria"]


def test_by_hour() -> None:
    """Monday from 9 to 10 thirty-five minutes; the hours add up to the whole."""
    hours = office().hours
    assert hours[0][9] == 35 * M
    assert (hours[0][12], hours[0][13], hours[0][23], hours[1][0]) == (
        10 * M,
        10 * M,
        10 * M,
        10 * M,
    )
    assert sum(map(sum, hours)) == 80 * M


def test_allowances() -> None:
    """Spent as `allowance usage` says; grants and resets of the week; once run out."""
    found = office().allowances[DAILY]
    assert (found.spent, found.people, found.ran_out, found.ran_out_people) == (40 * M, 2, 1, 1)
    assert (found.grants, found.granted, found.resets) == (1, 600, 1)
    assert (found.beyond, found.beyond_people) == (0.0, 0)


def test_observed_rules() -> None:
    """Beyond fifteen minutes, and all of what a block would have stopped: by allowance, day and
    rule."""
    report = made(
        PlainVisit("dora", "x", DAILY, RULE, at("09:00"), at("09:40")),
        PlainVisit("dora", "tiktok", None, "No TikTok", at("10:00"), at("10:07")),
        rules=observing(),
    )
    found = report.allowances[DAILY]
    assert (found.beyond, found.beyond_people) == (25 * M, 1)
    assert (found.days[0].seconds, found.days[0].people, found.days[0].ran_out) == (25 * M, 1, 1)
    spend, block = report.observed[RULE], report.observed["No TikTok"]
    assert (spend.seconds, spend.stopped, spend.stopped_people) == (40 * M, 25 * M, 1)
    assert (block.seconds, block.stopped, block.people, block.visits) == (7 * M, 7 * M, 1, 1)


def test_otherwise_is_observed_like_a_rule() -> None:
    """Where a policy would block what no rule names, and is only tried out."""
    rules = replace(observing(), otherwise=Then.BLOCK, mode=Mode.OBSERVE)
    report = made(PlainVisit("dora", "medium", None, None, at("09:00"), at("09:04")), rules=rules)
    assert report.observed[OTHERWISE].stopped == 4 * M
    assert OTHERWISE not in made(rules=observing()).observed


def test_a_second_of_a_cut_is_nobodys() -> None:
    """Enforced use ends within a moment; that is not told as use over the limit."""
    report = made(PlainVisit("dora", "x", DAILY, RULE, at("09:00"), at("09:15") + 0.6))
    assert (report.allowances[DAILY].beyond, report.allowances[DAILY].ran_out) == (0.0, 1)


people = st.sampled_from(["ana", "bo", "carl"])
minutes = st.integers(0, 6 * 24 * 60)
stays = st.lists(
    st.tuples(
        people,
        st.sampled_from(["x", "youtube"]),
        st.sampled_from([None, DAILY, "other"]),
        minutes,
        st.integers(1, 90),
    ),
    max_size=12,
)


@settings(max_examples=50, deadline=None)
@given(stays)
def test_agrees_with_the_ledger(rows: list[tuple[str, str, str | None, int, int]]) -> None:
    """Spent of each allowance is what the ledger says; every way of cutting the sum gives the same
    sum."""
    span = around(SAMPLE, Period.WEEK, NOW, last=True)
    start = span.start
    ledger = MemoryLedger()
    found = [
        Visit(
            str(i),
            name,
            where,
            None,
            what,
            RULE,
            start + at_minute * M,
            start + (at_minute + long) * M,
            "n",
        )
        for i, (name, where, what, at_minute, long) in enumerate(rows)
    ]
    ledger.write_visits(found)
    plain = [PlainVisit(v.person, v.platform, v.allowance, v.rule, v.start, v.end) for v in found]
    report = made(*sorted(plain, key=lambda visit: (visit.person, visit.start)), by_person=True)
    spent: dict[str, float] = {}
    for total in ledger.totals(span.start, span.until):
        if total.allowance is not None:
            spent[total.allowance] = spent.get(total.allowance, 0.0) + total.seconds
    assert {
        name: one.spent for name, one in report.allowances.items() if one.spent
    } == pytest.approx(spent)
    whole = report.whole.seconds
    assert report.people is not None
    for table in (report.platforms, report.roles, report.people):
        assert sum(one.seconds for one in table.rows.values()) == pytest.approx(whole)
        assert sum(one.seconds for one in table.cells.values()) == pytest.approx(whole)
        assert sum(one.visits for one in table.cells.values()) == report.whole.visits == len(rows)
    assert sum(day.seconds for day in report.days) == pytest.approx(whole)
    assert sum(map(sum, report.hours)) == pytest.approx(whole)
    assert len(report.people.rows) == report.whole.people == len({row[0] for row in rows})


def test_what_happened_before_matters_to_a_balance() -> None:
    """A month's allowance that was used up before the week: all of the week is beyond it, and it
    ran out earlier."""
    month = Allowance(DAILY, (per(Period.MONTH, 15 * M),))
    rules = replace(SAMPLE, allowances={DAILY: month})
    span = around(rules, Period.WEEK, NOW, last=True)
    assert needed_since(Engine(rules), span) == at("2026-11-01")
    before = PlainVisit("dora", "x", DAILY, RULE, at("2026-11-01 09:00"), at("2026-11-01 09:15"))
    after = PlainVisit("dora", "x", DAILY, RULE, at("09:00"), at("09:05"))
    found = made(before, after, rules=rules).allowances[DAILY]
    assert (found.spent, found.beyond, found.ran_out) == (5 * M, 5 * M, 0)


def test_an_allowance_that_is_gone() -> None:
    """Spent under rules that are no longer there: told, without a limit."""
    report = made(PlainVisit("dora", "x", "old", "Old", at("09:00"), at("09:10")))
    assert (report.allowances["old"].spent, report.allowances["old"].ran_out) == (10 * M, 0)


@pytest.mark.parametrize(
    "visits", [(), (PlainVisit("dora", "x", DAILY, RULE, at("09:00"), at("09:00")),)]
)
def test_nothing(visits: tuple[PlainVisit, ...]) -> None:
    """Nobody, or only a visit that was given back."""
    report = made(*visits)
    assert report.empty
    assert report.whole == Sum()


def test_free_time_that_was_estimated() -> None:
    """It is a part of the free time, in every sum, and a note says what it is."""
    lunch = PlainVisit("dora", "x", None, LUNCH, at("12:10"), at("12:20"), estimated=True)
    seen = PlainVisit("dora", "facebook", None, LUNCH, at("12:15"), at("12:30"))
    report = made(lunch, seen)
    assert (report.whole.free, report.whole.estimated) == (1200.0, 600.0)
    assert report.platforms.rows["x"].estimated == 600.0
    assert report.platforms.rows["facebook"].estimated == 0.0
    assert any("estimated from the bytes" in note for note in notes(report))
    assert not any("estimated from the bytes" in note for note in notes(made(seen)))
