"""Twin of db/in_flight.py: a call that hangs is told from one that works; test_listener.py ends
one."""

from __future__ import annotations

from pathlib import Path

from db.address import parse
from db.engine import open_engine
from db.in_flight import CallWatchdog, notify
from db.upgrade import upgrade
from tests.db.engines import connected


def test_only_a_call_that_lasts_is_ended(tmp_path: Path) -> None:
    """Nothing under way, or something that began just now, is left alone; what lasts longer is
    not."""
    calls = CallWatchdog(open_engine(parse(f"sqlite:///{tmp_path}/ledger.db"), "a"))
    assert not calls.break_off(0.0)
    with calls.counted():
        assert not calls.break_off(60.0)
        assert calls.break_off(-1.0)
    assert not calls.break_off(-1.0)


def test_sqlite_calls_nobody(tmp_path: Path) -> None:
    """Where there is nobody to call, calling does nothing."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    upgrade(url)
    with connected(url) as connection:
        notify(connection, "a")
