"""The values of test files."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from proxy_addon.rule_tests.models import WallTime, roles_in, wall
from proxy_addon.rule_tests.problems import BadTestError, TestCode
from tests.rule_tests.office import machine


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("09:00", WallTime(None, 32_400, None)),
        ("9:05", WallTime(None, 32_700, None)),
        ("09:00:30", WallTime(None, 32_430, None)),
        ("2026-11-03 00:00", WallTime(date(2026, 11, 3), 0, None)),
        ("2026-11-03T00:00Z", WallTime(date(2026, 11, 3), 0, timedelta(0))),
        ("01:30+01:00", WallTime(None, 5400, timedelta(hours=1))),
        ("01:30-0330", WallTime(None, 5400, -timedelta(hours=3, minutes=30))),
    ],
)
def test_times(text: str, expected: WallTime) -> None:
    """With or without a date, seconds, and an offset."""
    assert wall(text) == expected


@pytest.mark.parametrize(
    "value", ["24:00", "9", "09:60", "2026-02-30 09:00", "noon", 9, None, ["09:00"], "x" * 99]
)
def test_what_is_no_time(value: object) -> None:
    """Refused with an example."""
    with pytest.raises(BadTestError) as caught:
        wall(value)
    assert caught.value.code is TestCode.BAD_TIME
    assert "2026-11-03 09:00" in caught.value.hint


def test_roles_are_those_of_the_people_file_and_the_defaults() -> None:
    """In file order, each once."""
    assert roles_in(machine().rules) == ("staff", "care", "guest")
