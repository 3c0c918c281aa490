"""The rows in which proxies are loaded side by side: CPU time of their processes for a unit of
work."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.benchmarks.load.client import Load, LoadClient, finished
from tests.benchmarks.load.contestants import BARE, IGNORING, OURS, SQUID, SQUID_BUMP
from tests.benchmarks.load.processes import cpu_seconds
from tests.benchmarks.load.report import Result
from tests.benchmarks.load.site import FREE, LARGE, LIMITED, SMALL, TITLE
from tests.benchmarks.proxies import Proxy

SETTLE_SECONDS = 1.5  # after the start a process still has something to do
WARM_UP_SECONDS = 0.5  # at most, and no longer than a round


@dataclass(frozen=True)
class Row:
    """What is compared. The first of `contestants` is the reference; budgets are for `OURS`: how
    many times cheaper it has to be than the reference."""

    name: str
    mode: str
    host: str
    contestants: tuple[str, ...]
    must: float | None = None
    aim: float | None = None
    connections: int = 4
    path: str = SMALL

    @property
    def is_decrypted(self) -> bool:
        """Whether the proxy has to open the tunnels."""
        return self.host == LIMITED

    @property
    def unit(self) -> str:
        """Of what CPU time is given."""
        return "MB" if self.path == LARGE else "request"


OPENED, RELAYED = (BARE, OURS, SQUID_BUMP), (IGNORING, OURS, SQUID)
ROWS = (
    Row("new not-limited connections", "new", FREE, RELAYED, 4, 6),
    Row("relayed keep-alive", "keep", FREE, RELAYED, 3, 4.5, connections=16),
    Row("decrypted HTTP/1.1", "keep", LIMITED, OPENED, 1.5, 2.2, connections=16),
    Row("decrypted HTTP/2", "h2", LIMITED, OPENED[:2], 2, 3),
    Row("new decrypted connections", "new", LIMITED, OPENED, 1.35, 2),
    Row("large body, relayed", "keep", FREE, RELAYED, connections=2, path=LARGE),
    Row("large body, decrypted", "keep", LIMITED, OPENED, connections=1, path=LARGE),
)


@dataclass(frozen=True)
class Measured:
    """One proxy in one round: CPU seconds, without those that it takes when nothing happens."""

    load: Load
    cpu: float

    def each(self, row: Row) -> float:
        """Microseconds of CPU for a unit of work."""
        work = self.load.bytes / 1e6 if row.path == LARGE else self.load.requests
        return self.cpu / work * 1e6


def idle_shares(several: Mapping[str, Proxy], seconds: float) -> dict[str, float]:
    """CPU seconds a second of proxies that have nothing to do."""
    time.sleep(SETTLE_SECONDS)
    before = {name: cpu_seconds(proxy.pid) for name, proxy in several.items()}
    time.sleep(seconds)
    return {
        name: (cpu_seconds(proxy.pid) - before[name]) / seconds for name, proxy in several.items()
    }


def measure(
    row: Row,
    running: Mapping[str, Proxy],
    client: LoadClient,
    idle: Mapping[str, float],
    rounds: int,
    seconds: float,
) -> Result:
    """Load all contestants of a row that run at once, some times; prints each round. Raises
    AssertionError where one has not done what is measured."""
    several = {name: running[name] for name in row.contestants if name in running}
    _at_once(row, several, client, idle, min(seconds, WARM_UP_SECONDS))
    found = [_at_once(row, several, client, idle, seconds) for _ in range(rounds)]
    reference = row.contestants[0]
    for name in several:
        each = [one[name].each(row) for one in found]
        ratios = [one[reference].each(row) / one[name].each(row) for one in found]
        rates = sum(one[name].load.requests / one[name].load.seconds for one in found) / rounds
        print(
            f"  {name:24} {_numbers(each, 0)} µs of CPU a {row.unit:8}"
            f" {_numbers(ratios, 2)} times cheaper  {rates:8.1f} requests/s"
            f"  p99 {max(one[name].load.p99 for one in found):.0f} ms",
            flush=True,
        )
    ratios = [one[reference].each(row) / one[OURS].each(row) for one in found]
    return Result(f"{row.name}, against {reference}", tuple(ratios), must=row.must, aim=row.aim)


def _at_once(
    row: Row,
    several: Mapping[str, Proxy],
    client: LoadClient,
    idle: Mapping[str, float],
    seconds: float,
) -> dict[str, Measured]:
    options = {
        "mode": row.mode,
        "host": row.host,
        "path": row.path,
        "connections": row.connections,
        "seconds": seconds,
    }
    before = {name: cpu_seconds(proxy.pid) for name, proxy in several.items()}
    began = time.monotonic()
    clients = {name: client.start(proxy.port, **options) for name, proxy in several.items()}
    loads = {name: finished(process) for name, process in clients.items()}
    found = {}
    for name, proxy in several.items():
        elapsed = time.monotonic() - began
        cpu = cpu_seconds(proxy.pid) - before[name] - idle[name] * elapsed
        check(name, row, loads[name])
        found[name] = Measured(loads[name], cpu)
    return found


def check(name: str, row: Row, load: Load) -> None:
    """Whether a proxy did what the row is about. Raises AssertionError."""
    assert load.requests, f"{row.name}: nothing was answered through {name}"
    assert load.errors * 100 <= load.requests, f"{row.name}: {load.errors} errors through {name}"
    was_opened = load.issuer != TITLE
    assert was_opened == row.is_decrypted, (
        f"{row.name}: {name} {'opened' if was_opened else 'relayed'} the tunnels"
    )


def _numbers(values: Sequence[float], digits: int) -> str:
    return " ".join(f"{value:6.{digits}f}" for value in values)
