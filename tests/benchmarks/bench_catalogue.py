"""What telling a platform, a section and an embed costs, with the whole shipped catalogue.

Run it: `python tests/benchmarks/bench_catalogue.py [--json]`. Exit code 1 when a budget is missed.

Every address of `tests/rules/platforms.txt` is asked about, and the dearest one is judged, not an
average: hot (the host was seen before), cold (it was not). Addresses whose path needs decoding are
shown apart and not judged: browsers do not send them. Times are CPU time, for nothing here waits,
the best of several rounds.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from proxy_addon.core.catalogue import Catalogue
from proxy_addon.core.ruleset import Platform
from proxy_addon.rules.folder import load

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "tests" / "rules" / "platforms.txt"
ROUNDS = 20
BUDGETS = {"hot": 3.0, "cold": 10.0}  # microseconds a call, of the dearest address


def shipped() -> dict[str, Platform]:
    """The shipped platforms, read beside the smallest policy there is."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "policy.yaml").write_text("version: 1\ntimezone: UTC\nrules: []\n")
        shutil.copytree(ROOT / "rules" / "platforms", folder / "platforms")
        return dict(load(folder).platforms)


def microseconds(run: Callable[[], object], calls: int) -> float:
    """The CPU time of one call."""
    started = time.process_time()
    for _ in range(calls):
        run()
    return (time.process_time() - started) / calls * 1e6


def measure() -> dict[str, list[tuple[float, str]]]:
    """(microseconds, address) by kind, the dearest first.

    All addresses take turns in each round, so that a busy moment of the machine spoils one round of
    some addresses and not all rounds of one.
    """
    known = Catalogue(shipped())
    urls = [line.split()[0] for line in TABLE.read_text().splitlines() if not line.startswith("#")]
    best: dict[tuple[str, str], float] = {}
    for _ in range(ROUNDS):
        for url in urls:
            parts = urlsplit(url)
            host, path = parts.netloc, f"{parts.path}?{parts.query}" if parts.query else parts.path

            def first_seen(host: str = host, path: str = path) -> None:
                # another spelling of the host would be dearer, and measure itself
                known._place.cache_clear()
                known.lookup(host, path)

            cold = microseconds(first_seen, 30)
            hot = microseconds(lambda h=host, p=path: known.lookup(h, p), 200)
            kind = "disguised" if "%" in parts.path or "//" in parts.path else "hot"
            for key, us in (((kind, url), hot), (("cold", url), cold)):
                best[key] = min(best.get(key, us), us)
    kinds = ("hot", "cold", "disguised")
    return {
        kind: sorted(((us, u) for (k, u), us in best.items() if k == kind), reverse=True)
        for kind in kinds
    }


def main() -> int:
    """Print the table, or JSON with `--json`."""
    found = measure()
    figures = {
        kind: {
            "dearest_us": round(times[0][0], 2),
            "median_us": round(median(us for us, _ in times), 2),
        }
        for kind, times in found.items()
    }
    if "--json" in sys.argv[1:]:
        print(json.dumps(figures))
    else:
        for kind, times in found.items():
            print(
                f"{kind:10} {len(times):4} addresses, microseconds: {figures[kind]}, dearest {times[0][1]}"
            )
    return int(any(found[kind][0][0] > budget for kind, budget in BUDGETS.items()))


if __name__ == "__main__":
    sys.exit(main())
