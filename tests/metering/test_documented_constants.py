"""The constants that docs/metering.md names are those of the code."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/metering.md").read_text("utf-8")
ROWS = re.findall(r"^\| (`[A-Z].+?) \| (`[a-z_/]+\.py`.*?) \|", TEXT, re.MULTILINE)
UNITS = {"s": 1.0, "h": 3600.0, "bytes": 1.0, "": 1.0}


def test_the_table_of_constants_is_there() -> None:
    """A change of its form would leave nothing to compare."""
    assert len(ROWS) >= 12


@pytest.mark.parametrize(("constants", "files"), ROWS)
def test_constants_are_what_the_document_says(constants: str, files: str) -> None:
    """Each stands in a file that is named, with the number that is named."""
    named = [f if "/" in f else f"core/metering/{f}" for f in re.findall(r"`(.+?)\.py`", files)]
    modules = [importlib.import_module("proxy_addon." + f.replace("/", ".")) for f in named]
    for name, number, unit in re.findall(
        r"`([A-Z_]+)`(?: (\d[\d.e-]*(?:,\d{3})*) ?([a-z]*))?", constants
    ):
        found = [getattr(module, name) for module in modules if hasattr(module, name)]
        assert found, name
        if number:
            assert found == [float(number.replace(",", "")) * UNITS[unit]], name


def test_the_files_that_the_document_names_are_there() -> None:
    """Those with a folder of the product, that is."""
    named = re.findall(r"`((?:core|metering|proxy)/[a-z_/]+\.py)`", TEXT)
    assert named
    assert [name for name in named if not (ROOT / "proxy_addon" / name).is_file()] == []
