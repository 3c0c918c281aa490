"""Twin of proxy_addon/core/policy/open_windows.py."""

from __future__ import annotations

import pytest

from proxy_addon.core.policy.balance import StaticUsage
from proxy_addon.core.policy.open_windows import open_until
from proxy_addon.core.ruleset import Limit, Period
from proxy_addon.core.types import Interval
from tests.core.policies import SAMPLE, H, at

DAILY, WEEKLY = Limit(900.0, Period.DAY), Limit(3600.0, Period.WEEK)
ROLLING = Limit(600.0, Period.ROLLING, 4 * H)
NOON = at("2026-11-02 12:00")  # a Monday
USED = StaticUsage({"daily": (Interval(NOON - 600, NOON - 300), Interval(NOON - 60, NOON + 60))})


@pytest.mark.parametrize(
    ("limits", "until"),
    [
        ([DAILY], at("2026-11-03 00:00")),
        ([DAILY, WEEKLY], at("2026-11-09 00:00")),
        ([ROLLING], NOON + 4 * H),  # what runs counts up to now
        ([], None),
    ],
)
def test_the_last_end_counts(limits: list[Limit], until: float | None) -> None:
    """Of several windows with usage the one that ends last speaks."""
    assert open_until(SAMPLE, "daily", limits, USED, NOON) == until


def test_without_usage_nothing_is_open() -> None:
    """Usage of yesterday, of another allowance, or still to come opens no window of today."""
    assert open_until(SAMPLE, "daily", [DAILY], USED, at("2026-11-03 00:00")) is None
    assert open_until(SAMPLE, "other", [DAILY], USED, NOON) is None
    assert open_until(SAMPLE, "daily", [DAILY], USED, NOON - 700) is None
    assert open_until(SAMPLE, "daily", [ROLLING], USED, NOON + 60 + 4 * H) is None


def test_one_second_opens_a_window() -> None:
    """The window stays open for the shortest use."""
    usage = StaticUsage({"daily": (Interval(NOON - 1, NOON),)})
    assert open_until(SAMPLE, "daily", [DAILY], usage, NOON) == at("2026-11-03 00:00")
