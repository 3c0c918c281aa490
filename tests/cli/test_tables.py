"""Twin of proxy_addon/cli/tables.py."""

from __future__ import annotations

import ast
import io
from pathlib import Path

import pytest
from rich.console import Console

import proxy_addon.cli
from proxy_addon.cli.tables import PlainConsole, PlainTable, numbers, whole

LONG = "customer-support-in-the-afternoon"


def shown(table: PlainTable, width: int) -> list[str]:
    """The lines that are printed."""
    console = Console(file=io.StringIO(), width=width)
    console.print(table)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [30, 40, 60, 80])
def test_nothing_is_cut_short(width: int) -> None:
    """However narrow the terminal is, each letter of each cell is there, and no line is wider than
    the terminal."""
    table = PlainTable(whole("Allowance"), "Who", numbers("Time"))
    table.add(LONG, "maria.fernandez@sales.example", "1 h 05")
    lines = shown(table, width)
    assert "…" not in "".join(lines)
    assert max(map(len, lines)) <= width
    columns = zip(*(line.split("│")[1:-1] for line in lines if "│" in line), strict=True)
    assert [("".join(parts)).replace(" ", "") for parts in columns] == [
        LONG,
        "maria.fernandez@sales.example",
        "1h05",
    ]


def test_a_name_to_be_copied_stays_whole() -> None:
    """Other columns get narrower before the name does."""
    table = PlainTable(whole("Allowance"), "Why")
    table.add(LONG, "because " * 40)
    assert any(LONG in line for line in shown(table, 60))


@pytest.mark.parametrize("text", ["[bold]", "[/bold]", "[/]", "[link=http://x/]y", "\\[", "[red"])
def test_cells_are_plain_text(text: str) -> None:
    """What looks like markup of the library is printed as it was written, and is never an error."""
    table = PlainTable("Why")
    table.add(text)
    assert any(text in line for line in shown(table, 40))


def test_a_control_character_does_not_reach_the_terminal() -> None:
    """An escape sequence in somebody's words is shown, not obeyed; a line feed begins a line."""
    table = PlainTable("Why")
    table.add("a\x1b[2Jb\nsecond")
    lines = shown(table, 40)
    assert any("a�[2Jb" in line for line in lines)
    assert any("second" in line and "a" not in line for line in lines)


def test_every_command_uses_these_tables() -> None:
    """No other module makes a table of the library, but the doctor's, which has coloured cells."""
    folder = Path(proxy_addon.cli.__file__).parent
    makers = {
        path.name
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "rich.table"
    }
    assert makers == {"tables.py", "doctor.py"}


def test_a_pipe_is_as_wide_as_it_has_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal names stand whole in one line, unless `COLUMNS` sets a width; then they go
    on in the next line, and two names never become the same."""
    names = [f"{'theodora.' * 12}{end}" for end in ("smith", "smart")]
    for columns in (None, "40"):
        if columns is None:
            monkeypatch.delenv("COLUMNS", raising=False)
        else:
            monkeypatch.setenv("COLUMNS", columns)
        console, table = PlainConsole(), PlainTable("User", "Used")
        for name in names:
            table.add(name, "1")
        with console.capture() as captured:
            console.print(table)
        text = captured.get()
        whole = all(name in text for name in names)
        assert whole is (columns is None)
        assert "…" not in text
