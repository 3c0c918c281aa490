"""Twin of proxy_addon/cli/simulate_tables.py: times as people read them, names that cannot break
the table."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from proxy_addon.cli.simulate_tables import clock_of, print_result
from proxy_addon.core.types import Visit
from proxy_addon.simulate import Result


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "0:00:00"), (59.6, "0:01:00"), (3_725.0, "1:02:05"), (90_000.0, "25:00:00")],
)
def test_clock_of(seconds: float, words: str) -> None:
    """Hours, minutes and seconds, rounded; a day and more is counted in hours."""
    assert clock_of(seconds) == words


def test_names_are_shown_as_they_are() -> None:
    """A name that looks like markup is printed, not obeyed."""
    result = Result()
    result.of("[red]bo[/red]").visits["1"] = Visit("1", "bo", "x", None, None, None, 0.0, 60.0, "n")
    console = Console(record=True, width=120)
    print_result(console, result, ZoneInfo("UTC"), hours=True)
    assert console.export_text().count("[red]bo[/red]") == 2
