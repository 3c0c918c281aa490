"""`proxy_addon/report/totals.py`: sums."""

from __future__ import annotations

from proxy_addon.report.totals import Sum, Table


def test_largest_first() -> None:
    """By time, then by name."""
    table = Table()
    for name, charged, free in (("a", 1.0, 0.0), ("c", 2.0, 3.0), ("b", 0.0, 1.0)):
        table.rows[name].charged, table.rows[name].free = charged, free
    assert [name for name, _ in table.largest_first()] == ["c", "a", "b"]
    assert Sum(1.0, 2.0).seconds == 3.0
