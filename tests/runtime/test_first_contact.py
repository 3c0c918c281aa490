"""`proxy_addon/runtime/first_contact.py`: a proxy that is wired starts without its ledger, and
joins it whenever it is there."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from db.address import parse
from db.engine import HEAD
from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.config.settings import Settings, load_settings
from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import LedgerError, LedgerUnavailable
from proxy_addon.ledger.journal import Journal
from proxy_addon.ledger.journal_owner import JournalOwner
from proxy_addon.proxy import ca
from proxy_addon.runtime.application import Application
from proxy_addon.runtime.ledger_opening import LedgerOpening
from proxy_addon.system.clock import SystemClock
from tests.e2e.waiting import free_port
from tests.proxy.harness import ProxyHarness

ALLOWANCE = "short"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An office in a folder of its own, whose ledger holds a minute of dora."""
    ProxyHarness(tmp_path).close()
    monkeypatch.chdir(tmp_path)
    found = load_settings(
        {
            "rules": "rules",
            "database": f"sqlite:///{tmp_path}/ledger.db",
            "confdir": "own-ca",
            "passwords": "passwords",
            "listen": f"127.0.0.1:{free_port()}",
            "web": f"127.0.0.1:{free_port()}",
            "flush": "50ms",
        }
    )
    upgrade(found.database)
    return found


def minute(name: str, at: float, person: str = "dora") -> Visit:
    """A minute of somebody that ended at `at`."""
    return Visit(name, person, "x", None, ALLOWANCE, "rule", at - 60.0, at, "elsewhere")


def schema(settings: Settings, revision: str, oldest: str) -> None:
    """The database says that it has another schema."""
    with closing(sqlite3.connect(parse(settings.database).file)) as other:
        other.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        other.execute("UPDATE schema_compatibility SET oldest = ?", (oldest,))
        other.commit()


def journals() -> list[str]:
    """The files of journals that are there."""
    return [path.name for path in Path("journal").iterdir()]


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait for something that another thread does."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.02)


async def test_it_joins_later(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the ledger there is what the journals hold; with it everything, each visit once, and
    what was used meanwhile is written."""
    ledger = SqlLedger(settings.database, "elsewhere")
    away = threading.Event()
    away.set()
    really_join = LedgerOpening.join

    def join[Known](self: LedgerOpening, read: Callable[[], Known]) -> tuple[Known, float]:
        if away.is_set():
            raise LedgerUnavailable("it is away", kind="unreachable")
        return really_join(self, read)

    monkeypatch.setattr(LedgerOpening, "join", join)
    left = Journal(Path("journal"), "dead", JournalOwner(parse(settings.database).identity))
    office = Application(settings)
    now = office.clock.now()
    ledger.write_visits([minute("old", now - 120.0), minute("bo", now, "bo")])
    left.add([minute("left", now - 60.0)])
    left.close()
    office.load()
    office.book.of("cy")
    assert office.book.is_unknown("dora") and office.book.is_unknown("cy")
    assert set(office.book.of("dora").visits) == {"left"}
    assert not office.enforcer.gate.book.is_known
    office.start(asyncio.get_running_loop())
    office.writer.put(minute("meanwhile", now))
    office.book.load([minute("meanwhile", now)], ())
    await eventually(lambda: not office.writer.state().up)
    assert "it is away" in office.readiness.checks()["ledger"].text
    away.clear()
    await eventually(lambda: office.writer.state().up and office.enforcer.gate.book.is_known)
    await eventually(lambda: not office.book.is_unknown("dora"))
    await eventually(lambda: set(office.book.of("dora").visits) == {"old", "left", "meanwhile"})
    assert set(office.book.of("bo").visits) == {"bo"}
    await eventually(lambda: len(list(ledger.visits(0.0))) == 4)
    assert office.stop() == 0
    assert journals() == []
    ledger.close()


async def test_a_database_that_does_not_answer(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The start waits for it a little, and the contact goes on; what it finds is taken over as soon
    as there is a loop."""
    monkeypatch.setattr("proxy_addon.runtime.first_contact.START_SECONDS", 0.1)
    answers = threading.Event()
    really_upgrade = upgrade

    def slow(url: str) -> bool:
        answers.wait(30)
        return really_upgrade(url)

    monkeypatch.setattr("proxy_addon.runtime.ledger_opening.upgrade", slow)
    office = Application(settings)
    office.load()
    assert "it has not answered yet" in office.readiness.checks()["ledger"].text
    answers.set()
    await eventually(lambda: office.writer.state().up)
    assert not office.enforcer.gate.book.is_known
    office.start(asyncio.get_running_loop())
    assert office.enforcer.gate.book.is_known
    assert office.stop() == 0


@pytest.mark.parametrize("is_worker", [False, True])
async def test_a_newer_schema(settings: Settings, is_worker: bool) -> None:
    """Ends the start of a service, and leaves nothing behind; a worker that is started again
    serves, says so, and joins when the schema is one that it knows."""
    schema(settings, "ledger_9999", "ledger_9998")
    ca.prepare(settings.confdir)  # the supervisor has made it
    office = Application(settings, prunes=not is_worker)
    if not is_worker:
        with pytest.raises(LedgerError, match="which this version does not know"):
            office.load()
        assert journals() == []
        return
    office.load()
    office.start(asyncio.get_running_loop())
    assert "which this version does not know" in office.readiness.checks()["ledger"].text
    schema(settings, HEAD, HEAD)
    await eventually(lambda: office.readiness.checks()["ledger"].ok)
    assert office.stop() == 0


async def test_what_the_ledger_refuses_is_counted(settings: Settings) -> None:
    """What an earlier process used, and the database does not take, is in the balance of the next
    start all the same, and stays in its journal."""
    left = Journal(Path("journal"), "dead", JournalOwner(parse(settings.database).identity))
    now = SystemClock().now()
    left.add([minute("refused", now - 60.0), minute("taken", now)])
    left.close()
    with closing(sqlite3.connect(parse(settings.database).file)) as other:
        other.execute(
            "CREATE TRIGGER boom BEFORE INSERT ON visits WHEN NEW.id = 'refused' "
            "BEGIN SELECT RAISE(ABORT, 'boom'); END"
        )
    office = Application(settings)
    office.load()
    assert set(office.book.of("dora").visits) == {"refused", "taken"}
    assert left.path.name in journals()
    office.start(asyncio.get_running_loop())
    office.stop()
