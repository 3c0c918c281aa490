"""What the look at running things costs four times a second, by people under way:
`python tests/benchmarks/bench_due.py`.

Budget: at 10,000 people under way less than 5 ms of CPU a second in all. Each has a film or a
tunnel running whose bytes are charged every few seconds; only the looks are measured. `all` is what
a decision about everything would cost, as a reference of the same run.
"""

from __future__ import annotations

import random
import time

from tests.metering.two_platforms import START, small_allowance
from tests.shell import Shell

PEOPLE = (100, 1_000, 3_000, 10_000)
SECONDS = 60
LOOK = 0.25


def measure(people: int) -> tuple[float, float]:
    """Milliseconds of CPU a second of the looks, and of decisions about everything instead."""
    shell, chance = Shell(small_allowance(limit=900.0)), random.Random(1)
    enforcer = shell.enforcer
    flights = []
    for i in range(people):
        person = enforcer.person(f"p{i}", None, START)
        flight = enforcer.tunnel(person, "x", START + chance.random()).flight
        assert flight is not None
        flights.append(flight)
    spent, now = 0.0, START + 1
    for look in range(int(SECONDS / LOOK)):
        now = START + 1 + look * LOOK
        for flight in flights[look % 20 :: 20]:
            enforcer.tunnel_bytes(flight, 10**8, now)
        before = time.thread_time()
        for due in enforcer.due(now):
            enforcer.closed(due.flight)
        spent += time.thread_time() - before
    before = time.thread_time()
    for flight in flights:
        enforcer.blocked_now(flight, now)
    return spent / SECONDS * 1e3, (time.thread_time() - before) / LOOK * 1e3


def main() -> None:
    """Print a line for each size of office."""
    for people in PEOPLE:
        looks, everything = measure(people)
        print(
            f"{people:6} people under way: looks {looks:6.2f} ms a second, "
            f"deciding about all {everything:7.1f} ms a second"
        )


if __name__ == "__main__":
    main()
