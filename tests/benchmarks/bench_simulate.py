"""Requests a second of `allowance simulate`, from JSON lines to the result, on one core.

`python tests/benchmarks/bench_simulate.py [--profile]`. The budget is 30,000 requests a second of
processor time. Two logs are measured: an office log, where most requests go to sites that nobody
limits (as a proxy writes it), and the generated days alone, where every request is a platform's:
the worst that can come.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from proxy_addon.simulate import Replay
from proxy_addon.trace.reader import open_traces
from tests.traces.generate import generate
from tests.traces.ours import everything_spends

BUDGET = 30_000
OTHERS = 4  # requests to other sites for each one to a platform
KINDS = (
    "mixed",
    "feed",
    "coming-back",
    "video",
    "chat",
    "open-fat",
    "rotating-ads",
    "phone-app",
    "embeds",
)


def days() -> list[dict[str, Any]]:
    """One day of many people, in the order of time."""
    lines = []
    for number, kind in enumerate(KINDS * 2):
        day = generate(500 + number, kind)
        shift = 1_793_600_000.0 - day.start
        lines += [e | {"at": e["at"] + shift, "user": f"{e['user']}-{number}"} for e in day.events]
    return sorted(lines, key=lambda line: line["at"])


def office(lines: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The same day with what else goes through a proxy."""
    for number, line in enumerate(lines):
        yield line
        for i in range(OTHERS):
            yield {
                "at": line["at"],
                "user": line["user"],
                "method": "GET",
                "status": 200,
                "bytes": 12_000 + i,
                "url": f"https://cdn{number % 40}.shop{i}.example/asset/{number}.js",
                "headers": {},
                "content_type": "text/javascript",
                "duration": 0.1,
            }


def measure(path: Path) -> tuple[int, float]:
    """Events and seconds of processor time."""
    replay = Replay(everything_spends())
    begun, count = time.process_time(), 0
    for event in open_traces([path]):
        replay.feed(event)
        count += 1
    replay.finish()
    return count, time.process_time() - begun


def main() -> None:
    """Print both rates."""
    lines = days()
    with tempfile.TemporaryDirectory() as folder:
        for name, found in (("office log", office(lines)), ("platforms only", iter(lines))):
            path = Path(folder) / "trace.jsonl"
            with path.open("w") as file:
                file.writelines(json.dumps(line) + "\n" for line in found)
            profile = cProfile.Profile() if "--profile" in sys.argv else None
            if profile is not None:
                profile.enable()
            count, seconds = measure(path)
            if profile is not None:
                profile.disable()
                pstats.Stats(profile).sort_stats("tottime").print_stats(25)
            rate = count / seconds
            print(f"{name:16} {count:9,} requests  {rate:9,.0f} a second  (budget {BUDGET:,})")


if __name__ == "__main__":
    main()
