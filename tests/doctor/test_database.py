"""`proxy_addon/doctor/database.py`: the database and the journal."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from db.address import parse
from db.engine import HEAD
from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.config.settings import Settings
from proxy_addon.core.types import Visit
from proxy_addon.doctor import database
from proxy_addon.doctor.check import Check, State
from proxy_addon.ledger.journal import Journal
from proxy_addon.ledger.journal_owner import JournalOwner
from tests.db.engines import ENGINES, connected, new_url
from tests.unprivileged import unprivileged


def look(url: str, now: float = 0.0) -> dict[str, Check]:
    """The checks by name."""
    return {check.name: check for check in database.database_checks(named(url), now)}


def named(url: str) -> Settings:
    """Settings with this database, past their own look at it."""
    return Settings().model_copy(update={"database": url})


def test_not_there_yet(tmp_path: Path) -> None:
    """A SQLite file is not made by looking."""
    found = look(f"sqlite:///{tmp_path}/var/ledger.db")
    assert found["database"].state is State.NOT_CHECKED
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("engine", ENGINES)
def test_ready(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Opens, has our schema, takes a row, and tells how quickly."""
    url = new_url(engine, request, tmp_path)
    upgrade(url)
    found = look(url)
    assert found["database"].state is State.OK, found
    assert HEAD in found["database"].fact
    assert found["database speed"].state in (
        State.OK,
        State.WARNING,
    )  # a machine under load may be slow
    assert "open sesame" not in str(found)
    # Asked in 1970, the clock of a server is ahead; that of a file is ours.
    skewed = [check.state for name, check in found.items() if name == "clock of the database"]
    assert skewed == ([] if engine == "sqlite" else [State.WARNING])


@pytest.mark.parametrize("engine", ENGINES)
def test_no_tables_yet(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Empty, as a new server is: a warning, and it stays empty."""
    url = new_url(engine, request, tmp_path)
    if engine == "sqlite":
        parse(url).file.parent.mkdir()
        parse(url).file.touch(0o600)
    assert look(url)["database"].state is State.WARNING
    with connected(url) as connection:
        names = connection.exec_driver_sql(
            "SELECT name FROM sqlite_master"
            if engine == "sqlite"
            else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).all()
    assert names == []


def test_of_somebody_else(tmp_path: Path) -> None:
    """Another program's tables are an error, and are left alone."""
    url = f"sqlite:///{tmp_path}/other.db"
    parse(url).file.touch(0o600)
    with connected(url) as connection:
        connection.exec_driver_sql("CREATE TABLE invoices (id INTEGER)")
    check = look(url)["database"]
    assert (check.state, "invoices" in check.fact) == (State.ERROR, True)


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "postgresql://ada:secret@127.0.0.1:1/none"],
    ids=["no file", "nobody listens"],
)
def test_cannot_be_used(url: str) -> None:
    """An error with a remedy and without the password."""
    check = look(url)["database"]
    assert check.state is State.ERROR
    assert check.remedy
    assert "secret" not in str(check)


def test_file_that_everybody_reads(tmp_path: Path) -> None:
    """Who used what is nobody else's business."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    upgrade(url)
    assert look(url)["database file"].state is State.OK
    (tmp_path / "ledger.db").chmod(0o644)
    assert look(url)["database file"].state is State.WARNING


def test_folder_that_is_not_ours() -> None:
    """A database and a journal that cannot be made."""
    with unprivileged() as folder:
        folder.chmod(0o500)
        settings = Settings(database=f"sqlite:///{folder}/var/ledger.db")
        assert [check.state for check in database.database_checks(settings, 0.0)] == [State.ERROR]
        assert [check.state for check in database.journal_checks(settings)] == [State.ERROR]


def test_journal(tmp_path: Path) -> None:
    """What waits is counted and stays there."""
    settings = Settings(database=f"sqlite:///{tmp_path}/ledger.db")
    folder = tmp_path / "journal"
    (check,) = database.journal_checks(settings)
    assert check.state is State.OK
    assert not folder.exists()
    journal = Journal(folder, "node", JournalOwner(parse(settings.database).identity))
    (check,) = database.journal_checks(settings)
    assert check.state is State.OK
    journal.add([Visit("1", "ana", "x", None, "daily", "Fifteen", 1.0, 2.0, "node")])
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    (check,) = database.journal_checks(settings)
    assert (check.state, check.fact.startswith("1 visit not")) == (State.WARNING, True)
    journal.close()
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_journals_of_another_ledger(tmp_path: Path) -> None:
    """What the proxy leaves alone is counted by itself, with the command for it; one that followed
    its ledger to another address is our own, by the id that the database tells."""
    settings = Settings(database=f"sqlite:///{tmp_path}/ledger.db", state=tmp_path / "state")
    upgrade(settings.database)
    with closing(SqlLedger(settings.database, "test")) as ledger:
        ours = ledger.identity()
    visit = Visit("1", "ana", "x", None, "daily", "Fifteen", 1.0, 2.0, "node")
    for number, owner in enumerate((JournalOwner("old address", ours), JournalOwner("b", "id"))):
        journal = Journal(tmp_path / "journal", f"node{number}", owner)
        journal.add([visit])
        journal.close()
    foreign, own = database.journal_checks(settings)
    assert foreign.state is own.state is State.WARNING
    assert foreign.fact.startswith("1 visit in 1 journal") and "replay" in (foreign.remedy or "")
    assert own.fact.startswith("1 visit not in the ledger yet, in 1 journal")
