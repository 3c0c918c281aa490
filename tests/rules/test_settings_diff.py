"""Twin of proxy_addon/rules/settings_diff.py."""

from __future__ import annotations

import re

import pytest

from proxy_addon.core.ruleset import Metering
from proxy_addon.rules.settings_diff import differences
from tests.rule_tests.office import POLICY, machine

BUSY = f"{Metering().busy_rate:g}"  # the default


@pytest.mark.parametrize(
    ("line", "difference"),
    [
        ("timezone: Asia/Tokyo", ("timezone", "Europe/London", "Asia/Tokyo")),
        ('day_starts: "04:30"', ("day_starts", "00:00", "04:30")),
        ("week_starts: sunday", ("week_starts", "monday", "sunday")),
        ("unidentified: refuse", ("unidentified", "guest", "refuse")),
        ("on_failure: block", ("on_failure", "last-known", "block")),
        ("embeds: free", ("embeds", "media", "free")),
        ("retention: 30d", ("retention", "90d", "30d")),
        (
            "urgent: {minutes: 10, times: 2, roles: [care]}",
            ("urgent", "none", "10m, 2 per day for care"),
        ),
        ("urgent: {minutes: 5, per: week}", ("urgent", "none", "5m, 1 per week")),
        ("metering: {busy_rate: 9000}", ("metering: busy_rate", BUSY, "9000")),
    ],
)
def test_each_setting(line: str, difference: tuple[str, str, str]) -> None:
    """A setting that differs is named with both values as rule files write them; no other is."""
    key = line.partition(":")[0]
    others = re.sub(rf"^{key}:.*\n", "", POLICY, flags=re.MULTILINE)
    assert [*differences(machine().rules, machine(f"{others}{line}\n").rules)] == [difference]


def test_nothing_differs() -> None:
    """The same settings give no line, whatever the rules are."""
    other = POLICY.replace("45m per day", "50m per day")
    assert list(differences(machine().rules, machine(other).rules)) == []


def test_titles() -> None:
    """What an allowance is called is a setting, too."""
    other = POLICY.replace("  daily:\n", "  daily:\n    title: Social time\n", 1)
    assert other != POLICY
    found = list(differences(machine().rules, machine(other).rules))
    assert found == [("daily: title", "none", "Social time")]
