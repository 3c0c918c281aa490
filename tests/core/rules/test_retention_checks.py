"""A limit that looks further back than visits are kept is refused, or warned of where only carried
time is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy_addon.core.rules.problems import Code, RuleErrors, Severity
from proxy_addon.rules import folder as rules_folder


def problem_found(folder: Path, limit: str, more: str = "", allowance: str = "") -> list[str]:
    """What is said of an allowance with this limit: "error" or "warning", and the hint."""
    (folder / "platforms").mkdir()
    (folder / "platforms" / "x.yaml").write_text("x: {hosts: [x.com]}\n")
    (folder / "people.yaml").write_text("roles: {}\n")
    (folder / "policy.yaml").write_text(
        "version: 1\ntimezone: Europe/London\nallowances:\n"
        f"  some: {{limit: {limit}{allowance}}}\n"
        f"rules:\n  - {{platforms: [x], then: {{spend: some}}}}\n{more}"
    )
    found = rules_folder.check(folder)
    assert {problem.code for problem in found} <= {Code.RETENTION_TOO_SHORT}
    if any(problem.severity is Severity.ERROR for problem in found):
        with pytest.raises(RuleErrors):
            rules_folder.load(folder)
    return [f"{problem.severity}: {problem.hint}" for problem in found]


@pytest.mark.parametrize(
    ("limit", "retention", "hint"),
    [
        ("10h per year", "90d", "367d"),
        ("10h per year", "365d", "367d"),
        ("10h per quarter", "90d", "93d"),
        ("1h per month", "30d", "32d"),
        ("1h per week", "2d", "8d"),
        ("10m per day", "12h", "2d"),
        ("10m per rolling 100d", "90d", "100d"),
    ],
)
def test_a_limit_that_cannot_be_kept_is_refused(
    tmp_path: Path, limit: str, retention: str, hint: str
) -> None:
    """Its own window is longer than the retention; the hint is long enough, whatever the clocks
    do."""
    assert problem_found(tmp_path, limit, f"retention: {retention}\n") == [
        f"error: write retention: {hint} or more, or a shorter period"
    ]


@pytest.mark.parametrize(
    ("limit", "retention"),
    [("10h per year", "367d"), ("10h per quarter", "93d"), ("1h per month", "90d")],
)
def test_what_the_hint_says_is_enough(tmp_path: Path, limit: str, retention: str) -> None:
    """Whoever follows it reads nothing more."""
    assert problem_found(tmp_path, limit, f"retention: {retention}\n") == []


@pytest.mark.parametrize(
    ("limit", "hint"), [("1h per month", "288d"), ("1h per day", ""), ("1h per week", "")]
)
def test_carried_time_that_is_lost_is_warned_of(tmp_path: Path, limit: str, hint: str) -> None:
    """With 90 days a month's limit is kept, but not what is carried over through eight months."""
    expected = (
        [f"warning: write retention: {hint} or more, or leave carry_over out"] if hint else []
    )
    assert problem_found(tmp_path, limit, "retention: 90d\n", ", carry_over: 5m") == expected
