"""What ordinary traffic notices while ledger, rules or metrics stand still: nothing.

Two proxies get the same light load at the same time; something that one of them needs is frozen.
People are being charged on both meanwhile, so that there is something to write and to show. On a
machine that is busy both are late: how many times as late the frozen one is tells what freezing
does. Who stands still is late by seconds.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.load import contestants
from tests.benchmarks.load.client import Load, LoadClient, finished
from tests.benchmarks.load.contestants import started
from tests.benchmarks.load.report import Result
from tests.benchmarks.load.site import FREE, LIMITED, SMALL, Site
from tests.benchmarks.proxies import Proxy
from tests.e2e.waiting import until

MOST_LATER = 2.0  # times as late as beside it, at the 99th percentile
UNNOTICED = 50.0  # milliseconds: less is taken for as much, nobody notices it
STUCK_READERS = 5
HUGE_RULES = 1_500
RELOAD_SECONDS = 2.0  # between two changes of the huge rules

type Freeze = Callable[[Proxy], AbstractContextManager[None]]


@contextmanager
def locked_ledger(proxy: Proxy) -> Iterator[None]:
    """Somebody else holds the database file of the ledger."""
    file = proxy.folder / "var" / "allowance.db"
    other = sqlite3.connect(file, isolation_level=None, timeout=20)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.close()


@contextmanager
def rules_on_a_pipe(proxy: Proxy) -> Iterator[None]:
    """A rule file is a pipe: whoever opens it waits for a writer that never comes."""
    pipe = proxy.folder / "rules" / "more.yaml"
    os.mkfifo(pipe)
    try:
        yield
    finally:
        pipe.unlink()


@contextmanager
def huge_rules(proxy: Proxy) -> Iterator[None]:
    """Very many rules, which change every two seconds."""
    file, done = proxy.folder / "rules" / "policy.yaml", threading.Event()
    small = file.read_text()
    rule = "  - {{name: R{0}, users: [q{0}], platforms: [x], then: block}}\n"
    rules = "".join(rule.format(number) for number in range(HUGE_RULES))
    huge = small.replace("rules:\n", f"rules:\n{rules}")

    def change() -> None:
        turn = 0
        while not done.wait(RELOAD_SECONDS if turn else 0):
            turn += 1
            new = file.with_suffix(".new")
            new.write_text(f"{huge}# {turn}\n")
            new.replace(file)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        file.write_text(small)


@contextmanager
def stuck_metrics(proxy: Proxy) -> Iterator[None]:
    """Readers of the metrics who ask, and ask again, and never read."""
    with ExitStack() as stack:
        for _ in range(STUCK_READERS):
            reader = stack.enter_context(socket.socket())
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.connect(("127.0.0.1", proxy.web_port))
            reader.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3)
        yield


class Frozen(NamedTuple):
    """Something that stands still: how that is done, and the metric that shows it: it becomes
    higher (1) or lower (-1) than it was. `was`: what it has to be before; None: whatever it is."""

    freeze: Freeze
    metric: str = ""
    becomes: int = 1
    was: float | None = None


FREEZES = {
    "ledger locked": Frozen(locked_ledger, "allowance_ledger_pending", was=0),
    "rules on a pipe": Frozen(rules_on_a_pipe, "allowance_rules_last_reload_ok", -1, was=1),
    "huge rules reloaded": Frozen(huge_rules, "allowance_rules_loaded_timestamp_seconds"),
    "metrics never read": Frozen(stuck_metrics),
}


def measure(
    folder: Path, site: Site, client: LoadClient, rounds: int, seconds: float
) -> list[Result]:
    """A result for each thing that is frozen: how many times as late ordinary traffic is."""
    subject = contestants.ours(folder / "frozen", site, people=50)
    control = contestants.ours(folder / "control", site, people=50)
    with started(subject, control):
        _probe(client, subject, control, 1.0)
        return [
            _result(name, _frozen(each, client, subject, control, rounds, seconds))
            for name, each in FREEZES.items()
        ]


def stopped_postgres(
    folder: Path, site: Site, client: LoadClient, rounds: int, seconds: float
) -> Result:
    """The same with a ledger in Postgres whose server is stopped (SIGSTOP)."""
    try:
        from tests.postgres import PostgresServer
    except ImportError as error:
        return Result(_row("Postgres stopped"), (), must=MOST_LATER, at_most=True, why=str(error))
    place = folder / "postgres"
    place.mkdir()
    server = PostgresServer(place)
    server.start()

    @contextmanager
    def stopped(_: Proxy) -> Iterator[None]:
        server.pause()
        try:
            yield
        finally:
            server.resume()

    try:
        url = server.url(server.new_database())
        subject = contestants.ours(
            folder / "on-postgres", site, people=50, environment={"ALLOWANCE_DATABASE": url}
        )
        control = contestants.ours(folder / "beside", site, people=50)
        with started(subject, control):
            _probe(client, subject, control, 1.0)
            how = Frozen(stopped, "allowance_ledger_pending", was=0)
            kinds = _frozen(how, client, subject, control, rounds, seconds)
    finally:
        server.stop()
    return _result("Postgres stopped", kinds)


def _frozen(
    how: Frozen,
    client: LoadClient,
    subject: Proxy,
    control: Proxy,
    rounds: int,
    seconds: float,
) -> list[list[tuple[str, Load, Load]]]:
    if how.was is not None:
        until(lambda: _metric(subject, how.metric) == how.was, f"{how.metric} = {how.was}", 30)
    before = _metric(subject, how.metric)
    with how.freeze(subject):
        found = [_probe(client, subject, control, seconds) for _ in range(rounds)]
        if how.metric:
            until(
                lambda: (_metric(subject, how.metric) - before) * how.becomes > 0,
                f"{how.metric} to show that something is frozen",
                30,
            )
    return found


def _metric(proxy: Proxy, name: str) -> float:
    if not name:
        return 0.0
    with urllib.request.urlopen(f"http://127.0.0.1:{proxy.web_port}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return float(next(line for line in lines if line.startswith(f"{name} ")).split()[1])


def _probe(
    client: LoadClient, subject: Proxy, control: Proxy, seconds: float
) -> list[tuple[str, Load, Load]]:
    """New connections and kept ones to a site that is not limited: what was measured through both,
    while both also have limited traffic."""
    common = {"path": SMALL, "people": 50, "seconds": seconds}
    kinds = {
        "new": common | {"mode": "new", "host": FREE, "connections": 2, "pause": 20},
        "keep": common | {"mode": "keep", "host": FREE, "connections": 2, "pause": 10},
        "charged": common
        | {"mode": "keep", "host": LIMITED, "connections": 4, "pause": 100, "pages": 1},
    }
    running = {
        kind: [client.start(proxy.port, **options) for proxy in (subject, control)]
        for kind, options in kinds.items()
    }
    loads = {kind: [finished(each) for each in both] for kind, both in running.items()}
    return [(kind, loads[kind][0], loads[kind][1]) for kind in ("new", "keep")]


def _result(name: str, probes: list[list[tuple[str, Load, Load]]]) -> Result:
    figures = []
    for kinds in probes:
        for kind, frozen, beside in kinds:
            print(
                f"  {name:20} {kind:5} p99 {frozen.p99:7.1f} ms (beside it {beside.p99:7.1f}),"
                f" slowest {frozen.slowest:7.1f} ms ({beside.slowest:7.1f}),"
                f" {frozen.requests} answers ({beside.requests}), {frozen.errors} errors",
                flush=True,
            )
        figures.append(max(_times_as_late(frozen, beside) for _, frozen, beside in kinds))
    return Result(_row(name), tuple(figures), must=MOST_LATER, at_most=True)


def _times_as_late(frozen: Load, beside: Load) -> float:
    if frozen.errors or not frozen.requests:
        return float("inf")
    return max(frozen.p99, UNNOTICED) / max(beside.p99, UNNOTICED)


def _row(name: str) -> str:
    return f"{name}: ordinary traffic so many times as late"
