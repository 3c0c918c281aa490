"""The table of docs/metering.md: `python -m tests.traces.table figures.json`, as `evaluate --json`
printed them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def lines(figures: dict[str, Any]) -> list[str]:
    """Markdown, one row a scenario and one for all."""
    rows = [
        "| scenario | days | true | charged | error | median | 90th | outside, per 8 h |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, row in figures["scenarios"].items():
        rows.append(f"| {name} {_cells(row)}")
    rows.append(f"| **all** {_cells(figures['overall'])}")
    return rows


def _cells(row: dict[str, Any]) -> str:
    error = "none true" if row["error"] is None else f"{row['error']:.1%}"
    return (
        f"| {row['days']:,} | {row['true_minutes']:,.0f} m | {row['charged_minutes']:,.0f} m | {error} "
        f"| {row['median']:.1%} | {row['p90']:.1%} | {row['extra_minutes_per_8h']:.2f} m |"
    )


if __name__ == "__main__":
    print("\n".join(lines(json.loads(Path(sys.argv[1]).read_text()))))
