"""Kills real proxies under mixed load, breaks their databases, and counts what each person lost.

`make soak` kills 200 times: SQLite and Postgres, one worker and two, all processes at once, one
worker, or the supervisor first; half of the time while something is wrong with the database.
`--kills` gives another number, `--only` one of the four proxies, and `--file` a file to which each
kill is added: an interrupted soak goes on there.

What is lost: the seconds, up to the instant of the kill, that a proxy without the kill would have
charged in the end (`mixed_load.Person.truth`), and that the ledger does not have after the restart.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from proxy_addon.core.intervals import Intervals, difference, measure, normalise
from proxy_addon.core.types import Interval
from tests.e2e.office import CHATTER, noon_zone
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy, family
from tests.e2e.waiting import until
from tests.faults.databases import FaultyDatabase, PostgresDatabase, SqliteDatabase
from tests.faults.mixed_load import CLOCK, MixedLoad, Person, people

MOST_LOST = 2.0  # seconds of one person in one kill
TAIL = 10.0  # seconds; the default of docs/metering.md
EARLY = 1.0  # seconds; a tunnel is charged from its CONNECT on, and a handshake may be slow
LATE = 1.0  # seconds that a busy machine may be late with what it does
AFTERWARDS = 6.0  # seconds for which everybody goes on where other workers live: whether a tunnel
# was used is decided every five, and one that ends before is not charged
GROUPS = 40  # of people, one for each load in turn: nobody reads on from the last one
START_WITHIN = 120.0  # seconds; the machine may be busy with something else
SETTLE = 12.0  # seconds within which the rest of a host takes over a dead worker's journal
SLOW_CALL = 60.0  # the same where its database does not answer: a call is given up after 20 s
HOSTS = ("www.facebook.com", "www.youtube.com", "x.com", "chatter.example", "work.example")
STATES = {"sqlite": SqliteDatabase, "postgres": PostgresDatabase}
PROXIES = [(engine, workers) for engine in STATES for workers in (1, 2)]

POLICY = f"""
version: 1
timezone: {{zone}}
allowances: {{{{day: {{{{limit: 20h per day}}}}}}}}
rules:
  - {{{{name: Free for some, roles: [free], platforms: [youtube], then: allow}}}}
  - {{{{name: Counted, platforms: [facebook, x, youtube, chatter], then: {{{{spend: day}}}}}}}}
