"""Twin of proxy_addon/cli/db/commands.py."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from db.engine import HEAD
from db.ledger import SqlLedger
from proxy_addon.cli.db.commands import app
from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import Acknowledgement
from tests.db.engines import connected
from tests.db.test_next_schema import ADDED

DAY = 86_400.0
POLICY = (
    "version: 1\ntimezone: Europe/London\nretention: 7d\notherwise: allow\n"
    "rules:\n  - {name: All, then: allow}\n"
)
PEOPLE = "default_role: staff\nroles:\n  staff: {}\n  guest: {}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, where no settings file and no variable decide."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ALLOWANCE_DATABASE", raising=False)
    return tmp_path


def run(*words: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.stdout, result.stderr


def test_upgrade_then_check(folder: Path) -> None:
    """Upgrade makes the default database, says what it did, and check finds it ready."""
    assert run("check")[0] == 1
    code, out, _ = run("upgrade")
    assert code == 0
    assert "var/allowance.db is now at schema" in out
    assert "was already" in run("upgrade")[1]
    code, out, _ = run("check")
    assert code == 0
    assert "is ready" in out


def test_check_as_json(folder: Path) -> None:
    """The JSON form has the answer and the problem, with the same exit codes."""
    code, out, _ = run("check", "--json")
    assert code == 1
    assert json.loads(out)["ok"] is False
    assert "cannot be opened" in json.loads(out)["problem"]
    run("upgrade")
    code, out, _ = run("check", "--json")
    assert code == 0
    assert json.loads(out)["problem"] is None


def test_the_schema_is_that_of_the_database(folder: Path) -> None:
    """A newer schema that this version may use is shown as it is, and that it is newer; so is a
    usual one."""
    url = f"sqlite:///{folder}/var/allowance.db"
    assert f"is now at schema {HEAD}." in run("upgrade")[1]
    assert f"schema {HEAD}, can be written to" in run("check")[1]
    assert json.loads(run("check", "--json")[1])["schema"] == HEAD
    with connected(url) as connection:
        for statement in ADDED:
            connection.execute(text(statement))
        connection.execute(
            text("INSERT INTO schema_compatibility VALUES (:oldest)"), {"oldest": HEAD}
        )
    newer = f"schema ledger_9999 (newer than {HEAD} of this version, but compatible)"
    assert f"was already at {newer}." in run("upgrade")[1]
    assert f"is ready: {newer}, can be written to." in run("check")[1]
    found = json.loads(run("check", "--json")[1])
    assert (found["ok"], found["schema"]) == (True, "ledger_9999")


def test_a_schema_that_cannot_be_used(folder: Path) -> None:
    """A newer schema that does not say that we may use it is named, with the problem; no database,
    no schema."""
    assert json.loads(run("check", "--json")[1])["schema"] is None
    run("upgrade")
    with connected(f"sqlite:///{folder}/var/allowance.db") as connection:
        connection.execute(text("DELETE FROM schema_compatibility"))
        connection.execute(text("UPDATE alembic_version SET version_num = 'ledger_9999'"))
    code, out, _ = run("check", "--json")
    found = json.loads(out)
    assert (code, found["ok"], found["schema"]) == (1, False, "ledger_9999")
    assert "a newer Allowance" in found["problem"]


def test_the_environment_names_the_database(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ALLOWANCE_DATABASE` counts, and a flag counts more."""
    monkeypatch.setenv("ALLOWANCE_DATABASE", f"sqlite:///{folder}/one.db")
    run("upgrade")
    run("upgrade", "--database", f"sqlite:///{folder}/two.db")
    assert {file.name for file in folder.glob("*.db")} == {"one.db", "two.db"}


def test_somebody_elses_database(folder: Path) -> None:
    """One line on standard error, exit code 1, nothing on standard output."""
    with sqlite3.connect(folder / "other.db") as other:
        other.execute("CREATE TABLE invoices (id INTEGER)")
    other.close()
    for command in ("upgrade", "check"):
        code, out, error = run(command, "--database", f"sqlite:///{folder}/other.db")
        assert (code, out) == (1, "")
        assert "invoices" in error
        assert len(error.splitlines()) == 1


def test_a_password_is_not_shown(folder: Path) -> None:
    """A server that is away is named without the password."""
    code, out, error = run("check", "--database", "postgresql://u:s3cret@127.0.0.1:1/d")
    assert code == 1
    assert "127.0.0.1:1" in error
    assert "s3cret" not in out + error


def test_prune_keeps_what_is_asked_for(folder: Path) -> None:
    """`--older-than` wins over the rules; older rows go and the count is told."""
    run("upgrade")
    ledger = SqlLedger("sqlite:///var/allowance.db", "a")
    now = time.time()  # noqa: TID251
    ledger.write_visits(
        [
            Visit(f"v{d}", "ana", "x", None, None, None, now - d * DAY, now - d * DAY, "a")
            for d in (1, 5, 40)
        ]
    )
    code, out, _ = run("prune", "--older-than", "3d", "--json")
    assert code == 0
    assert json.loads(out) == {"deleted": 2, "kept_seconds": 3 * DAY}
    assert [row.id for row in ledger.visits(0.0)] == ["v1"]
    ledger.close()


def test_prune_by_the_rules(folder: Path) -> None:
    """Without a time the `retention` of the rules counts; rules that are wrong delete nothing."""
    run("upgrade")
    code, _, error = run("prune")
    assert code == 1
    assert "rules" in error
    rules = folder / "rules"
    rules.mkdir()
    (rules / "policy.yaml").write_text(POLICY)
    (rules / "people.yaml").write_text(PEOPLE)
    code, out, error = run("prune", "--json")
    assert code == 0, error
    assert json.loads(out)["kept_seconds"] == 7 * DAY


def test_prune_keeps_confirmations_in_force(folder: Path) -> None:
    """By the rules, or with `--older-than` beside them, a confirmation of the version in force
    stays and one of an older version goes; without rules to say so all stay."""
    run("upgrade")
    now = time.time()  # noqa: TID251
    with closing(SqlLedger("sqlite:///var/allowance.db", "a")) as ledger:
        for version in ("2", "3"):
            ledger.acknowledge(
                Acknowledgement("ana", "media", version, version, now - 40 * DAY, "gate")
            )
    assert json.loads(run("prune", "--older-than", "30d", "--json")[1])["deleted"] == 0
    rules = folder / "rules"
    (rules / "notices").mkdir(parents=True)
    (rules / "notices/media.md").write_text("---\nversion: 3.1\n---\n# Media\n\nBe kind.\n")
    (rules / "policy.yaml").write_text(POLICY + "notice: {file: notices/media.md}\n")
    (rules / "people.yaml").write_text(PEOPLE)
    code, out, error = run("prune", "--older-than", "60d", "--json")
    assert (code, json.loads(out)["deleted"]) == (0, 0), error
    code, out, error = run("prune", "--older-than", "30d", "--json")
    assert (code, json.loads(out)["deleted"]) == (0, 1), error
    code, out, error = run("prune", "--json")
    assert (code, json.loads(out)["deleted"]) == (0, 0), error
    with closing(SqlLedger("sqlite:///var/allowance.db", "a")) as ledger:
        assert [done.version for done in ledger.acknowledgements()] == ["3"]


def test_a_time_that_is_none(folder: Path) -> None:
    """A bad time is a usage error: exit code 2."""
    run("upgrade")
    code, _, error = run("prune", "--older-than", "soon")
    assert code == 2
    assert "30d" in error
