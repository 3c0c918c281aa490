"""What is not worked out again: how far back and ahead a balance looks, and what an engine and a
roster remember."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy_addon.core import conditions
from proxy_addon.core.intervals import normalise
from proxy_addon.core.policy import balance as of
from proxy_addon.core.policy.balance import StaticUsage
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.policy.roster import Roster
from proxy_addon.core.ruleset import Allowance, Duty, People, Period, Rule, Then, When
from proxy_addon.core.types import Interval, Person, Target
from tests.core.policies import LUNCH, SAMPLE, H, M, at, grant, per

NAME = "daily-social"
DAY = 86_400.0
DORA, X = Person("dora", ("staff",)), Target("x")
NOW = at("10:30")
ALWAYS = When(days=frozenset(range(7)))


class Asked(StaticUsage):
    """Usage that remembers the stretches of time it was asked about."""

    __slots__ = ("stretches",)

    def __init__(self, *values: object) -> None:
        super().__init__(*values)  # type: ignore[arg-type]
        self.stretches: list[Interval] = []

    def spent(self, allowance: str, start: float, end: float) -> float:
        """See `Usage`."""
        self.stretches.append(Interval(start, end))
        return super().spent(allowance, start, end)


@pytest.mark.parametrize(
    ("seconds", "days"),
    [
        (10 * M, 1),  # all that may be carried is left, whatever was carried into that day
        (10 * M + 1, 2),
        (20 * M - 1, 2),
        (20 * M, 1),  # nothing is left, even if all that may be carried was carried into that day
    ],
)
def test_carried_time_goes_back_only_as_far_as_it_depends_on(seconds: float, days: int) -> None:
    """With a full or an empty yesterday the days before it are not read; the limit is fifteen, five
    are carried."""
    noon = at("12:00") - DAY
    limit = per(Period.DAY, 15 * M)
    usage = Asked({NAME: normalise([Interval(noon, noon + seconds)])})
    of.limit_balance(SAMPLE, Allowance(NAME, (limit,), carry_over=5 * M), limit, usage, NOW)
    midnights = [at("00:00") - n * DAY for n in range(days + 1)]
    assert [stretch.start for stretch in usage.stretches] == midnights


@pytest.mark.parametrize("seconds", [0.0, 0.000_5])
@pytest.mark.parametrize("grants", [(), (grant(10 * M, "08:00", "10:30"),)])
def test_a_limit_of_nothing_is_answered_without_a_search(seconds: float, grants: tuple) -> None:
    """Without a grant that ends after this instant no later window is looked at."""
    limit, usage = per(Period.HOUR, seconds), Asked({}, grants)
    found = of.left_or_reset(SAMPLE, Allowance(NAME, (limit,)), [limit], usage, NOW)
    assert found == (0.0, None)
    assert max(stretch.end for stretch in usage.stretches) == NOW


def test_a_match_is_found_once_until_it_may_change() -> None:
    """From the instant of the first question on it is the same one, until a `when` opens or the
    horizon."""
    plain = Engine(replace(SAMPLE, rules=(Rule("r", Then.ALLOW),)))
    first = plain.match(DORA, X, NOW)
    assert plain.match(DORA, X, NOW) is first
    assert plain.match(DORA, X, NOW + conditions.HORIZON - 1) is first
    assert plain.match(DORA, X, NOW + conditions.HORIZON) is not first
    lunch = Engine(replace(SAMPLE, rules=(Rule("r", Then.ALLOW, when=LUNCH),)))
    first = lunch.match(DORA, X, NOW)
    assert lunch.match(DORA, X, at("12:00") - 1) is first
    assert lunch.match(DORA, X, at("12:00")) is not first


def test_a_match_lasts_no_longer_than_what_is_known_of_its_condition() -> None:
    """A condition that was worked out an hour before is known for an hour less."""
    engine = Engine(replace(SAMPLE, rules=(Rule("r", Then.ALLOW, when=ALWAYS),)))
    engine.match(DORA, Target("youtube"), NOW)
    first = engine.match(DORA, X, NOW + H)
    assert engine.match(DORA, X, NOW + conditions.HORIZON - 1) is first
    assert engine.match(DORA, X, NOW + conditions.HORIZON) is not first


def test_a_condition_is_worked_out_once_for_all_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it changes, and at most until the horizon, everybody is told what the first one was."""
    asked: list[float] = []
    next_change = conditions.next_change

    def counted(when: When, rs: object, now: float) -> float | None:
        asked.append(now)
        return next_change(when, rs, now)  # type: ignore[arg-type]

    monkeypatch.setattr(conditions, "next_change", counted)
    engine = Engine(replace(SAMPLE, rules=(Rule("r", Then.ALLOW, when=ALWAYS),)))
    end = NOW + conditions.HORIZON
    for name, now in (("x", NOW), ("youtube", NOW), ("tiktok", NOW + H), ("reddit", end - 1)):
        engine.match(DORA, Target(name), now)
    assert asked == [NOW]
    engine.match(DORA, Target("twitch"), end)
    assert asked == [NOW, end]


def test_roles_are_looked_up_once_until_the_rota_changes() -> None:
    """From the instant of the first question to the end of the shift it is the same answer."""
    shift = When(between=((14 * 3600, 17 * 3600),))
    people = People("staff", {"staff": (), "care": ()}, (), {"care": (Duty(("emil",), shift),)})
    roster = Roster(replace(SAMPLE, people=people))
    first = roster.roles("emil", at("14:00"))
    assert roster.roles("emil", at("14:00")) is first
    assert roster.roles("emil", at("17:00") - 1) is first
    assert roster.roles("emil", at("17:00")) is not first
