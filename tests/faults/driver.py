"""A proxy without a proxy: scripted people, the real writer, journal and ledger, and a record of
what is true.

Started by the harness as a process of its own, so that it can be killed: `python -m
tests.faults.driver URL JOURNAL TRUTH PEOPLE SEED`. It says `ready` when it has replayed what others
left and begins; SIGTERM ends it as a proxy ends. With PEOPLE 0 it only replays.

Every revision of a visit is appended to the file TRUTH, unbuffered, just before it is put:
`wall clock, visit`.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
import sys
import time
from dataclasses import astuple, replace
from pathlib import Path

from db.address import parse
from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import LedgerError
from proxy_addon.ledger.journal import Journal
from proxy_addon.ledger.journal_owner import JournalOwner
from proxy_addon.ledger.replay import replay
from proxy_addon.ledger.writer import Writer
from proxy_addon.system.clock import SystemClock

TICK = 0.02
PLATFORMS = ("x", "facebook", "youtube")


class Person:
    """Uses platforms for stretches of random length, now and then with minutes given back."""

    def __init__(self, name: str, node: str, dice: random.Random) -> None:
        self._name, self._node, self._dice = name, node, dice
        self._visit: Visit | None = None
        self._until = 0.0
        self._number = 0

    def step(self, now: float) -> Visit | None:
        """What this person's next moment writes."""
        visit = self._visit
        if visit is None:
            return self._begin(now)
        if now < self._until:
            self._visit = replace(visit, end=now, rev=visit.rev + 1)
            return self._visit
        self._visit = None
        if self._dice.random() < 0.2:  # it was a machine: what it had extended is given back
            end = visit.start + (visit.end - visit.start) * self._dice.random()
            return replace(visit, end=end, rev=visit.rev + 1)
        return None

    def _begin(self, now: float) -> Visit | None:
        if self._dice.random() > 0.3:
            return None
        self._number += 1
        key = f"{self._node}-{self._name}-{self._number}"
        platform = self._dice.choice(PLATFORMS)
        self._until = now + self._dice.expovariate(1 / 1.5)
        self._visit = Visit(key, self._name, platform, None, "daily", "rule", now, now, self._node)
        return self._visit


def main(url: str, journal: str, truth: str, people: int, seed: int) -> int:
    """Run until SIGTERM; how many visits are lost at the end, or 9 when the database cannot be
    used."""
    clock = SystemClock()
    node = f"node:{secrets.token_hex(4)}"
    identity = JournalOwner(parse(url).identity)
    try:
        upgrade(url)
        ledger = SqlLedger(url, node)
        ledger.check()
        print("replaying", flush=True)
        done = replay(Path(journal), identity, ledger)
    except LedgerError as problem:
        print(f"error: {problem}", flush=True)
        return 9
    print(json.dumps(["replayed", *astuple(done)]), flush=True)
    if not people:
        return 0
    writer = Writer(
        ledger,
        node=node,
        on_news=lambda _: None,
        clock=clock,
        journal=Journal(Path(journal), node, identity),
    )
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
    writer.start()
    ledger.listen(writer.wake)
    dice = random.Random(seed)
    crowd = [Person(f"p{number}", node, dice) for number in range(people)]
    record = os.open(truth, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    print("ready", flush=True)
    while not stopping:
        now = clock.now()
        for visit in filter(None, [person.step(now) for person in crowd]):
            os.write(record, json.dumps([clock.now(), *astuple(visit)]).encode() + b"\n")
            writer.put(visit)
        time.sleep(TICK)
    return min(8, writer.stop(8.0))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4], int(sys.argv[4]), int(sys.argv[5])))
