"""`proxy_addon/report/spreadsheet.py`: tables for spreadsheets."""

from __future__ import annotations

import csv
import io

import pytest

from proxy_addon.report.spreadsheet import cell, written


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", " =1", "\n=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    """What a spreadsheet would compute begins with an apostrophe, as text does there."""
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "dora", "p:abc", "a=b", "a@brand.example", "3.1", "É +"])
def test_other_text_stays(text: str) -> None:
    """Everything else is written as it is."""
    assert cell(text) == text


def test_a_table() -> None:
    """Headings, rows, and whatever needs quotes."""
    text = written(("name", "why"), [("dora", "a, b"), ('"x"\ny', "=1")])
    assert text.startswith("name,why\ndora,")
    assert list(csv.reader(io.StringIO(text))) == [
        ["name", "why"],
        ["dora", "a, b"],
        ['"x"\ny', "'=1"],
    ]
