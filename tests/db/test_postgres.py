"""Twin of db/postgres.py: how a session behaves, and what happens when the server goes away."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import text

from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import LedgerRefused, LedgerUnavailable
from tests.db.engines import connected
from tests.postgres import PostgresServer

pytestmark = pytest.mark.postgres

VISIT = Visit("v", "ana", "x", None, None, None, 0.0, 1.0, "a")


def test_no_session_waits_for_ever(postgres_url: str) -> None:
    """Statements, locks and idle transactions end in time; the session has a name and runs in
    UTC."""
    names = (
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
        "application_name",
        "timezone",
    )
    with connected(postgres_url) as connection:
        found = [connection.execute(text(f"SHOW {name}")).scalar() for name in names]
    assert found == ["15s", "3s", "15s", "allowance test", "UTC"]


def test_the_url_has_precedence(postgres_url: str) -> None:
    """What an administrator writes into the URL is not overridden."""
    with connected(f"{postgres_url}?application_name=mine") as connection:
        assert connection.execute(text("SHOW application_name")).scalar() == "mine"


def test_a_server_that_stops_and_comes_back(own_postgres: PostgresServer) -> None:
    """While the server is away calls fail as an outage; when it is back the same ledger works at
    once."""
    own_postgres.start()
    url = own_postgres.url()
    upgrade(url)
    ledger = SqlLedger(url, "a")
    ledger.write_visits([VISIT])
    own_postgres.stop()
    with pytest.raises(LedgerUnavailable, match="cannot be reached"):
        ledger.write_visits([VISIT])
    own_postgres.start()
    ledger.write_visits([VISIT])
    assert list(ledger.visits(0.0)) == [VISIT]
    ledger.close()


def test_a_table_that_is_locked(postgres_url: str) -> None:
    """A lock of another program is reported as one after the lock timeout, not waited for."""
    upgrade(postgres_url)
    ledger = SqlLedger(f"{postgres_url}?options=-c%20lock_timeout%3D200ms", "a")
    with psycopg.connect(postgres_url) as other:
        other.execute("LOCK TABLE visits")
        with pytest.raises(LedgerUnavailable) as caught:
            ledger.write_visits([VISIT])
    assert caught.value.kind == "locked"
    ledger.write_visits([VISIT])
    ledger.close()


def test_a_slow_server(postgres_url: str) -> None:
    """A statement that takes too long is ended and reported as slow."""
    upgrade(postgres_url)
    ledger = SqlLedger(f"{postgres_url}?options=-c%20statement_timeout%3D200ms", "a")
    with psycopg.connect(postgres_url) as other:
        other.execute("LOCK TABLE visits")
        with pytest.raises(LedgerUnavailable) as caught:
            ledger.write_visits([VISIT])
    assert caught.value.kind == "slow"
    ledger.close()


def test_a_name_that_no_text_can_hold(postgres_url: str) -> None:
    """A NUL or half a character in a name is refused as a row, not reported as an outage."""
    upgrade(postgres_url)
    ledger = SqlLedger(postgres_url, "a")
    for name in ("a\0na", "\ud800", "long" * 100_000):
        with pytest.raises(LedgerRefused):
            ledger.write_visits([Visit("v", name, "x", None, None, None, 0.0, 1.0, "a")])
    ledger.close()


def test_a_read_only_server(postgres_url: str) -> None:
    """A server that takes no writes fails the check and says so."""
    upgrade(postgres_url)
    ledger = SqlLedger(f"{postgres_url}?options=-c%20default_transaction_read_only%3Don", "a")
    with pytest.raises(LedgerUnavailable, match="takes no writes"):
        ledger.check()
    ledger.close()
