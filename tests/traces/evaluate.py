"""How far a meter is from the truth: `python -m tests.traces.evaluate --seeds 100-171`."""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from tests.traces.baselines import Charger
from tests.traces.day import MORE_SCENARIOS, QUIET, SCENARIOS, Times, common, length
from tests.traces.generate import STYLES, generate, scenarios_of


@dataclass(frozen=True, slots=True)
class Score:
    """One day. Seconds, summed over users and platforms.

    `error` compares totals for each user and platform; `missed` and `extra` compare the spans
    themselves.
    """

    scenario: str
    seed: int
    hours: float
    events: int
    true: float
    charged: float
    error: float
    missed: float
    extra: float

    @property
    def relative(self) -> float:
        """Error as a share of the true time; without any true time, of ten minutes."""
        return self.error / (self.true or 600.0)


def charger(name: str) -> Charger:
    """The meter that `module:function` names."""
    module, _, function = name.partition(":")
    found: Charger = getattr(importlib.import_module(module), function)
    return found


def score(seed: int, scenario: str, meter: str, style: str | None = None) -> Score:
    """Make a day, charge it, compare."""
    day = generate(seed, scenario, style)
    return compare(
        day.truth,
        charger(meter)(day.events),
        scenario,
        seed,
        (day.end - day.start) / 3600,
        len(day.events),
    )


def compare(
    truth: Times, charged: Times, scenario: str, seed: int, hours: float, events: int
) -> Score:
    """Totals and spans of both, over every user and platform that either knows."""
    total: dict[str, float] = defaultdict(float)
    for user in sorted(truth.keys() | charged.keys()):
        for platform in sorted(truth.get(user, {}).keys() | charged.get(user, {}).keys()):
            real = truth.get(user, {}).get(platform, [])
            paid = charged.get(user, {}).get(platform, [])
            both = common(real, paid)
            total["true"] += length(real)
            total["charged"] += length(paid)
            total["error"] += abs(length(real) - length(paid))
            total["missed"] += length(real) - both
            total["extra"] += length(paid) - both
    names = ("true", "charged", "error", "missed", "extra")
    return Score(scenario, seed, hours, events, *(total[name] for name in names))


def summary(scores: Sequence[Score]) -> dict[str, Any]:
    """The figures that count. `error` is sum |charged - true| / sum true, None where nobody was
    there."""
    true = sum(s.true for s in scores)
    relative = sorted(s.relative for s in scores)
    hours = sum(s.hours for s in scores)
    return {
        "days": len(scores),
        "events": sum(s.events for s in scores),
        "true_minutes": true / 60,
        "charged_minutes": sum(s.charged for s in scores) / 60,
        "error": sum(s.error for s in scores) / true if true else None,
        "misplaced": sum(s.missed + s.extra for s in scores) / true if true else None,
        "median": statistics.median(relative),
        "p90": relative[min(len(relative) - 1, int(0.9 * len(relative)))],
        "extra_minutes_per_8h": sum(s.extra for s in scores) / 60 / hours * 8,
    }


def evaluate(
    seeds: Iterable[int],
    scenarios: Sequence[str],
    meter: str,
    jobs: int = 1,
    style: str | None = None,
) -> list[Score]:
    """Every scenario on every seed."""
    work = [(seed, scenario, meter, style) for scenario in scenarios for seed in seeds]
    if jobs <= 1:
        return [score(*item) for item in work]
    with ProcessPoolExecutor(jobs) as pool:
        return list(pool.map(score, *zip(*work, strict=True), chunksize=4))


def report(scores: Sequence[Score]) -> dict[str, Any]:
    """By scenario, overall, and the quiet scenarios by themselves."""
    by_scenario: dict[str, list[Score]] = defaultdict(list)
    for each in scores:
        by_scenario[each.scenario].append(each)
    quiet = {
        name: summary(by_scenario[name])["extra_minutes_per_8h"]
        for name in QUIET
        if name in by_scenario
    }
    return {
        "overall": summary(scores),
        "scenarios": {name: summary(found) for name, found in by_scenario.items()},
        "quiet_extra_minutes_per_8h": quiet,
    }


def above(figures: dict[str, Any], bound: float) -> list[str]:
    """The scenarios whose error is above a bound, in percent, each with its error. Where nobody was
    there, the share is that of ten minutes a day, as in `Score.relative`."""
    shares = {name: share_of(row) for name, row in figures["scenarios"].items()}
    return [f"{name} {share:.1%}" for name, share in shares.items() if 100 * share > bound]


def share_of(row: dict[str, Any]) -> float:
    """The error of a row of figures."""
    if row["error"] is not None:
        return float(row["error"])
    return float(row["charged_minutes"]) / (10 * row["days"])


def seeds_of(text: str) -> list[int]:
    """`100-171` or `3,5,8` or both."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found.extend(range(int(first), int(last or first) + 1))
    return found


def _share(value: float | None) -> str:
    return "      -" if value is None else f"{100 * value:6.1f}%"


def _print(figures: dict[str, Any]) -> None:
    print(
        f"{'scenario':14} {'days':>4} {'true':>8} {'charged':>8} {'error':>7} {'placed':>7} "
        f"{'median':>7} {'p90':>7} extra/8h"
    )
    for name, row in [*figures["scenarios"].items(), ("OVERALL", figures["overall"])]:
        print(
            f"{name:14} {row['days']:4d} {row['true_minutes']:7.0f}m {row['charged_minutes']:7.0f}m "
            f"{_share(row['error'])} {_share(row['misplaced'])} {_share(row['median'])} {_share(row['p90'])} "
            f"{row['extra_minutes_per_8h']:7.2f}m"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: 1 where a scenario is above `--bound`."""
    parser = argparse.ArgumentParser(prog="python -m tests.traces.evaluate", description=__doc__)
    parser.add_argument("--seeds", default="100-171", type=seeds_of)
    parser.add_argument(
        "--scenario",
        action="append",
        choices=(*SCENARIOS, *MORE_SCENARIOS),
        help="repeatable; all that the style has without it",
    )
    parser.add_argument("--meter", default="tests.traces.engine:charge", help="module:function")
    parser.add_argument(
        "--style", choices=tuple(STYLES), help="one generator only; c and d were never tuned on"
    )
    parser.add_argument("--jobs", default=1, type=int)
    parser.add_argument("--json", action="store_true", help="figures, and every day, as JSON")
    parser.add_argument(
        "--worst", default=0, type=int, help="also list the days with the largest error"
    )
    parser.add_argument(
        "--bound", type=float, help="percent: exit 1, and name the scenarios with a larger error"
    )
    options = parser.parse_args(arguments)
    scenarios = options.scenario or scenarios_of(options.style)
    scores = evaluate(options.seeds, scenarios, options.meter, options.jobs, options.style)
    figures = report(scores)
    if options.json:
        print(json.dumps(figures | {"days": [asdict(s) for s in scores]}, indent=1))
    else:
        _print(figures)
        for each in sorted(scores, key=lambda s: -s.error)[: options.worst]:
            print(
                f"{each.scenario:14} seed {each.seed}: true {each.true:.0f} s, charged {each.charged:.0f} s"
            )
    found = [] if options.bound is None else above(figures, options.bound)
    if found:
        print(f"above {options.bound:g} %: {', '.join(found)}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
