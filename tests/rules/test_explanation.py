"""Explanations: the decision, the walk, the allowance, and what was spent by what."""

from __future__ import annotations

import pytest

from proxy_addon.core.ruleset import Limit, Period
from proxy_addon.core.types import Grant, Verdict, Visit
from proxy_addon.presentation import rule_text
from proxy_addon.rules import explanation
from proxy_addon.rules.explanation import (
    NOTHING,
    Explanation,
    Used,
    data,
    explain,
    taken_as_spent,
    used_by,
)
from proxy_addon.rules.lookup import person_of
from tests.rule_tests.office import POLICY, machine

NINE = 1_793_610_000.0  # Monday 2 November 2026, 09:00 in London
M = 60.0
X = "https://x.example/home"


def visit(platform: str, minute: float, minutes: float, allowance: str | None = "daily") -> Visit:
    """A visit of dora, so many minutes after nine."""
    start = NINE + minute * M
    number = f"{platform}{minute}"
    return Visit(
        number, "dora", platform, None, allowance, "Fifteen", start, start + minutes * M, "n"
    )


def explained(
    user: str = "dora", url: str = X, used: Used = NOTHING, at: float = NINE + 60 * M
) -> Explanation:
    """At ten o'clock."""
    return explain(machine().engine, machine().catalogue, user, url, used, at)


def test_the_contract() -> None:
    """The keys of the outside contract come first, in their order; the walk has every rule."""
    found = data(explained(), machine().rules.zone)
    assert list(found)[:8] == [
        "verdict",
        "reason",
        "rule",
        "platform",
        "allowance",
        "left",
        "until",
        "walk",
    ]
    assert (found["verdict"], found["rule"], found["left"]) == ("spend", "Fifteen", 900.0)
    assert found["until"] == "2026-11-02T12:00:00+00:00"
    assert [step["rule"] for step in found["walk"]] == [
        "Learning",
        "Night",
        "Lunch",
        "Guests",
        "Fifteen",
    ]
    assert found["walk"][1] == {"rule": "Night", "fits": False, "why": "it is not 22:00-06:00 now"}
    assert found["walk"][-1]["fits"] is True


def test_what_was_spent_by_what() -> None:
    """Platform by platform, the longest first, only what counts in the window; free time is left
    out."""
    visits = [
        visit("x", 5, 4),
        visit("linkedin", 8, 5),
        visit("x", 30, 2),
        visit("x", -600, 9),
        visit("x", 40, 3, None),
    ]
    line = explained(used=used_by(visits, ())).allowance
    assert line is not None
    assert dict(line.by_platform) == {"x": 6 * M, "linkedin": 5 * M}
    assert list(line.by_platform) == ["x", "linkedin"]
    assert [(rule_text.limit(one.limit), one.spent, one.left) for one in line.limits] == [
        ("15m per day", 10 * M, 5 * M)
    ]


def test_grants_and_resets_count() -> None:
    """Granted time is named; a reset moves the beginning of what is shown."""
    grant = Grant("g", "dora", "daily", 5 * M, "", "ada", NINE, NINE + 7200)
    line = explained(used=used_by([visit("x", 5, 4)], [grant])).allowance
    assert line is not None
    assert (line.limits[0].granted, line.limits[0].left) == (5 * M, 16 * M)
    reset = Grant("r", "dora", "daily", 0, "", "ada", NINE + 7 * M, NINE + 86_400, resets=True)
    line = explained(used=used_by([visit("x", 5, 4)], [reset])).allowance
    assert line is not None
    assert dict(line.by_platform) == {"x": 2 * M}


