"""The ledger behind a real pgbouncer, in each way in which it is set up."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import text

from db.copy import copy
from db.ledger import SqlLedger
from db.probe import health
from db.upgrade import upgrade
from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import LedgerError
from tests.db.engines import connected
from tests.db.test_listener import CallCounter
from tests.db.test_switchover import seconds_until
from tests.pgbouncer import Pgbouncer, pgbouncer
from tests.postgres import PostgresServer

pytestmark = pytest.mark.postgres
VISIT = Visit("v", "ana", "x", None, "daily", "r", 0.0, 1.0, "a")
LIMITS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "timezone")


@pytest.fixture(
    scope="module",
    params=[("transaction",), ("session",), ("transaction", "ignore_startup_parameters = options")],
    ids=["transaction", "session", "options-ignored"],
)
def pooler(request: pytest.FixtureRequest, postgres_server: PostgresServer) -> Iterator[Pgbouncer]:
    """One pgbouncer for each way."""
    with pgbouncer(postgres_server, *request.param) as started:
        yield started


@pytest.fixture
def database(postgres_server: PostgresServer) -> str:
    """The name of an empty database."""
    return postgres_server.new_database()


def test_limits_hold_in_each_transaction(
    pooler: Pgbouncer, postgres_server: PostgresServer, database: str
) -> None:
    """Our limits hold in every transaction, and are left behind in no session of the server."""
    with connected(pooler.url(database)) as connection:
        found = [connection.execute(text(f"SHOW {name}")).scalar() for name in LIMITS]
    assert found == ["15s", "3s", "15s", "UTC"]
    upgrade(pooler.url(database))
    with (
        closing(SqlLedger(pooler.url(database), "a")) as ledger,
        ledger._connections.reading() as connection,
    ):
        assert connection.execute(text("SHOW statement_timeout")).scalar() == "15s"
    with psycopg.connect(pooler.url(database), autocommit=True) as other:
        assert other.execute("SHOW statement_timeout").fetchall() == [("0",)]
        assert other.execute("SELECT count(*) FROM pg_prepared_statements").fetchall() == [(0,)]


def test_many_at_once(pooler: Pgbouncer, database: str) -> None:
    """Proxies that share two sessions write and read at once, so often that a driver would prepare
    its statements, and each finds everything."""
    url = pooler.url(database)
    upgrade(url)

    def work(node: str) -> int:
        with closing(SqlLedger(url, node)) as ledger:
            for number in range(30):
                ledger.write_visits(
                    [replace(VISIT, id=f"{node}{number}-{each}", node=node) for each in range(8)]
                )
                ledger.news(0.0, not_from=node)
                ledger.visits(0.0, person="ana")
            return len(list(ledger.visits(0.0, person="ana")))

    with ThreadPoolExecutor(4) as threads:
        assert max(threads.map(work, "abcd")) == 4 * 30 * 8


def test_all_that_looks_at_a_ledger(
    pooler: Pgbouncer, database: str, postgres_server: PostgresServer
) -> None:
    """Check, totals, a report, erasure, retention, the doctor's look and a copy work through it, in
    both directions."""
    url = pooler.url(database)
    assert upgrade(url) is True
    with closing(SqlLedger(url, "a")) as ledger:
        ledger.write_visits(
            [replace(VISIT, id=f"v{n}", start=60.0 * n, end=60.0 * n + 1) for n in range(9)]
        )
        ledger.check()
        assert sum(total.seconds for total in ledger.totals(0.0, 1e9)) == 9
        assert len(list(ledger.stretches(0.0, 1e9))) == 9
        assert ledger.clock() is not None
        assert health(url).written is not None
        target = pooler.url(postgres_server.new_database())
        assert copy(url, target).identity == ledger.identity()
        assert copy(target, postgres_server.url(postgres_server.new_database())).tables
        assert ledger.prune(1e9) == 9


def test_others_are_read_at_each_flush(
    pooler: Pgbouncer, postgres_server: PostgresServer, database: str
) -> None:
    """Nobody listens in a session that is not theirs alone; over the address of the server itself,
    what somebody writes through the pooler is heard."""
    url = pooler.url(database)
    upgrade(url)
    with closing(SqlLedger(url, "a")) as ledger, closing(SqlLedger(url, "b")) as other:
        called = CallCounter()
        ledger.listen(called)
        other.write_visits([VISIT])
        assert not called.within(1, 1.0)
        assert [row.id for row in ledger.news(0.0).visits] == ["v"]
    direct = postgres_server.url(database)
    with (
        closing(SqlLedger(url, "a", listen_url=direct)) as ledger,
        closing(SqlLedger(url, "b")) as other,
    ):
        called = CallCounter()
        ledger.listen(called)
        assert called.within(1, 20)
        other.write_visits([replace(VISIT, id="w")])
        assert called.within(2, 5)


def test_the_server_behind_it_goes_away(own_postgres: PostgresServer) -> None:
    """A server that stops and comes back behind a pooler that stays: an outage like any other, and
    writing works again by itself."""
    own_postgres.start()
    with pgbouncer(
        own_postgres, "transaction", "server_login_retry = 1", "query_wait_timeout = 5"
    ) as pooler:
        url = pooler.url("postgres")
        upgrade(url)
        with closing(SqlLedger(url, "a")) as ledger:
            ledger.write_visits([VISIT])
            own_postgres.stop()
            with pytest.raises(LedgerError) as caught:
                ledger.write_visits([VISIT])
            assert caught.value.kind in {"unreachable", "stopped"}, caught.value
            own_postgres.start()

            def writes() -> bool:
                try:
                    ledger.write_visits([replace(VISIT, rev=2)])
                except LedgerError:
                    return False
                return True

            seconds_until(writes)
            assert [row.rev for row in ledger.visits(0.0)] == [2]


def test_a_wrong_password_at_the_pooler(pooler: Pgbouncer) -> None:
    """What the pooler itself refuses is told as if the server did."""
    with pytest.raises(LedgerError) as caught:
        upgrade(pooler.url("postgres").replace("open%20sesame", "s3cret"))
    assert caught.value.kind in {"sign-in", "unreachable"}
    assert "s3cret" not in str(caught.value)
