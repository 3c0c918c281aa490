"""Twin of proxy_addon/cli/db/replay.py: journals that the proxy leaves alone are shown, and
written."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from db.address import parse
from db.ledger import SqlLedger
from proxy_addon.core.types import Visit
from proxy_addon.ledger.journal import Journal
from proxy_addon.ledger.journal_owner import JournalOwner
from proxy_addon.ledger.ledgers_seen import LedgersSeen
from tests.cli.command_setup import run

URL = "sqlite:///var/allowance.db"
FOLDER = Path("var/journal")
POLICY = "version: 1\ntimezone: UTC\notherwise: allow\nrules:\n  - {name: All, then: allow}\n"
PEOPLE = "default_role: staff\nroles:\n  staff: {}\n  guest: {}\n"


@pytest.fixture
def ledger_id(folder: Path) -> str:
    """A ledger, rules, and the id of the ledger."""
    rules = folder / "rules"
    rules.mkdir()
    (rules / "policy.yaml").write_text(POLICY)
    (rules / "people.yaml").write_text(PEOPLE)
    run("db", "upgrade")
    with closing(SqlLedger(URL, "test")) as ledger:
        return ledger.identity()


def leave(name: str, owner: JournalOwner) -> Journal:
    """A journal with one visit whose process is gone."""
    left = Journal(FOLDER, name, owner)
    left.add([Visit(name, "ana", "x", None, None, None, 1.0, 2.0, name)])
    left.close()
    return left


def ids() -> set[str]:
    """Visits in the ledger."""
    with closing(SqlLedger(URL, "test")) as ledger:
        return {visit.id for visit in ledger.visits(0.0)}


def test_all_that_belong_to_this_ledger_or_to_nobody(ledger_id: str) -> None:
    """Wherever the database was when they began; those of another ledger and of processes that
    live are left alone, and a second time there is nothing to do."""
    leave("moved", JournalOwner("elsewhere", ledger_id))
    leave("nobody", JournalOwner("somewhere"))
    leave("before", JournalOwner("former"))
    LedgersSeen(Path("var")).remember("former", ledger_id)
    other = leave("other", JournalOwner("another", "0" * 32))
    alive = Journal(FOLDER, "alive", JournalOwner("x", ledger_id))
    code, out, error = run("db", "replay", "--json")
    assert code == 0, error
    found = json.loads(out)
    assert found["ledger"] == ledger_id
    rows = {Path(each["file"]).stem.partition("-")[2]: each for each in found["journals"]}
    assert {name: row["done"] for name, row in rows.items()} == {
        "moved": "replayed",
        "nobody": "replayed",
        "before": "replayed",
        "other": "left alone",
        "alive": "in use",
    }
    assert (rows["other"]["ledger"], rows["other"]["address"]) == ("0" * 32, "another")
    assert rows["nobody"]["belongs_to"] == "unknown" and rows["moved"]["visits"] == 1
    assert ids() == {"moved", "nobody", "before"}
    assert other.path.exists()
    alive.close()
    code, out, _ = run("db", "replay")
    assert code == 0 and out.count("\n") == 1 and "left alone, 1 visit" in out
    other.path.with_suffix(".a").unlink()
    shutil.rmtree(FOLDER)
    assert "No journals wait in var/journal" in run("db", "replay")[1]


def test_one_of_another_ledger(ledger_id: str) -> None:
    """Is shown and asked about; with --yes it is written, and a repetition says that it is gone."""
    other = leave("other", JournalOwner("another", "0" * 32))
    data = other.path.with_suffix(".a")
    code, _, error = run("db", "replay", str(data))
    assert code == 1
    assert "belongs to another ledger" in error and "0" * 32 in error and ledger_id in error
    assert "--yes" in error and ids() == set()
    code, out, _ = run("db", "replay", str(data), "--yes")
    assert code == 0 and "replayed, 1 visit" in out
    assert ids() == {"other"}
    code, _, error = run("db", "replay", str(data), "--yes")
    assert code == 1 and "may have been replayed already" in error


def test_one_of_a_process_that_runs(ledger_id: str) -> None:
    """Is not touched."""
    alive = Journal(FOLDER, "alive", JournalOwner(parse(URL).identity, ledger_id))
    code, _, error = run("db", "replay", str(alive.path))
    assert code == 1 and "a process that runs" in error
    alive.close()
