"""Two real servers, a primary and its standby: what happens to a ledger when they change places."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import LedgerUnavailable
from proxy_addon.ledger.writer import Writer
from proxy_addon.system.clock import SystemClock
from tests.db.test_listener import CallCounter
from tests.faults.relay import Relay
from tests.postgres import PostgresServer

pytestmark = pytest.mark.postgres
VISIT = Visit("v0", "ana", "x", None, "daily", "r", 0.0, 1.0, "a")
PROMISED = 5.0  # seconds until the new primary is used
SLOW = 3  # times slower than promised on a loaded machine


class ServerPair:
    """A primary, its standby, and an address that leads to the first one."""

    def __init__(self, stack: ExitStack) -> None:
        self.first = PostgresServer(stack.enter_context(_folder()))
        self.first.start()
        stack.callback(self.first.stop)
        upgrade(self.first.url())
        self.second = PostgresServer(stack.enter_context(_folder()), primary=self.first)
        self.second.start()
        stack.callback(self.second.stop)
        self.relay = stack.enter_context(Relay(self.first.port))

    def url(self, route: str, more: str = "") -> str:
        """The address of the service, or both hosts."""
        own = f"127.0.0.1:{self.first.port}"
        if route == "address":
            return self.first.url().replace(own, f"127.0.0.1:{self.relay.port}") + more
        both = f"{own},127.0.0.1:{self.second.port}"
        return f"{self.first.url().replace(own, both)}?target_session_attrs=read-write{more}"

    def change_over(self) -> None:
        """The second server is the primary now, and the address leads to it; connections to the
        first one stay."""
        self.second.run("SELECT pg_promote(true, 60)")
        self.relay.to = self.second.port


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="allowance-postgres-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def pair() -> Iterator[ServerPair]:
    """Both servers run, and the standby follows."""
    with ExitStack() as stack:
        yield ServerPair(stack)


def seconds_until(holds: Callable[[], bool]) -> float:
    """How long it takes until something holds."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < PROMISED * SLOW
        time.sleep(0.05)
    return time.monotonic() - began


def ids(server: PostgresServer) -> set[str]:
    """The visits that a server has."""
    return {key for (key,) in server.run("SELECT id FROM visits")}


def write_each(ledger: SqlLedger, visit: Visit) -> bool:
    """Whether a visit could be written."""
    try:
        ledger.write_visits([visit])
    except LedgerUnavailable as problem:
        assert problem.kind in {"read-only", "stopped", "unreachable"}, problem
        return False
    return True


@pytest.mark.parametrize("route", ["address", "hosts"])
def test_a_primary_that_became_read_only(pair: ServerPair, route: str) -> None:
    """Its connections stay open, and are thrown away nevertheless: a proxy that writes all the time
    uses the new primary soon after there is one, loses nothing, and hears of others there."""
    with closing(SqlLedger(pair.url(route), "a")) as ledger:
        called = CallCounter()
        writer = Writer(ledger, node="a", on_news=lambda _: None, clock=SystemClock())
        ledger.listen(called)
        writer.start()
        writer.put(VISIT)
        seconds_until(lambda: "v0" in ids(pair.first))
        assert called.within(1, 10)
        pair.first.stop_writing()
        for number in range(1, 5):
            writer.put(replace(VISIT, id=f"v{number}"))
            time.sleep(1.0)
        assert writer.state().errors["read-only"] > 0
        assert not writer.state().up
        with (
            closing(SqlLedger(pair.url(route), "c")) as late,
            pytest.raises(LedgerUnavailable, match="takes no writes"),
        ):
            late.write_visits([VISIT])  # not that nothing can be reached
        pair.change_over()
        took = seconds_until(lambda: "v4" in ids(pair.second))
        assert took < PROMISED * SLOW
        assert ids(pair.second) == {f"v{number}" for number in range(5)}
        assert ids(pair.first) == {"v0"}
        heard = called.count
        with closing(SqlLedger(pair.second.url(), "b")) as other:
            # Heard at the new primary: the listener has left the old one, whose connection stands.
            seconds_until(
                lambda: (
                    write_each(other, replace(VISIT, id=f"b{called.count}"))
                    and called.within(heard + 3, 0.5)
                )
            )
        assert writer.stop(10) == 0


@pytest.mark.parametrize("route", ["address", "hosts"])
def test_a_primary_that_comes_back_as_a_standby(pair: ServerPair, route: str) -> None:
    """The old primary is restarted and takes no writes any more: what was read and written there
    before goes to the new one."""
    with closing(SqlLedger(pair.url(route), "a")) as ledger:
        ledger.write_visits([VISIT])
        pair.first.stop()
        pair.change_over()
        (pair.first.folder / "data/standby.signal").touch()
        pair.first.start()
        seconds_until(lambda: write_each(ledger, replace(VISIT, id="v1")))
        assert ids(pair.second) == {"v0", "v1"} == {row.id for row in ledger.visits(0.0)}


def test_the_first_host_is_gone_or_frozen(pair: ServerPair) -> None:
    """A host that refuses, and one that accepts and does not answer, cost a bounded time together;
    the next host is used."""
    url = pair.url("hosts")
    with closing(SqlLedger(url, "a")) as ledger:
        pair.first.pause()
        pair.second.run("SELECT pg_promote(true, 60)")
        began = time.monotonic()
        assert write_each(ledger, VISIT)
        assert time.monotonic() - began < PROMISED * SLOW
        pair.first.resume()
    pair.first.stop()
    with closing(SqlLedger(url, "b")) as ledger:
        assert write_each(ledger, replace(VISIT, id="v1"))
    pair.second.pause()
    began = time.monotonic()
    with closing(SqlLedger(url, "c")) as ledger:
        assert not write_each(ledger, VISIT)
    assert time.monotonic() - began < PROMISED * SLOW
    pair.second.resume()
