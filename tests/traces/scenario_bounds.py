"""How far the meter may be from the truth on a few fixed days, scenario by scenario:
`scenario_bounds.toml`, written by `python -m tests.traces.scenario_bounds`.

A good average hides a bad scenario. The days are those of `SEEDS`, so that CI needs less than a
minute; figures of many days are in docs/metering.md.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.traces.evaluate import evaluate, report, share_of
from tests.traces.generate import scenarios_of

TABLE = Path(__file__).with_name("scenario_bounds.toml")
METER = "tests.traces.engine:charge"
MARGIN = 0.02
# The first two generators, and the two that nothing was tuned on, with the seeds of each.
SEEDS: Mapping[str, tuple[str | None, tuple[int, ...]]] = {
    "ab": (None, (7, 8)),
    "c": ("c", (7,)),
    "d": ("d", (7,)),
}


def shares(name: str) -> dict[str, float]:
    """The error of each scenario on the days of one generator."""
    style, seeds = SEEDS[name]
    figures = report(evaluate(seeds, scenarios_of(style), METER, style=style))
    return {scenario: share_of(row) for scenario, row in figures["scenarios"].items()}


def load() -> dict[str, dict[str, float]]:
    """The bounds in force, by generator and scenario."""
    found: dict[str, dict[str, float]] = tomllib.loads(TABLE.read_text("utf-8"))
    return found


def lines(measured: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """The table as text: what is measured, with a margin, up to a whole percent."""
    yield "# How far the meter may be from the truth, as a share of it: see scenario_bounds.py."
    for name, found in measured.items():
        yield ""
        yield f"[{name}]"
        for scenario, share in found.items():
            yield f"{scenario} = {math.ceil(round((share + MARGIN) * 100, 6)) / 100:.2f}"


def main() -> None:
    """Measure, and write the table."""
    TABLE.write_text("\n".join(lines({name: shares(name) for name in SEEDS})) + "\n", "utf-8")


if __name__ == "__main__":
    main()
