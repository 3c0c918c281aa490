"""A ledger of 50,000 people with 90 days of history, on both engines. Prints figures, judges
nothing.

Run: python tests/benchmarks/bench_ledger.py [PEOPLE [DAYS]] Budgets (docs/reliability.md): the
balance of one person 5 ms, the warm-up of a proxy with 10,000 active people 2 s, the report of a
month on Postgres 2 s. Takes some minutes, nearly all of them to build the two databases.

Everybody has one to three visits on each of five days a week, on three platforms and two
allowances; on the last day 10,000 people have six.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import psycopg

from db.address import parse
from db.engine import open_engine
from db.ledger import SqlLedger
from db.models import VisitRow
from db.types import to_datetime
from db.upgrade import upgrade
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.types import Visit
from proxy_addon.metering.usage_book import PersonUsage, UsageBook
from proxy_addon.rules import folder as rules_folder
from tests.postgres import PostgresServer

NOW = 1_793_703_600.0  # Tuesday 3 November 2026, 11:00 UTC
DAY = 86_400.0
ACTIVE, VISITS_TODAY = 10_000, 6
PLATFORMS = ("facebook", "x", "youtube")
ALLOWANCES = ("daily", "weekly")
ROOT = Path(__file__).resolve().parents[2]

POLICY = """
version: 1
timezone: UTC
allowances:
  daily: {limit: 15m per day}
  weekly: {limit: 2h per week}
rules:
  - {name: A little, platforms: [facebook, x], then: {spend: daily}}
  - {name: Video, platforms: [youtube], then: {spend: weekly}}
