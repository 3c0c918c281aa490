"""Twin of db/listener.py: others are heard at once, and no call lasts for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from db import listener as listener_module
from db.in_flight import CallWatchdog
from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.core.types import Grant, Visit
from proxy_addon.ledger.interface import LedgerUnavailable
from tests.postgres import PostgresServer

pytestmark = pytest.mark.postgres
VISIT = Visit("v", "ana", "x", None, "daily", "r", 0.0, 1.0, "a")
GRANT = Grant("g", "ana", "daily", 60.0, "course", "lead", 0.0, 9e9)


class CallCounter:
    """Counts calls, and waits for them."""

    def __init__(self) -> None:
        self.count = 0
        self.changed = threading.Condition()

    def __call__(self) -> None:
        with self.changed:
            self.count += 1
            self.changed.notify_all()

    def within(self, count: int, seconds: float) -> bool:
        """Whether there have been `count` calls in that time."""
        with self.changed:
            return self.changed.wait_for(lambda: self.count >= count, seconds)


@pytest.fixture
def pair(postgres_url: str) -> Iterator[tuple[SqlLedger, SqlLedger]]:
    """Two nodes on one database."""
    upgrade(postgres_url)
    ledgers = SqlLedger(postgres_url, "a"), SqlLedger(postgres_url, "b")
    yield ledgers
    for ledger in ledgers:
        ledger.close()


def test_others_are_heard_at_once(pair: tuple[SqlLedger, SqlLedger]) -> None:
    """A visit and a grant of another node are called within a fraction of a second, without being
    asked for."""
    called = CallCounter()
    pair[0].listen(called)
    assert called.within(1, 10)  # it listens
    pair[1].write_visits([VISIT])
    assert called.within(2, 1.0)
    pair[1].add_grant(GRANT, actor="lead")
    assert called.within(3, 1.0)


def test_nobody_calls_itself(pair: tuple[SqlLedger, SqlLedger]) -> None:
    """What a node wrote itself is not news, and a grant that is known already is none for
    anybody."""
    called = CallCounter()
    pair[1].add_grant(GRANT, actor="lead")
    pair[0].listen(called)
    assert called.within(1, 10)
    pair[0].write_visits([VISIT])
    pair[1].add_grant(GRANT, actor="lead")
    pair[1].write_visits([VISIT])
    assert called.within(2, 5)
    assert called.count == 2


def test_it_listens_again(own_postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the server was stopped and started, calls are heard again."""
    monkeypatch.setattr(listener_module, "AGAIN_SECONDS", 0.1)
    own_postgres.start()
    upgrade(own_postgres.url())
    ledger, called = SqlLedger(own_postgres.url(), "a"), CallCounter()
    ledger.listen(called)
    assert called.within(1, 10)
    own_postgres.stop()
    own_postgres.start()
    assert called.within(2, 20)
    other = SqlLedger(own_postgres.url(), "b")
    other.write_visits([VISIT])
    assert called.within(3, 5)
    ledger.close()
    other.close()


def test_a_call_that_hangs_is_ended(
    own_postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is frozen, so that its own timeouts are too, holds a call up for a bounded time
    only."""
    monkeypatch.setattr(CallWatchdog.break_off, "__defaults__", (1.0,))
    monkeypatch.setattr(listener_module, "LOOK_SECONDS", 0.1)
    own_postgres.start()
    upgrade(own_postgres.url())
    ledger = SqlLedger(own_postgres.url(), "a")
    ledger.write_visits([])
    ledger.check()
    ledger.listen(lambda: None)
    own_postgres.pause()
    began = time.monotonic()
    with pytest.raises(LedgerUnavailable):
        ledger.write_visits([VISIT])
    assert time.monotonic() - began < 15
    own_postgres.resume()
    ledger.write_visits([VISIT])
    assert len(list(ledger.visits(0.0))) == 1
    ledger.close()
