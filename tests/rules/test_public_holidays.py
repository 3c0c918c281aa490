"""Public holidays by country and region."""

from __future__ import annotations

from datetime import date

import pytest

from proxy_addon.core.rules.parsers import BadValue
from proxy_addon.core.rules.problems import Code
from proxy_addon.rules.public_holidays import days


def held(country: str, region: str | None, day: date) -> bool:
    """Whether the day is a holiday there."""
    return any(first <= day <= last for first, last in days(country, region, (2026, 2026)))


def test_a_country_and_its_regions() -> None:
    """Saint Andrew is kept in Scotland, Christmas everywhere in Britain."""
    assert held("GB", "ENG", date(2026, 12, 25)) and held("GB", "SCT", date(2026, 12, 25))
    assert held("GB", "SCT", date(2026, 11, 30)) and not held("GB", "ENG", date(2026, 11, 30))
    assert held("DE", "BY", date(2026, 1, 6)) and not held("DE", None, date(2026, 1, 6))


def test_only_the_years_asked_for() -> None:
    """Ranges that touch are one."""
    found = days("GB", "ENG", (2026, 2027))
    assert {first.year for first, _ in found} == {2026, 2027}
    assert (date(2026, 12, 25), date(2026, 12, 25)) in found or (
        date(2026, 12, 25),
        date(2026, 12, 26),
    ) in found


@pytest.mark.parametrize(
    ("country", "region", "near"), [("GV", None, "GB"), ("GB", "EGN", "ENG"), ("XX", None, "")]
)
def test_what_is_not_known(country: str, region: str | None, near: str) -> None:
    """The nearest code is offered where there is one."""
    with pytest.raises(BadValue) as caught:
        days(country, region, (2026, 2026))
    assert caught.value.code is Code.UNKNOWN_HOLIDAYS
    assert caught.value.near is not None and near in (*caught.value.near[1], "")
