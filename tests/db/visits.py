"""Visits that are read back from a ledger."""

from __future__ import annotations

from dataclasses import replace

from proxy_addon.core.types import Visit

START = 1_793_610_000.0


def visit(number: int = 1, **changes: object) -> Visit:
    """A visit of ten seconds; `number` moves it and gives it its id."""
    start = START + number * 60
    made = Visit(f"v{number}", "ana", "x", None, "daily", "Fifteen", start, start + 10.0, "a")
    return replace(made, **changes)
