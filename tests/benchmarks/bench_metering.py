"""How far the charge is from the truth, on days made by generators:
`python tests/benchmarks/bench_metering.py`.

`SEEDS=100-171` in the environment gives the whole table of docs/metering.md (minutes); a few seeds
without it.
"""

from __future__ import annotations

import os

from tests.traces.day import SCENARIOS
from tests.traces.evaluate import _print, evaluate, report, seeds_of

METER = "tests.traces.ours:charge"


def main() -> None:
    """Print the table."""
    seeds = seeds_of(os.environ.get("SEEDS", "100-105"))
    _print(report(evaluate(seeds, SCENARIOS, METER, jobs=os.cpu_count() or 1)))


if __name__ == "__main__":
    main()
