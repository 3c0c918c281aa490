"""Urgent minutes: who may take them, how many are left, when they end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy_addon.core.policy import urgent
from proxy_addon.core.policy.balance import StaticUsage
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Allowance, Override, Period, Urgent
from proxy_addon.core.types import Grant, Person
from tests.core.policies import SAMPLE, M, at, grant, per, rolling, visits

DORA = Person("dora", ("staff",))
CARL = Person("carl", ("care", "staff"))
TEN = Urgent(10 * M, 2, Period.DAY)
NOON = at("12:00")
NAME = "daily-social"


def engine(given: Urgent | None = TEN, **changes: object) -> Engine:
    """The sample policy with urgent minutes."""
    return Engine(replace(SAMPLE, urgent=given, **changes))


def taken(number: int, created: str, allowance: str = NAME) -> Grant:
    """One that dora took."""
    made = grant(10 * M, created, "2026-11-03 00:00", allowance, f"urgent-{number}")
    return replace(made, granted_by="dora")


def test_what_is_offered() -> None:
    """As many as are left of those that the rules give, until they are counted anew; never fewer
    than none."""
    found = urgent.offer(engine(), DORA, 1, NOON)
    assert found == urgent.UrgentOffer(600.0, 1, 2, Period.DAY, at("2026-11-03 00:00"))
    none_left = urgent.offer(engine(), DORA, 5, NOON)
    assert none_left is not None
    assert none_left.left == 0
    assert urgent.offer(engine(None), DORA, 0, NOON) is None


def test_roles() -> None:
    """Without roles they are everybody's, with roles theirs."""
    care = engine(replace(TEN, roles=frozenset({"care"})))
    assert urgent.offer(care, DORA, 0, NOON) is None
    assert urgent.offer(care, CARL, 0, NOON) is not None


def test_what_was_taken() -> None:
    """Those of this window and of every allowance; what somebody else granted, and what was taken
    before, does not count."""
    grants = (
        taken(1, "09:00"),
        taken(2, "10:00", "video"),
        grant(600.0, "09:30", "18:00"),
        taken(3, "2026-11-01 23:00"),
    )
    allowances = {**SAMPLE.allowances, "video": Allowance("video", (per(Period.DAY, 600.0),))}
    usage = StaticUsage(grants=grants)
    assert urgent.taken_in_memory(engine(allowances=allowances), usage, NOON) == 2
    monthly = replace(TEN, period=Period.MONTH)
    assert urgent.taken_in_memory(engine(monthly, allowances=allowances), usage, NOON) == 3
    assert urgent.taken_in_memory(engine(None), usage, NOON) == 0


def test_used_up() -> None:
    """Only an allowance that gives the person time can be used up, and only when nothing is
    left."""
    used = StaticUsage({NAME: visits("09:00-09:15")})
    assert urgent.is_used_up(engine(), DORA, NAME, used, NOON)
    assert not urgent.is_used_up(engine(), DORA, NAME, StaticUsage(), NOON)
    assert not urgent.is_used_up(engine(), CARL, NAME, used, NOON)  # has 45 minutes
    nothing = Override((), ("staff",), (per(Period.DAY, 0.0),))
    none = {NAME: replace(SAMPLE.allowances[NAME], overrides=(nothing,))}
    assert not urgent.is_used_up(engine(allowances=none), DORA, NAME, StaticUsage(), NOON)


@pytest.mark.parametrize(
    ("limit", "ends"),
    [
        (per(Period.HOUR, 600.0), "13:00"),
        (per(Period.DAY, 600.0), "2026-11-03 00:00"),
        (per(Period.WEEK, 600.0), "2026-11-03 00:00"),
        (rolling(4, 600.0), "16:00"),
        (rolling(48, 600.0), "2026-11-03 00:00"),
    ],
)
def test_when_they_end(limit: object, ends: str) -> None:
    """With the period of the allowance, and with the policy's day at the latest."""
    allowances = {NAME: Allowance(NAME, (limit,))}  # type: ignore[arg-type]
    assert urgent.expiry(engine(allowances=allowances), DORA, NAME, NOON) == at(ends)
