"""A week of memory in an hour: `python -m tests.benchmarks.week_of_memory [--minutes 60]`.

People come and go through a real proxy whose wall clock runs so fast that the hour is a week: half
of them over HTTP/2, half over HTTP/1.1, all decrypted, each minute another third of them. Every
five minutes the rules change and are read again. What the process holds is printed each minute, and
at the end whether it was flat after the first quarter. Part of `make memory`.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from proxy_addon.system.clock import readings
from tests.benchmarks.load import contestants
from tests.benchmarks.load.client import ClientError, LoadClient, finished
from tests.benchmarks.load.site import LIMITED, PAGE, SMALL, Site, nginx, running_site
from tests.benchmarks.proxies import ROOT, Proxy

WEEK = 7 * 86_400.0
WARM = 0.25  # of the time, after which it has to be flat
GROWTH = 0.05  # of what it holds then, from the second quarter to the last
RELOAD_MINUTES = 5
FAST = ROOT / "tests" / "e2e" / "fast_time"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line each minute, and the verdict; 1 when it grows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--pause", type=float, default=500.0, help="ms between two requests of one")
    given = parser.parse_args(arguments)
    if nginx() is None:
        print("skipped: nginx is missing")
        return 0
    with tempfile.TemporaryDirectory(prefix="allowance-memory-") as name:
        folder = Path(name)
        (folder / "site").mkdir()
        with running_site(folder / "site", 8 * given.people + 500) as site:
            client = LoadClient(folder, site.port)
            proxy = _proxy(folder / "proxy", site, given.people, WEEK / (given.minutes * 60))
            with contestants.started(proxy):
                print(f"start      {resident(proxy.pid):6.1f} MB", flush=True)
                held = list(_minutes(proxy, client, given))
    text, is_flat = verdict(held)
    print(text)
    return 0 if is_flat else 1


def verdict(held: Sequence[float]) -> tuple[str, bool]:
    """What to say of the MB held at the end of each minute, and whether they are flat."""
    if len(held) < 4:
        return "too short to tell", True
    quarter = max(1, round(len(held) * WARM))
    then, now = max(held[quarter : 2 * quarter]), max(held[-quarter:])
    is_flat = now <= then * (1.0 + GROWTH)
    word = "flat" if is_flat else "GROWS"
    return (
        f"{word}: at most {then:.1f} MB in the second quarter, {now:.1f} MB in the last"
    ), is_flat


def resident(pid: int) -> float:
    """MB of memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _proxy(folder: Path, site: Site, people: int, speed: float) -> Proxy:
    proxy = contestants.ours(folder, site, people=people)
    proxy.environment |= {
        "PYTHONPATH": os.pathsep.join((str(FAST), str(ROOT))),
        "FAST_SPEED": str(speed),
        "FAST_SINCE": str(readings()[0]),
    }
    return proxy


def _minutes(proxy: Proxy, client: LoadClient, given: argparse.Namespace) -> Iterator[float]:
    """The MB held at the end of each minute."""
    at_once = max(2, given.people * 2 // 3)
    for minute in range(1, given.minutes + 1):
        began, requests, errors, problem = time.monotonic(), 0, 0, ""
        options = {"host": LIMITED, "people": given.people, "pause": given.pause, "seconds": 55}
        running = [
            client.start(
                proxy.port, mode=mode, path=path, pages=pages, connections=at_once // 2, **options
            )
            for mode, path, pages in (("h2", SMALL, 0), ("keep", PAGE, 1))
        ]
        for process in running:
            try:
                load = finished(process)
            except ClientError as error:
                errors, problem = errors + 1, str(error)
                continue
            requests, errors = requests + load.requests, errors + load.errors
            problem = load.problem or problem
        if minute % RELOAD_MINUTES == 0:
            _change_rules(proxy, minute)
        time.sleep(max(0.0, began + 60.0 - time.monotonic()))
        held = resident(proxy.pid)
        said = f"{errors} errors, the last: {problem}" if errors else "no error"
        print(f"minute {minute:3} {held:6.1f} MB  {requests} requests, {said}", flush=True)
        yield held


def _change_rules(proxy: Proxy, minute: int) -> None:
    policy = proxy.folder / "rules" / "policy.yaml"
    policy.write_text(policy.read_text() + f"# minute {minute}\n")
    address = f"http://127.0.0.1:{proxy.web_port}/api/reload"
    with (
        suppress(OSError),
        urllib.request.urlopen(urllib.request.Request(address, method="POST"), timeout=30),
    ):
        pass


if __name__ == "__main__":
    sys.exit(main())
