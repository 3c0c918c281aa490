"""The short form of `bench_crowd.py`, on a real proxy."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

import pytest

from tests.benchmarks.bench_crowd import Pages, Steps, measured
from tests.benchmarks.load.client import can_compile
from tests.benchmarks.load.site import FREE, LIMITED, nginx

PROMISED = 0.5  # seconds for an ordinary page
SLACK = 10  # times what it takes alone, on a machine that is slower


@pytest.mark.long
@pytest.mark.timeout(200)
def test_somebody_in_a_crowd() -> None:
    """While a hundred people load a limited platform as fast as they can, somebody's ordinary pages
    come at once, and limited ones come; the crowd itself is served without an error."""
    with tempfile.TemporaryDirectory() as folder:
        if nginx() is None or not can_compile(Path(folder)):
            pytest.skip("nginx, a compiler or OpenSSL's headers are missing")
    quiet, crowded, loads = measured(100, 15.0)
    most = max(PROMISED, SLACK * median(sum(each) for each in quiet[FREE].steps))
    assert crowded[FREE].failed == crowded[LIMITED].failed == []
    assert median(sum(each) for each in crowded[FREE].steps) < most
    assert len(crowded[LIMITED].steps) > 2
    assert [each.endswith(" 0 errors") for each in loads] == [True, True]


def test_a_row() -> None:
    """A row has the median of each step, of the page, its slowest, and how many failed."""
    pages = Pages([Steps(0.1, 0.2, 0.3), Steps(0.3, 0.2, 0.7)], ["no page"])
    assert pages.line("x").split() == ["x", "0.200", "0.200", "0.500", "0.900", "/", "1.200", "1"]
    assert "no page came" in Pages([], ["reset"]).line("x")
