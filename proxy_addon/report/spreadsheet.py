"""Tables as CSV that people open in a spreadsheet: nothing in a cell is taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

# With these a cell begins to be a formula, or may after a program has cut blanks off.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def cell(text: str) -> str:
    """The text as a cell that stays text."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def written(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The whole table with its headings; lines end with a line feed."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(columns)
    table.writerows([cell(each) for each in row] for row in rows)
    return out.getvalue()
