"""The measure of a meter."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.traces.day import Times
from tests.traces.evaluate import above, compare, evaluate, main, report, seeds_of, summary

TRUTH: Times = {"ana": {"x": [(0.0, 600.0)]}}


def nobody(events: Sequence[Mapping[str, Any]]) -> Times:
    """A meter that charges nothing."""
    return {}


def test_a_perfect_meter_has_no_error() -> None:
    """Nothing missed, nothing extra."""
    score = compare(TRUTH, TRUTH, "feed", 1, 8.0, 10)
    assert (score.true, score.charged, score.error, score.missed, score.extra) == (
        600,
        600,
        0,
        0,
        0,
    )


def test_the_right_total_at_the_wrong_time_is_misplaced() -> None:
    """The error is in totals; missed and extra are in spans."""
    score = compare(TRUTH, {"ana": {"x": [(300.0, 900.0)]}}, "feed", 1, 8.0, 10)
    assert (score.error, score.missed, score.extra) == (0, 300, 300)


def test_the_wrong_platform_or_person_counts_twice() -> None:
    """Once where it is missing and once where it is too much."""
    for charged in ({"ana": {"facebook": [(0.0, 600.0)]}}, {"bo": {"x": [(0.0, 600.0)]}}):
        assert compare(TRUTH, charged, "feed", 1, 8.0, 10).error == 1200


def test_a_summary_adds_seconds_up() -> None:
    """The overall figure is a sum over a sum, not a mean of shares; without truth there is none."""
    scores = [
        compare(TRUTH, {"ana": {"x": [(0.0, 660.0)]}}, "feed", 1, 8.0, 1),
        compare({}, {"ana": {"x": [(0.0, 60.0)]}}, "embeds", 1, 8.0, 1),
    ]
    found = summary(scores)
    assert found["error"] == pytest.approx(0.2)
    assert found["extra_minutes_per_8h"] == pytest.approx(1.0)
    assert summary(scores[1:])["error"] is None
    assert report(scores)["quiet_extra_minutes_per_8h"] == {"embeds": pytest.approx(1.0)}


def test_a_meter_that_charges_nothing_misses_everything() -> None:
    """Its error is the whole, on every day with somebody there."""
    scores = evaluate([1], ["feed", "embeds"], "tests.traces.test_evaluate:nobody")
    assert [s.error == s.true for s in scores] == [True, True]
    assert report(scores)["overall"]["error"] == 1.0


@pytest.mark.parametrize(("text", "seeds"), [("3", [3]), ("3-5", [3, 4, 5]), ("1,4-5", [1, 4, 5])])
def test_seeds_are_ranges_or_lists(text: str, seeds: list[int]) -> None:
    """As on the command line."""
    assert seeds_of(text) == seeds


def test_the_command_prints_a_table_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Both hold the figures by scenario and overall; workers change nothing."""
    arguments = [
        "--seeds",
        "1-2",
        "--scenario",
        "feed",
        "--meter",
        "tests.traces.baselines:any_request",
    ]
    main([*arguments, "--worst", "1"])
    table = capsys.readouterr().out
    assert "feed" in table
    assert "OVERALL" in table
    main([*arguments, "--json", "--jobs", "2"])
    figures = json.loads(capsys.readouterr().out)
    assert set(figures) == {"overall", "scenarios", "quiet_extra_minutes_per_8h", "days"}
    assert len(figures["days"]) == 2


def test_scenarios_above_a_bound_are_named() -> None:
    """A good average hides none; where nobody was there, ten minutes a day are the measure."""
    scores = [
        compare(TRUTH, {"ana": {"x": [(0.0, 600.0)]}}, "feed", 1, 8.0, 1),
        compare(TRUTH, {"ana": {"x": [(0.0, 690.0)]}}, "video", 1, 8.0, 1),
        compare({}, {"ana": {"x": [(0.0, 90.0)]}}, "embeds", 1, 8.0, 1),
    ]
    assert above(report(scores), 16.0) == []
    assert above(report(scores), 12.0) == ["video 15.0%", "embeds 15.0%"]


def test_the_command_fails_above_the_bound(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, and the scenarios on stderr; without a bound it never fails."""
    days = ["--seeds", "1", "--scenario", "feed", "--meter", f"{__name__}:nobody"]
    assert main(days) == 0
    assert main([*days, "--bound", "101"]) == 0
    assert main([*days, "--bound", "12"]) == 1
    assert capsys.readouterr().err == "above 12 %: feed 100.0%\n"