otherwise: allow
"""

type Row = tuple[str, str, str, None, str, str, float, float]


def rows(people: int, days: int) -> Iterator[Row]:
    """id, person, platform, section, allowance, rule, start, end of every visit."""
    dice = random.Random(1)
    midnight = NOW - NOW % DAY
    number = 0
    for back in range(days, -1, -1):
        today = back == 0
        if not today and int(midnight / DAY - back + 4) % 7 in (0, 6):
            continue
        for person in range(ACTIVE if today else people):
            for nth in range(VISITS_TODAY if today else dice.randrange(1, 4)):
                start = midnight - back * DAY + 8 * 3600 + nth * 1500 + dice.random() * 1400
                place = dice.randrange(3)
                end = min(start + dice.uniform(20, 300), NOW)
                number += 1
                yield (
                    f"{number:016x}-{number}",
                    f"person{person:05}@office.example",
                    PLATFORMS[place],
                    None,
                    ALLOWANCES[place == 2],
                    "A little",
                    min(start, end),
                    end,
                )


def build_postgres(url: str, people: int, days: int) -> int:
    """COPY, then the indexes."""
    columns = "id, person, platform, section, allowance, rule, started_at, ended_at, node, rev, updated_at"
    count = 0
    with without_indexes(url), psycopg.connect(url) as connection:
        cursor = connection.cursor()
        with cursor.copy(f"COPY visits ({columns}) FROM STDIN") as copy:
            for *names, start, end in rows(people, days):
                ended = to_datetime(end)
                copy.write_row((*names, to_datetime(start), ended, "host:1", 9, ended))
                count += 1
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE visits")
    return count


def build_sqlite(url: str, people: int, days: int) -> int:
    """executemany in one transaction, then the indexes."""

    def texts() -> Iterator[tuple[object, ...]]:
        for *names, start, end in rows(people, days):
            ended = to_datetime(end).isoformat(" ", "microseconds")
            yield (
                *names,
                to_datetime(start).isoformat(" ", "microseconds"),
                ended,
                "host:1",
                9,
                ended,
            )

    with without_indexes(url):
        connection = sqlite3.connect(parse(url).file)
        connection.execute("PRAGMA synchronous = OFF")
        with connection:
            connection.executemany(
                f"INSERT INTO visits VALUES ({', '.join('?' * 11)}, NULL)", texts()
            )
        connection.execute("ANALYZE")
        count = connection.execute("SELECT count(*) FROM visits").fetchone()[0]
        connection.close()
    return int(count)


@contextmanager
def without_indexes(url: str) -> Iterator[None]:
    """Inside, the table of visits has no index but its key."""
    engine = open_engine(parse(url), "bench")
    table = VisitRow.metadata.tables[VisitRow.__tablename__]
    for index in table.indexes:
        index.drop(engine)
    yield
    with engine.execution_options(writes=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        for index in table.indexes:
            index.create(connection)
    engine.dispose()


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    began = perf_counter()
    work()
    return perf_counter() - began


def measure(url: str, engine: Engine, people: int) -> None:
    """All figures of one database."""
    ledger = SqlLedger(url, "bench:1")
    dice = random.Random(2)

    def balance() -> None:
        name = f"person{dice.randrange(people):05}@office.example"
        usage = PersonUsage()
        usage.fill(ledger.visits(engine.needed_since(NOW), person=name))
        for grant in ledger.grants(NOW, person=name):
            usage.grant(grant)
        engine.balances(engine.person(name, NOW), usage, NOW)

    balance()
    times = sorted(timed(balance) for _ in range(300))
    say("balance of one person", f"median {times[150] * 1e3:.2f} ms, p99 {times[297] * 1e3:.2f} ms")
    warm_up(ledger, "this day", NOW - NOW % DAY)
    warm_up(ledger, "this week", engine.needed_since(NOW))
    took, lines = least(lambda: ledger.totals(NOW - 31 * DAY, NOW))
    say("report of a month", f"{took:.2f} s ({len(lines):,} lines)")
    fresh = [
        Visit(
            f"new{n}", f"person{n:05}@office.example", "x", None, "daily", "r", NOW, NOW, "bench:1"
        )
        for n in range(1000)
    ]
    say("a flush of 1,000 new visits", f"{timed(lambda: ledger.write_visits(fresh)) * 1e3:.0f} ms")
    cursor = ledger.news(float("inf")).cursor
    say(
        "news when there are none",
        f"{timed(lambda: ledger.news(cursor, not_from='bench:1')) * 1e3:.1f} ms",
    )
    ledger.close()


def warm_up(ledger: SqlLedger, label: str, since: float) -> None:
    """Everybody with a visit since then, as a start reads them."""
    book = UsageBook()
    took, _ = least(lambda: book.adopt(ledger.histories(since)))
    say(f"warm-up, {label}", f"{took:.2f} s ({len(book):,} people)")
    names = random.Random(3).sample(list(book), 500)
    say(
        "  one person unpacked",
        f"{timed(lambda: [book.of(name) for name in names]) / 500 * 1e6:.0f} us",
    )


def least[Result](work: Callable[[], Result]) -> tuple[float, Result]:
    """The least of five times, in seconds: what else runs on the machine only adds to it."""
    results: list[Result] = []
    return min(timed(lambda: results.append(work())) for _ in range(5)), results[-1]


def say(what: str, text: str) -> None:
    """One line."""
    print(f"  {what:30} {text}", flush=True)


def main(people: int, days: int) -> None:
    """Both engines."""
    folder = Path(tempfile.mkdtemp(prefix="allowance-bench-"))
    (folder / "rules").mkdir()
    (folder / "rules" / "policy.yaml").write_text(POLICY)
    shutil.copytree(ROOT / "rules" / "platforms", folder / "rules" / "platforms")
    engine = Engine(rules_folder.load(folder / "rules"))
    server_folder = Path(tempfile.mkdtemp(prefix="allowance-postgres-"))
    server = PostgresServer(server_folder, "shared_buffers=512MB", "max_wal_size=8GB", "jit=off")
    try:
        server.start()
        for url, build in (
            (server.url(), build_postgres),
            (f"sqlite:///{folder}/ledger.db", build_sqlite),
        ):
            upgrade(url)
            began = perf_counter()
            count = build(url, people, days)
            print(f"{url.partition(':')[0]}: {people:,} people, {days} days, {count:,} visits")
            say("built in", f"{perf_counter() - began:.0f} s")
            measure(url, engine, people)
    finally:
        server.stop()
        shutil.rmtree(server_folder, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    given = [int(value) for value in sys.argv[1:]]
    main(*(given + [50_000, 90][len(given) :]))
