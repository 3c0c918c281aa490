"""`proxy_addon/report/document.py`: reports for programs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from proxy_addon.core.ruleset import Allowance, Period
from proxy_addon.ledger.interface import PlainVisit
from proxy_addon.report.document import COLUMNS, document, limits, notes, rows
from tests.core.policies import SAMPLE, M, at, per, rolling
from tests.report.scene import DAILY, RULE, VISITS, made, observing, office

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "report.md").read_text("utf-8")


def test_json() -> None:
    """Everything, in plain values, with the names that are documented."""
    answer = document(office(), "role")
    assert json.loads(json.dumps(answer)) == answer
    assert (answer["from"], answer["to"]) == (
        "2026-11-02T00:00:00+00:00",
        "2026-11-09T00:00:00+00:00",
    )
    assert answer["groups"][0] == {
        "name": "staff",
        "charged_seconds": 1200.0,
        "free_seconds": 1200.0,
        "estimated_seconds": 0.0,
        "people": 1,
        "visits": 4,
        "ran_out": 1,
    }
    assert [day["charged_seconds"] for day in answer["days"]] == [2100.0, 300.0, 0, 0, 0, 0, 0]
    assert (answer["days"][0]["grants"], answer["days"][0]["granted_seconds"]) == (1, 600.0)
    assert {"weekday": "Monday", "hour": 9, "seconds": 2100.0} in answer["hours"]
    assert answer["allowances"][0]["limit"] == "15 minutes per day"
    assert answer["allowances"][0]["days"][0]["ran_out"] == 1
    for key in [
        *answer,
        *answer["groups"][0],
        *answer["days"][0],
        *answer["allowances"][0],
        *answer["allowances"][0]["days"][0],
    ]:
        assert f"`{key}`" in PAGE, f"docs/report.md does not tell what {key} is"


def test_observed() -> None:
    """Rules that stop nobody, and their allowances, are marked."""
    answer = document(made(*VISITS, rules=observing()), "platform")
    assert [each["rule"] for each in answer["observed"]] == ["No TikTok", "Fifteen minutes a day"]
    assert answer["allowances"][0]["observed"] is True
    for key in answer["observed"][0]:
        assert f"`{key}`" in PAGE, f"docs/report.md does not tell what {key} is"


@pytest.mark.parametrize("by", ["platform", "role", "person"])
def test_rows(by: str) -> None:
    """A row for each day and name; all of them add up to the whole, whatever they are by."""
    report = office(by_person=True)
    found = list(rows(report, by))
    assert all(len(row) == len(COLUMNS) and row[1] == by for row in found)
    assert found == sorted(found)
    assert sum(float(row[3]) + float(row[4]) for row in found) == report.whole.seconds
    assert ",".join(COLUMNS) in PAGE


def test_a_name_is_no_formula() -> None:
    """A spreadsheet must not run what somebody signs in as."""
    visit = PlainVisit("=cmd()", "x", DAILY, RULE, at("09:00"), at("09:10"))
    report = made(visit, by_person=True)
    assert [row[2] for row in rows(report, "person")] == ["'=cmd()"]
    assert document(report, "person")["groups"][0]["name"] == "=cmd()"


def test_no_people_without_asking() -> None:
    """By person is empty unless it was gathered."""
    assert list(rows(office(), "person")) == []


def test_limits_in_words() -> None:
    """As people would say them."""
    both = Allowance("a", (per(Period.HOUR, 5 * M), rolling(4, 10 * M)))
    assert limits(both) == "5 minutes per hour and 10 minutes in any 4 hours"
    seconds = Allowance("a", (per(Period.HOUR, 90.0), rolling(4, 90.0)))
    assert limits(seconds) == (
        "1 minute 30 seconds per hour and 1 minute 30 seconds in any 4 hours"
    )
    assert limits(None) == "no longer in the rules"


def test_notes() -> None:
    """What has to be known: not over yet, older than the retention, pseudonyms."""
    report = office()
    assert not any("not over" in note for note in notes(report))
    early = replace(report, span=replace(report.span, until=at("2026-11-04")))
    assert "not over" in notes(early)[0]
    short = replace(report, rules=replace(SAMPLE, retention=86_400.0, pseudonyms=True))
    assert "kept for 1 day;" in notes(short)[0]
    assert "pseudonyms" in notes(short)[-1]
