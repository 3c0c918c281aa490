"""Breaks what the ledger stands on, kills what writes to it, and counts seconds.

`python -m tests.faults.harness` is the short form; `--long` kills a hundred times and takes some
ten minutes (`make soak`). Each run has a database of its own: the driver writes usage that is
known, something is broken meanwhile, the driver is killed with SIGKILL or ended with SIGTERM, the
next start replays (and is sometimes killed itself while it does), and the ledger is compared with
the truth.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from proxy_addon.system.clock import SystemClock
from tests.faults.databases import FaultyDatabase, PostgresDatabase, SqliteDatabase
from tests.faults.truth import Account, compare, read_truth

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = 12
CLOCK = SystemClock()
MOST_LOST = 2.0  # seconds a kill -9


@dataclass(frozen=True)
class Plan:
    """One run: what breaks (None: nothing), how it ends, and the seconds before, during and
    after."""

    fault: str | None
    kill: bool
    before: float = 0.6
    during: float = 1.5
    after: float = 0.0
    kill_inside: bool = True  # while it is broken, or after
    replay_kills: int = 0

    def __str__(self) -> str:
        end = "kill -9" if self.kill else "SIGTERM"
        return f"{self.fault or 'nothing wrong'}, {end}"


class Driver:
    """The process of tests/faults/driver.py."""

    def __init__(self, database: FaultyDatabase, people: int, seed: int) -> None:
        arguments = [
            database.url,
            str(database.journal),
            str(database.truth),
            str(people),
            str(seed),
        ]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.driver", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said: list[str] = []

    def wait_for(self, word: str, seconds: float = 60.0) -> bool:
        """Read what it says until a line begins with `word`; false when it ends without."""
        assert self.process.stdout is not None
        timer = threading.Timer(seconds, self.process.kill)
        timer.start()
        try:
            for line in self.process.stdout:
                self.said.append(line)
                if line.startswith(word):
                    return True
            return False
        finally:
            timer.cancel()

    def kill(self) -> float:
        """SIGKILL; the wall-clock time of it."""
        at = CLOCK.now()
        self.process.kill()
        self.process.communicate()
        return at

    def end(self, seconds: float = 60.0) -> int:
        """SIGTERM; the exit code."""
        self.process.terminate()
        self.said += self.process.communicate(timeout=seconds)[0].splitlines(keepends=True)
        return self.process.returncode

    def code(self, seconds: float = 60.0) -> int:
        """The exit code of one that ends by itself."""
        self.said += self.process.communicate(timeout=seconds)[0].splitlines(keepends=True)
        return self.process.returncode


def perform(database: FaultyDatabase, plan: Plan, number: int, dice: random.Random) -> Account:
    """One run of a plan; raises AssertionError where a process did not do what it has to."""
    database.fresh(number)
    truth = database.truth
    driver = Driver(database, PEOPLE, dice.randrange(2**32))
    ended = 0.0
    try:
        assert driver.wait_for("ready"), driver.said
        time.sleep(plan.before)
        breaks = database.faults()[plan.fault] if plan.fault else contextlib.nullcontext
        with breaks():
            time.sleep(plan.during)
            if plan.kill and plan.kill_inside:
                ended = driver.kill()
                if plan.fault in ("stopped", "network cut", "locked") and dice.random() < 0.3:
                    _start_in_vain(database)
        if not ended:
            time.sleep(plan.after)
            ended = driver.kill() if plan.kill else _end(driver)
    finally:
        if driver.process.poll() is None:
            driver.kill()
    _replay(database, plan.replay_kills, dice)
    account = compare(read_truth(truth), database.rows(), ended)
    account.faults = bool(plan.fault) + bool(plan.kill) + plan.replay_kills
    left = (
        sorted(path.name for path in database.journal.iterdir())
        if database.journal.exists()
        else []
    )
    if left:
        account.wrong.append(f"journals are left: {left}")
    return account


def _end(driver: Driver) -> float:
    code = driver.end()
    assert code == 0, (code, driver.said)
    return CLOCK.now()


def _start_in_vain(database: FaultyDatabase) -> None:
    """A start while the database is away ends with one line and touches no journal."""
    driver = Driver(database, 0, 0)
    assert not driver.wait_for("replayed"), driver.said
    assert driver.code() == 9, driver.said


def _replay(database: FaultyDatabase, kills: int, dice: random.Random) -> None:
    """The next start, killed now and then while it replays, until one gets through."""
    for _ in range(kills):
        driver = Driver(database, 0, 0)
        driver.wait_for("replaying")
        time.sleep(dice.random() * 0.05)
        driver.kill()
    driver = Driver(database, 0, 0)
    assert driver.wait_for('["replayed"'), driver.said
    assert driver.code() == 0, driver.said


def outages(database: FaultyDatabase, during: float, after: float) -> list[Plan]:
    """Every fault once, without a kill: nothing may be lost."""
    return [Plan(name, kill=False, during=during, after=after) for name in database.faults()]


def kills(database: FaultyDatabase, count: int, dice: random.Random) -> Iterator[Plan]:
    """Kills at random points: with nothing wrong, in the middle of each fault, and just after."""
    names: list[str | None] = [None, *database.faults()]
    for number in range(count):
        yield Plan(
            names[number % len(names)],
            kill=True,
            before=dice.uniform(0.0, 1.5),
            during=dice.uniform(0.1, 3.0),
            after=dice.uniform(0.0, 1.0),
            kill_inside=dice.random() < 0.7,
            replay_kills=dice.choice((0, 0, 1, 2)),
        )


def work(
    make: Callable[[], FaultyDatabase],
    plans: Callable[[FaultyDatabase], Sequence[Plan]],
    seed: int,
    out: SimpleQueue[object],
) -> None:
    """Perform plans on a database of its own; each account, or what went wrong, goes to `out`."""
    dice = random.Random(seed)
    database = make()
    try:
        for number, plan in enumerate(plans(database)):
            try:
                out.put((database.name, plan, perform(database, plan, number, dice)))
            except Exception as problem:  # one run that went wrong must not hide the others
                out.put(
                    (
                        database.name,
                        plan,
                        Account(1, wrong=[f"{type(problem).__name__}: {problem}"]),
                    )
                )
    finally:
        database.close()
        out.put(None)


def main() -> int:
    """Print a line for each kind of run and the sum; 0 when nothing was lost or doubled beyond the
    promise."""
    parser = argparse.ArgumentParser(
        description="Break the ledger's database, kill the writer, count seconds."
    )
    parser.add_argument("--long", action="store_true", help="100 kills and the long outages")
    parser.add_argument(
        "--kills", type=int, default=0, help="how many kills (default: 10, with --long 100)"
    )
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    given = parser.parse_args()
    count = given.kills or (100 if given.long else 10)
    during, after = (40.0, 1.0) if given.long else (3.0, 0.5)
    print(f"seed {given.seed}, {count} kills, outages of {during:g} s, {PEOPLE} people", flush=True)

    def both(database: FaultyDatabase) -> list[Plan]:
        dice = random.Random(given.seed)
        return [*kills(database, count // 2, dice), *outages(database, during, after)]

    out: SimpleQueue[object] = SimpleQueue()
    makes: list[Callable[[], FaultyDatabase]] = [SqliteDatabase, PostgresDatabase]
    for number, make in enumerate(makes):
        threading.Thread(
            target=work, args=(make, both, given.seed + number, out), daemon=True
        ).start()
    return report(out, len(makes))


def report(out: SimpleQueue[object], workers: int) -> int:
    """Collect, print as they come, and judge."""
    total, lines = Account(), dict[tuple[str, str], Account]()
    began = time.monotonic()
    while workers:
        try:
            got = out.get(timeout=300)
        except Empty:
            total.wrong.append("nothing was heard for five minutes")
            break
        if got is None:
            workers -= 1
            continue
        name, plan, account = got  # type: ignore[misc]
        lines.setdefault((name, str(plan)), Account()).add(account)
        judge(plan, account)
        total.add(account)
        for wrong in account.wrong:
            print(f"WRONG {name}: {plan}: {wrong}", flush=True)
    for (name, plan), account in sorted(lines.items()):
        print(f"{name:9} {plan:32} {row(account)}")
    print(f"{'all':9} {f'{time.monotonic() - began:.0f} s':32} {row(total)}")
    return 1 if total.wrong or total.doubled else 0


def judge(plan: Plan, account: Account) -> None:
    """Note it as wrong when more was lost than the promise allows."""
    allowed = MOST_LOST if plan.kill else 0.0
    if account.worst > allowed + 0.001 or account.late > allowed:
        account.wrong.append(
            f"{account.worst:.3f} s lost of one person, the oldest {account.late:.3f} s old"
        )


def row(account: Account) -> str:
    """The figures of an account on one line."""
    return (
        f"runs {account.runs:4}  faults {account.faults:4}  written {account.written:9.1f} s  "
        f"lost {account.lost:7.2f} s  doubled {account.doubled:.2f} s  "
        f"worst person {account.worst:.2f} s  oldest lost {account.late:.2f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