otherwise: allow
metering: {{{{tail: {TAIL:g}s}}}}
"""


@dataclass
class Kill:
    """What one kill cost. Seconds; `worst` of one person, `way` is what that person did."""

    proxy: str
    killed: str
    fault: str
    used: float = 0.0
    lost: float = 0.0
    worst: float = 0.0
    way: str = ""
    extra: float = 0.0
    asked: int = 0
    failed: int = 0
    wrong: list[str] = field(default_factory=list)


class ProxyUnderLoad:
    """One database, one proxy with its sites, and what can be done to them."""

    def __init__(self, engine: str, workers: int) -> None:
        self.name = f"{engine}, {workers} worker{'s' * (workers > 1)}"
        self.workers = workers
        self._loads = 0
        self._folder = Path(tempfile.mkdtemp(prefix="allowance-soak-"))
        self._open = contextlib.ExitStack()
        self._open.callback(shutil.rmtree, self._folder, ignore_errors=True)
        self.database: FaultyDatabase = STATES[engine]()
        self._open.callback(self.database.close)
        self.database.fresh(0)
        self._sites = self._open.enter_context(Origins(self._folder / "sites"))
        self.proxy = self._make_proxy()
        self._open.callback(self._end_proxy)

    def _make_proxy(self) -> OfficeProxy:
        everybody = [person for group in range(GROUPS) for person in people(group)]
        seats = "".join(f"  {person.address}: {person.name}\n" for person in everybody)
        free = [person.name for person in everybody if person.way == "free tunnels"]
        proxy = OfficeProxy(
            self._folder / "proxy",
            self._sites,
            POLICY.format(zone=noon_zone()),
            people=f"default_role: staff\nroles:\n  staff: {{}}\n  free: {{members: {free}}}\ndevices:\n{seats}",
            platforms={"chatter": CHATTER},
            hosts=HOSTS,
            settings={
                "workers": self.workers,
                "drain": "2s",
                "journal": str(self.database.journal),
            },
        )
        proxy.database = self.database.url
        proxy.start_timeout = START_WITHIN
        return proxy

    def close(self) -> None:
        """Leave nothing behind."""
        self._open.close()

    def _end_proxy(self) -> None:
        if self.proxy.process is not None and self.proxy.process.poll() is None:
            self.proxy.kill()

    def start(self) -> None:
        """Start it where it does not run, and wait for all workers."""
        if self.proxy.process is None or self.proxy.process.poll() is not None:
            self.proxy.start()
        until(lambda: _listening(self.proxy.port) >= self.workers, "all workers", START_WITHIN)
        until(self.proxy.ready, "the proxy to be ready", START_WITHIN)

    def load(self, seed: int) -> MixedLoad:
        """A load for it, by people who have done nothing for a while; not started yet."""
        self._loads += 1
        return MixedLoad(
            self.proxy.port, self.proxy.ca_file, self._sites.ca_file, self._loads % GROUPS, seed
        )

    def worker_pids(self) -> list[int]:
        """The processes that serve now."""
        assert self.proxy.process is not None
        if self.workers == 1:
            return [self.proxy.process.pid]
        found = re.findall(
            r'"worker": (\d+), "process": (\d+), "event": "worker started"', self.proxy.log
        )
        return [int(pid) for pid in dict(found).values() if Path(f"/proc/{pid}").exists()]

    def kill(self, what: str, dice: random.Random) -> tuple[float, float]:
        """Kill it; the instant until which people were served, and that of the first kill."""
        assert self.proxy.process is not None
        first = CLOCK.now()
        if what == "one worker":
            os.kill(dice.choice(self.worker_pids()), signal.SIGKILL)
            return CLOCK.now(), first
        everybody = family(self.proxy.process.pid)
        if what == "the supervisor":
            os.kill(self.proxy.process.pid, signal.SIGKILL)
            time.sleep(dice.uniform(0.2, 1.5))
        at = CLOCK.now()
        for pid in everybody:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.proxy.kill()
        return at, first

    def charged(self, since: float) -> dict[str, Intervals]:
        """What the ledger has of each person after an instant."""
        found: dict[str, list[Interval]] = {}
        for row in self.database.rows():
            if row.end > max(row.start, since):
                found.setdefault(row.person, []).append(Interval(max(row.start, since), row.end))
        return {person: normalise(pieces) for person, pieces in found.items()}


def _listening(port: int) -> int:
    """How many sockets accept connections on a port of this host."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[3] == "0A" and int(row[1].split(":")[1], 16) == port for row in rows)


def perform(
    target: ProxyUnderLoad,
    dice: random.Random,
    *,
    killed: str | None = None,
    fault: str | None = "",
) -> Kill:
    """One kill, and the account of it; the dice decide what is not given."""
    target.start()
    faults = target.database.faults()
    if fault == "":
        fault = dice.choice([*[None] * len(faults), *faults])
    kill = Kill(target.name, killed or dice.choice(_kinds(target.workers)), fault or "nothing")
    load = target.load(dice.randrange(2**32))
    since = CLOCK.now()
    load.start()
    with contextlib.ExitStack() as broken:
        try:
            time.sleep(dice.uniform(0.5, 8.0) if killed is None else 6.0)
            if fault is not None:
                broken.enter_context(faults[fault]())
                time.sleep(dice.uniform(0.1, 4.0))
            at, first = target.kill(kill.killed, dice)
            if kill.killed == "one worker":
                time.sleep(AFTERWARDS)
            load.stop_people()
        finally:
            load.stop()
    if kill.killed != "one worker":
        target.start()
    _settle(target, kill, load.people, since, at)
    until_then = CLOCK.now() if kill.killed == "one worker" else first
    kill.asked, kill.failed = load.ordinary.until(until_then)
    if kill.failed:
        kill.wrong.append(f"{kill.failed} ordinary requests failed: {load.ordinary.problems}")
    return kill


def _kinds(workers: int) -> list[str]:
    if workers == 1:
        return ["all processes"]
    return ["all processes", "one worker", "all processes", "one worker", "the supervisor"]


def _settle(
    target: ProxyUnderLoad, kill: Kill, people: list[Person], since: float, at: float
) -> None:
    """Account when the ledger has all that it will get."""
    began, is_rest = time.monotonic(), kill.killed == "one worker"
    while True:
        account(kill, people, target.charged(since), at)
        passed = time.monotonic() - began
        if kill.worst <= MOST_LOST / 4 or passed > (SLOW_CALL if is_rest else 2.0):
            break
        if kill.worst <= MOST_LOST and passed > SETTLE:
            break
        time.sleep(0.5)
    judge(kill)


