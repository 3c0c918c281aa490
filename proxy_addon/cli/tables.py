"""Tables and lines for the terminal: nothing is cut short, and text is plain, whoever wrote it."""

from __future__ import annotations

import os
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Column, Table
from rich.text import Text

from proxy_addon.core.text import printable

_NARROWEST = 5  # characters that a name to be copied has to leave to each other column
_ANY_WIDTH = 10_000  # of a pipe or a file: nothing has to be broken there
_FRAME = 3  # a line and two blanks for each column


class PlainConsole(Console):
    """A console whose lines and titles are printed as they are: `:name:` is no emoji, and control
    characters, which could move the cursor of a terminal, are replaced. In a pipe or a file lines
    are as long as they have to be, unless `COLUMNS` says otherwise."""

    def __init__(self, *, stderr: bool = False, highlight: bool = True) -> None:
        super().__init__(stderr=stderr, highlight=highlight, emoji=False)
        if not self.is_terminal and "COLUMNS" not in os.environ:
            self._width = _ANY_WIDTH

    def render_str(self, text: str, **options: Any) -> Text:
        """Everything that is printed and is not a `Text` comes through here."""
        return super().render_str(printable(text, keep="\n"), **options)


class PlainTable(Table):
    """A table with a heading for each column, and cells without markup.

    A word that is longer than its column is wide goes on in the next line; the default of `rich`
    would end it with an ellipsis, and a name could not be copied. A cell may hold what an employee
    wrote, such as the reason of a request, so `[bold]` stays what it is, and a control character,
    which could move the cursor of a terminal, is replaced.
    """

    def __init__(self, *columns: str | Column, title: str = "", show_lines: bool = False) -> None:
        super().__init__(
            *(Column(c, overflow="fold") if isinstance(c, str) else c for c in columns),
            title=title or None,
            title_justify="left",
            title_style="bold",
            show_lines=show_lines,
        )
        self._longest = [0] * len(columns)

    def add(self, *cells: str) -> None:
        """Add a row."""
        self._longest = [max(pair) for pair in zip(self._longest, map(len, cells), strict=True)]
        self.add_row(*(Text(printable(cell, keep="\n")) for cell in cells))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """In a terminal that is too narrow for the names themselves, they are broken like
        everything else."""
        names = [column.no_wrap for column in self.columns]
        needed = sum(
            _FRAME + (longest if name else _NARROWEST)
            for name, longest in zip(names, self._longest, strict=True)
        )
        if needed >= options.max_width:
            for column in self.columns:
                column.no_wrap = False
        yield from super().__rich_console__(console, options)


def whole(heading: str) -> Column:
    """A column for names that people copy into their next command: other columns get narrower
    first."""
    return Column(heading, no_wrap=True, overflow="fold")


def numbers(heading: str) -> Column:
    """A column for numbers and times, on the right."""
    return Column(heading, justify="right", overflow="fold")