def test_whose_limits_hold() -> None:
    """The first override that fits, by user or role; else the allowance's own."""
    line = explained("carl").allowance
    assert line is not None
    assert line.override is not None
    assert (line.override.roles, line.limits[0].limit) == (("care",), Limit(2700.0, Period.DAY))
    line = explained("dora").allowance
    assert line is not None
    assert line.override is None
    policy = POLICY.replace(
        "- {roles: [care]", '- {users: ["D*"], limit: 1h per day}\n      - {roles: [care]'
    )
    engine = machine(policy).engine
    line = explain(engine, machine().catalogue, "dora", X, NOTHING, NINE).allowance
    assert line is not None
    assert line.override is not None
    assert (line.override.users, line.limits[0].limit) == (("D*",), Limit(3600.0, Period.DAY))


def test_the_limit_with_the_least_left_shows_its_window() -> None:
    """Of several limits each is told; the platforms are those of the one that is nearest to its
    end."""
    compiled = machine(POLICY.replace("limit: 15m per day", "limit: [15m per day, 20m per week]"))
    used = used_by([visit("x", -20 * 60, 14), visit("linkedin", 5, 4)], ())
    found = explain(compiled.engine, compiled.catalogue, "dora", X, used, NINE + 60 * M)
    assert found.allowance is not None
    assert [one.left for one in found.allowance.limits] == [
        11 * M,
        16 * M,
    ]  # the week began on Monday
    assert dict(found.allowance.by_platform) == {"linkedin": 4 * M}


def test_who_is_known() -> None:
    """Somebody whom no file names has the default role, and it is said."""
    assert not explained("dora").known
    assert explained("carl").known
    assert explained("reception").known
    assert explained("ip:10.0.0.9").known


def test_nothing_is_limited_or_nobody_is_let_in() -> None:
    """No allowance to speak of."""
    found = explained(url="https://news.example/")
    assert (found.decision.platform, found.decision.walk, found.allowance) == (None, (), None)
    compiled = machine(POLICY + "unidentified: refuse\n")
    found = explain(compiled.engine, compiled.catalogue, "ip:10.0.0.9", X, NOTHING, NINE)
    assert (found.decision.verdict, found.roles, found.known) == (Verdict.BLOCK, (), False)


def test_what_is_taken_as_spent() -> None:
    """Just before the instant, so that today's limit sees all of it."""
    engine, at = machine().engine, NINE + 60 * M
    usage = taken_as_spent(engine, person_of(engine, "dora", at), {"daily": 12 * M}, at)
    found = explained(used=Used(usage))
    assert (found.decision.verdict, found.decision.left) == (Verdict.SPEND, 3 * M)
    usage = taken_as_spent(engine, person_of(engine, "dora", at), {"daily": 15 * M}, at)
    assert explained(used=Used(usage)).decision.verdict is Verdict.BLOCK
    assert taken_as_spent(engine, None, {"daily": 0.0}, at).intervals("daily") == ()


def test_what_cannot_have_been_spent() -> None:
    """Five minutes after midnight nobody has spent twelve minutes of the day; no such allowance."""
    engine, midnight = machine().engine, NINE - 9 * 3600
    dora = person_of(engine, "dora", midnight)
    with pytest.raises(
        ValueError, match="12m of daily cannot have been spent: this day began 5m ago"
    ):
        taken_as_spent(engine, dora, {"daily": 12 * M}, midnight + 5 * M)
    with pytest.raises(
        ValueError, match='"dayly" is not an allowance of the rules; there are: daily, hourly'
    ):
        taken_as_spent(engine, dora, {"dayly": 1.0}, midnight)


def test_what_is_no_name_or_url() -> None:
    """A sentence that the commands can print."""
    with pytest.raises(ValueError, match="name"):
        explained("a:b")
    with pytest.raises(ValueError, match="URL"):
        explained(url="ftp://x.example/")


def test_the_module_says_what_it_shares() -> None:
    """`explain` is `explain_person` for somebody whose roles the rules give."""
    compiled = machine()
    person = compiled.engine.person("carl", NINE)
    found = explanation.explain_person(
        compiled.engine, compiled.catalogue, person, "carl", X, NOTHING, NINE
    )
    assert found == explained("carl", at=NINE)