def judge(kill: Kill) -> None:
    """Note what is not as promised."""
    if kill.worst > MOST_LOST:
        kill.wrong.append(f"{kill.worst:.2f} s lost of {kill.way}")
    if kill.extra > 0.0:
        kill.wrong.append(f"{kill.extra:.2f} s charged that nobody used")


def account(kill: Kill, people: list[Person], charged: Mapping[str, Intervals], at: float) -> None:
    """What people used until the instant `at` against what the ledger has."""
    kill.used = kill.lost = kill.worst = kill.extra = 0.0
    for person in people:
        truth, has = person.truth(at, TAIL), charged.get(person.name, ())
        lost = measure(difference(truth, has))
        use = person.truth(math.inf, TAIL)
        allowed = [Interval(each.start - EARLY, each.end + LATE) for each in use]
        extra = measure(difference(has, normalise(allowed)))
        kill.used += measure(truth)
        kill.lost += lost
        kill.extra += extra
        if lost > kill.worst:
            kill.worst, kill.way = lost, person.way


def soak(
    kills: int, seed: int, only: str | None, done: list[Kill], save: Callable[[Kill], None]
) -> Iterator[Kill]:
    """Kill each proxy in turn, as often as is missing."""
    chosen = [
        (engine, workers)
        for engine, workers in PROXIES
        if only is None or f"{engine}{workers}" == only
    ]
    for number, (engine, workers) in enumerate(chosen):
        share = kills // len(chosen) + (number < kills % len(chosen))
        dice = random.Random(f"{seed} {engine} {workers} {len(done)}")
        target = ProxyUnderLoad(engine, workers)
        try:
            missing = share - sum(kill.proxy == target.name for kill in done)
            for _ in range(missing):
                kill = perform(target, dice)
                save(kill)
                yield kill
        finally:
            target.close()


def table(kills: list[Kill]) -> Iterator[str]:
    """One line for each proxy, kind of kill and fault, and the sum."""
    groups: dict[tuple[str, str, str], list[Kill]] = {}
    for kill in kills:
        groups.setdefault((kill.proxy, kill.killed, kill.fault), []).append(kill)
    yield (
        "| proxy | killed | wrong with the database | kills | used | lost | worst person "
        "| charged too much | ordinary requests | failed twice |"
    )
    yield "|---|---|---|--:|--:|--:|--:|--:|--:|--:|"
    for (proxy, killed, fault), group in sorted(groups.items()):
        yield f"| {proxy} | {killed} | {fault} | {_figures(group)}"
    yield f"| **all** | | | {_figures(kills)}"


def _figures(kills: list[Kill]) -> str:
    worst = max((kill.worst for kill in kills), default=0.0)
    sums = {
        name: sum(getattr(kill, name) for kill in kills)
        for name in ("used", "lost", "extra", "asked", "failed")
    }
    return (
        f"{len(kills)} | {sums['used']:.1f} s | {sums['lost']:.2f} s | {worst:.2f} s | "
        f"{sums['extra']:.2f} s | {sums['asked']} | {sums['failed']} |"
    )


def read(file: Path | None) -> list[Kill]:
    """The kills of an earlier run."""
    if file is None or not file.exists():
        return []
    return [Kill(**json.loads(line)) for line in file.read_text().splitlines()]


def main() -> int:
    """Print each kill as it is done, and a table; 0 when nobody lost more than is promised."""
    parser = argparse.ArgumentParser(description="Kill proxies under load, and count seconds.")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    parser.add_argument("--only", choices=[f"{engine}{workers}" for engine, workers in PROXIES])
    parser.add_argument("--file", type=Path, help="add each kill to this file, and go on with it")
    given = parser.parse_args()
    done = read(given.file)
    print(f"seed {given.seed}, {given.kills} kills, {len(done)} of them known", flush=True)

    def save(kill: Kill) -> None:
        if given.file is not None:
            with given.file.open("a") as file:
                file.write(json.dumps(asdict(kill)) + "\n")

    for kill in soak(given.kills, given.seed, given.only, done, save):
        done.append(kill)
        print(
            f"{len(done):4} {kill.proxy:20} {kill.killed:14} {kill.fault:15} used {kill.used:6.1f} s"
            f"  lost {kill.lost:5.2f} s  worst {kill.worst:4.2f} s ({kill.way})"
            f"{''.join(f'  WRONG: {wrong}' for wrong in kill.wrong)}",
            flush=True,
        )
    print("\n".join(table(done)))
    return 1 if any(kill.wrong for kill in done) else 0


if __name__ == "__main__":
    sys.exit(main())
