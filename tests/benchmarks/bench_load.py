"""What traffic costs through the proxy, beside mitmdump and Squid, all loaded at once by a client
in C: `python tests/benchmarks/bench_load.py [--short] [--strict] [--against CHECKOUT]`.

The main figure is the CPU time of the proxy's processes for a unit of work, and how many times
cheaper it is than that of a reference in the same run: absolute figures mean nothing on a machine
that is shared. Each round is shown; a budget is compared with the middle of the rounds.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.load import contestants, frozen, office_day, rows, tunnels
from tests.benchmarks.load.client import LoadClient, can_compile
from tests.benchmarks.load.contestants import BARE, IGNORING, OURS, SQUID, SQUID_BUMP, started
from tests.benchmarks.load.report import Result, missed, table
from tests.benchmarks.load.site import Site, nginx, running_site
from tests.benchmarks.proxies import Proxy

PARTS = ("rows", "tunnels", "day", "frozen")


class Extent(NamedTuple):
    """How much is measured. Times in seconds."""

    rounds: int = 3
    each: float = 5.0
    idle: float = 5.0
    tunnels: int = 5_000
    people: int = 1_000
    day: float = 60.0
    freeze: float = 3.0
    waits_for_lunch: bool = True


SHORT = Extent(1, 0.3, 0.3, tunnels=100, people=50, day=2.0, freeze=0.5, waits_for_lunch=False)


def unavailable(folder: Path) -> str:
    """Why nothing can be measured here; "" when it can."""
    if sys.platform != "linux":
        return "CPU time of other processes is read from Linux"
    if nginx() is None:
        return "nginx is missing"
    return (
        "" if can_compile(folder) else "a C compiler or OpenSSL's headers (libssl-dev) are missing"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the table; 1 with `--strict` when a budget is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="a trial in about a minute")
    parser.add_argument("--strict", action="store_true", help="end with 1 when a budget is missed")
    parser.add_argument(
        "--against", type=Path, help="a checkout: today's product of the office day"
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--rows", default="", help="only rows whose name has these letters in it")
    given = parser.parse_args(arguments)
    if given.against and not contestants.python_of(given.against).exists():
        parser.error(f"--against: {given.against} has no .venv; make it there")
    extent = SHORT if given.short else Extent()
    descriptors = _all_descriptors()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="allowance-load-") as name:
        folder = Path(name)
        if problem := unavailable(folder):
            print(f"skipped: {problem}")
            return 0
        (folder / "site").mkdir()
        with running_site(folder / "site", descriptors) as site:
            client = LoadClient(folder, site.port)
            results = list(_measured(folder, site, client, extent, given, descriptors))
    print(f"{time.monotonic() - began:.0f} s in all\n\n{table(results)}")
    return 1 if given.strict and missed(results) else 0


def _measured(
    folder: Path,
    site: Site,
    client: LoadClient,
    extent: Extent,
    given: argparse.Namespace,
    descriptors: int,
) -> Sequence[Result]:
    results: list[Result] = []
    if not contestants.has_squid():
        print("Squid is not compared: squid-openssl is missing")
    if "rows" in given.parts:
        everybody = _contestants(folder / "rows", site, descriptors)
        with started(*everybody.values()):
            results += _rows(everybody, client, extent, given.rows)
    if "tunnels" in given.parts:
        print("idle tunnels", flush=True)
        # Processes of their own: memory that was used before would be used again, and seem free.
        everybody = _contestants(folder / "tunnels", site, descriptors)
        relaying = {name: everybody[name] for name in rows.RELAYED if name in everybody}
        with started(*relaying.values()):
            most = min(extent.tunnels, (descriptors - 500) // 3)
            results.append(tunnels.measure(relaying, client, most, extent.idle))
    if "day" in given.parts:
        print("office day", flush=True)
        results.append(
            office_day.measure(
                *(folder / "day", site, client, extent.people, extent.day, given.against),
                waits=extent.waits_for_lunch,
            )
        )
    if "frozen" in given.parts:
        print("frozen", flush=True)
        rounds, seconds = extent.rounds, extent.freeze
        results += frozen.measure(folder, site, client, rounds, seconds)
        results.append(frozen.stopped_postgres(folder, site, client, rounds, seconds))
    return results


def _rows(
    everybody: dict[str, Proxy], client: LoadClient, extent: Extent, wanted: str
) -> list[Result]:
    idle = rows.idle_shares(everybody, extent.idle)
    found = []
    for row in rows.ROWS:
        if wanted in row.name:
            print(row.name, flush=True)
            found.append(rows.measure(row, everybody, client, idle, extent.rounds, extent.each))
    return found


def _contestants(folder: Path, site: Site, descriptors: int) -> dict[str, Proxy]:
    found = {
        OURS: contestants.ours(folder / "ours", site),
        BARE: contestants.mitmdump(folder / "bare", site),
        IGNORING: contestants.mitmdump(folder / "ignoring", site, ignore=".*"),
    }
    if not contestants.has_squid():
        return found
    found[SQUID_BUMP] = contestants.squid(folder / "bump", site, descriptors, bump=True)
    found[SQUID] = contestants.squid(folder / "squid", site, descriptors, bump=False)
    return found


def _checkout(text: str) -> Path:
    return Path(text).resolve()


def _all_descriptors() -> int:
    """Allow this process, and those that it starts, as many open files as the system lets it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    usable = most if most != resource.RLIM_INFINITY else 65_536
    resource.setrlimit(resource.RLIMIT_NOFILE, (usable, most))
    return min(usable, 65_536)


if __name__ == "__main__":
    sys.exit(main())
