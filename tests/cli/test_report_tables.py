"""`proxy_addon/cli/report_tables.py`: a report in a terminal."""

from __future__ import annotations

import io

from rich.console import Console

from proxy_addon.cli.report_tables import clock, print_report
from proxy_addon.ledger.interface import PlainVisit
from tests.core.policies import at
from tests.report.scene import DAILY, LUNCH, RULE, made, observing, office


def shown(report, by: str = "platform", width: int = 140) -> str:
    """What is printed."""
    console = Console(file=io.StringIO(), width=width)
    print_report(console, report, by)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_sums() -> None:
    """By day, by group, by hour, by allowance."""
    text = shown(office(), "role")
    for words in (
        "By day",
        "By role",
        "By hour of the week",
        "By allowance",
        "staff",
        "15 minutes per day",
    ):
        assert words in text, words
    assert "3 people, 40 min charged and 40 min free in 6 visits" in text
    assert "Only observed" not in text
    monday = next(line for line in text.splitlines() if "Mon 02 Nov" in line)
    assert [cell.strip() for cell in monday.split("│")[2:-1]] == [
        "35 min",
        "30 min",
        "3",
        "5",
        "1",
        "10 min",
    ]


def test_estimated_free_time() -> None:
    """It is named beside the free time that it is a part of."""
    lunch = PlainVisit("dora", "x", None, LUNCH, at("12:10"), at("12:20"), estimated=True)
    assert "- charged and 10 min free (10 min of it estimated) in 1 visit;" in shown(made(lunch))


def test_observed() -> None:
    """What rules that stop nobody would have stopped."""
    text = shown(
        made(PlainVisit("dora", "x", DAILY, RULE, at("09:00"), at("09:40")), rules=observing())
    )
    assert "Only observed" in text
    assert "daily-social (observed)" in text
    assert "25 min" in text


def test_once() -> None:
    """One time is not a "1 times"."""
    text = shown(made(PlainVisit("dora", "x", DAILY, RULE, at("09:00"), at("09:15"))))
    assert "an allowance ran out once." in text


def test_a_person_is_text() -> None:
    """Square brackets in a name are not markup."""
    visit = PlainVisit("[bold]ana", "[red]x", DAILY, RULE, at("09:00"), at("09:10"))
    report = made(visit, by_person=True)
    assert "[bold]ana" in shown(report, "person")
    assert "[red]x" in shown(report)


def test_clock() -> None:
    """Short forms."""
    assert [clock(n) for n in (0, 10, 60, 3900)] == ["-", "<1 min", "1 min", "1 h 05"]


def test_a_terminal_of_80_columns() -> None:
    """No heading and no name is broken there; what was granted stands in a table of its own, where
    there is any."""
    text = shown(office(), "role", width=80)
    for words in ("daily-social", "Ran out", "of people", "Grants and time", "Over the limit"):
        assert words in text, words
    assert max(map(len, text.splitlines())) <= 80
    plain = made(PlainVisit("dora", "x", DAILY, RULE, at("09:00"), at("09:05")))
    assert "Over the limit" not in shown(plain)
