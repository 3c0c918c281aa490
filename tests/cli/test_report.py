"""`proxy_addon/cli/report.py`: where the attention went, from a real ledger."""

from __future__ import annotations

import csv
import io
import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from proxy_addon.core.types import Visit
from proxy_addon.ledger.pseudonymous import ledger_pseudonyms
from tests.cli.command_setup import ledger, line, office, run, used

WEEK = ("--from", "2024-11-04", "--to", "2024-11-10")
NINE = datetime(2024, 11, 4, 9, tzinfo=UTC).timestamp()
M = 60.0


def visit(
    name: str, person: str, platform: str, allowance: str | None, start: float, minutes: float
) -> Visit:
    """A visit on that Monday, so many minutes after nine."""
    begin = NINE + start * M
    return Visit(
        name, person, platform, None, allowance, "Fifteen", begin, begin + minutes * M, "n"
    )


VISITS = [
    visit("1", "ana", "x", "daily", 0, 15),
    visit("2", "bo", "x", "daily", 0, 10),
    visit("3", "bo", "youtube", None, 5, 10),
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An office with a Monday of long ago in its ledger."""
    made = office(tmp_path, monkeypatch)
    with ledger() as opened:
        opened.write_visits(VISITS)
    return made


def test_for_people() -> None:
    """Who, how long, when, what ran out; and no name."""
    code, out, error = run("report", *WEEK)
    assert (code, error) == (0, "")
    first = "Monday, 4 November 2024"
    for words in (
        first,
        "2 people",
        "25 min charged and 5 min free",
        "Mon 04 Nov",
        "youtube",
        "daily",
    ):
        assert words in out, (words, out)
    assert "ana" not in out
    assert "busiest: Monday 09:00, 30 min" in out


def test_json() -> None:
    """The same for programs, by role."""
    code, out, _ = run("report", *WEEK, "--by", "role", "--json")
    answer = json.loads(out)
    assert (code, answer["people"], answer["charged_seconds"], answer["free_seconds"]) == (
        0,
        2,
        1500.0,
        300.0,
    )
    assert {group["name"]: group["ran_out"] for group in answer["groups"]} == {
        "care": 1,
        "staff": 0,
    }


def test_csv() -> None:
    """A row for each day and name, under columns that stay."""
    code, out, _ = run("report", *WEEK, "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert rows == [
        {
            "day": "2024-11-04",
            "by": "platform",
            "name": "x",
            "charged_seconds": "1500.0",
            "free_seconds": "0.0",
            "people": "2",
            "visits": "2",
            "ran_out": "1",
        },
        {
            "day": "2024-11-04",
            "by": "platform",
            "name": "youtube",
            "charged_seconds": "0.0",
            "free_seconds": "300.0",
            "people": "1",
            "visits": "1",
            "ran_out": "0",
        },
    ]


def test_html(folder: Path) -> None:
    """One file for its owner alone, in place of the one before; nothing is left beside it."""
    file = folder / "out" / "report.html"
    file.parent.mkdir()
    file.write_text("old")
    code, out, _ = run("report", *WEEK, "--html", str(file))
    assert (code, str(file) in out) == (0, True)
    assert file.read_text("utf-8").startswith("<!doctype html>")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]
    assert "cannot be written" in line(
        "report", *WEEK, "--html", str(folder / "none" / "report.html")
    )


def test_by_person_is_audited() -> None:
    """Names come only when asked for, and then there is a trace of who looked at what."""
    code, out, _ = run("report", *WEEK, "--by", "person", "--json")
    assert code == 0
    assert [group["name"] for group in json.loads(out)["groups"]] == ["ana", "bo"]
    with ledger() as opened:
        entries = [entry for entry in opened.audit_log() if entry.action == "report"]
    assert len(entries) == 1
    assert (entries[0].subject, entries[0].detail) == (
        "everybody",
        "by person, 2024-11-04 to 2024-11-10",
    )
    assert entries[0].actor.startswith("cli:")
    run("report", *WEEK, "--by", "role")
    with ledger() as opened:
        assert len([entry for entry in opened.audit_log() if entry.action == "report"]) == 1


def test_pseudonyms_stay_pseudonyms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No name comes out; roles are counted for people whom the people file names."""
    (tmp_path / "b").mkdir()
    office(tmp_path / "b", monkeypatch, more="privacy: {pseudonyms: true}")
    with ledger() as opened:
        opened.write_visits(VISITS)
        names = ledger_pseudonyms(
            opened, Path("var/pseudonym.key"), NINE
        )  # as the first start of the proxy does
        opened.mask_names(names.of, names.actor)
    code, out, error = run("report", *WEEK, "--by", "person", "--json")
    assert code == 0, error
    groups = [group["name"] for group in json.loads(out)["groups"]]
    assert all(name.startswith("p:") for name in groups)
    assert len(groups) == 2
    code, out, _ = run("report", *WEEK, "--by", "role", "--json")
    assert {group["name"] for group in json.loads(out)["groups"]} == {"care", "not known"}
    with ledger() as opened:
        (entry,) = [entry for entry in opened.audit_log() if entry.action == "report"]
    assert entry.actor.startswith("cli:p:")


def test_this_week_and_the_one_before() -> None:
    """Without an option it is this week; a visit of a minute ago is in it, or in the last one at
    its edge."""
    with ledger() as opened:
        opened.write_visits([used("ana", ago=60.0)])
    found = [
        json.loads(run("report", *words, "--json")[1])["people"]
        for words in ((), ("--week", "--last"))
    ]
    assert sum(found) >= 1
    month = json.loads(run("report", "--month", "--json")[1])
    assert month["from"].endswith("-01T00:00:00+00:00")


def test_nobody() -> None:
    """An empty time says so and what to do; it is not an error."""
    code, out, _ = run("report", "--from", "2023-01-02", "--to", "2023-01-03")
    assert code == 0
    assert "Nobody used a limited platform" in out
    assert "allowance doctor" in out
    assert (
        json.loads(run("report", "--from", "2023-01-02", "--to", "2023-01-02", "--json")[1])[
            "people"
        ]
        == 0
    )


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--from", "yesterday"), "is not a date"),
        (("--to", "2024-11-04"), "--from"),
        (("--from", "2024-11-05", "--to", "2024-11-04"), "before"),
        (("--from", "2999-01-01"), "not begun"),
    ],
)
def test_wrong_days(words: tuple[str, ...], part: str) -> None:
    """One line, exit code 1."""
    assert part in line("report", *words)


@pytest.mark.parametrize(
    "words",
    [
        ("--week", "--month"),
        ("--month", "--from", "2024-11-04"),
        ("--last", "--from", "2024-11-04"),
        ("--csv", "--json"),
        ("--by", "shoe"),
    ],
)
def test_wrong_use(words: tuple[str, ...]) -> None:
    """Options that contradict each other: exit code 2."""
    code, out, error = run("report", *words)
    assert (code, out) == (2, "")
    assert error
