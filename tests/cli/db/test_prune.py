"""Twin of proxy_addon/cli/db/prune.py."""

from __future__ import annotations

import json
import time
from contextlib import closing
from pathlib import Path

import pytest

from db.ledger import SqlLedger
from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import Acknowledgement
from tests.cli.command_setup import run

DAY = 86_400.0
POLICY = (
    "version: 1\ntimezone: Europe/London\nretention: 7d\notherwise: allow\n"
    "rules:\n  - {name: All, then: allow}\n"
)
PEOPLE = "default_role: staff\nroles:\n  staff: {}\n  guest: {}\n"


def test_prune_keeps_what_is_asked_for(folder: Path) -> None:
    """`--older-than` wins over the rules; older rows go and the count is told."""
    run("db", "upgrade")
    ledger = SqlLedger("sqlite:///var/allowance.db", "a")
    now = time.time()  # noqa: TID251
    ledger.write_visits(
        [
            Visit(f"v{d}", "ana", "x", None, None, None, now - d * DAY, now - d * DAY, "a")
            for d in (1, 5, 40)
        ]
    )
    code, out, _ = run("db", "prune", "--older-than", "3d", "--json")
    assert code == 0
    assert json.loads(out) == {"deleted": 2, "kept_seconds": 3 * DAY}
    assert [row.id for row in ledger.visits(0.0)] == ["v1"]
    ledger.close()


def test_prune_by_the_clock_of_the_ledger(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the server of the ledger tells the time, a host whose clock is a year ahead deletes
    nothing that is to be kept."""
    run("db", "upgrade")
    now = time.time()  # noqa: TID251
    monkeypatch.setattr(SqlLedger, "clock", lambda ledger: now - 365 * DAY)
    with closing(SqlLedger("sqlite:///var/allowance.db", "a")) as ledger:
        ledger.write_visits([Visit("v", "ana", "x", None, None, None, now - 400 * DAY, now, "a")])
        old = now - 370 * DAY
        ledger.write_visits([Visit("w", "ana", "x", None, None, None, old, old + 60.0, "a")])
        assert run("db", "prune", "--older-than", "30d")[0] == 0
        assert {row.id for row in ledger.visits(0.0)} == {"v", "w"}
        assert run("db", "prune", "--older-than", "3d")[0] == 0
        assert {row.id for row in ledger.visits(0.0)} == {"v"}


def test_prune_by_the_rules(folder: Path) -> None:
    """Without a time the `retention` of the rules counts; rules that are wrong delete nothing."""
    run("db", "upgrade")
    code, _, error = run("db", "prune")
    assert code == 1
    assert "rules" in error
    rules = folder / "rules"
    rules.mkdir()
    (rules / "policy.yaml").write_text(POLICY)
    (rules / "people.yaml").write_text(PEOPLE)
    code, out, error = run("db", "prune", "--json")
    assert code == 0, error
    assert json.loads(out)["kept_seconds"] == 7 * DAY


def test_prune_keeps_confirmations_in_force(folder: Path) -> None:
    """By the rules, or with `--older-than` beside them, a confirmation of the version in force
    stays and one of an older version goes; without rules to say so all stay."""
    run("db", "upgrade")
    now = time.time()  # noqa: TID251
    with closing(SqlLedger("sqlite:///var/allowance.db", "a")) as ledger:
        for version in ("2", "3"):
            ledger.acknowledge(
                Acknowledgement("ana", "media", version, version, now - 40 * DAY, "gate")
            )
    assert json.loads(run("db", "prune", "--older-than", "30d", "--json")[1])["deleted"] == 0
    rules = folder / "rules"
    (rules / "notices").mkdir(parents=True)
    (rules / "notices/media.md").write_text("---\nversion: 3.1\n---\n# Media\n\nBe kind.\n")
    (rules / "policy.yaml").write_text(POLICY + "notice: {file: notices/media.md}\n")
    (rules / "people.yaml").write_text(PEOPLE)
    code, out, error = run("db", "prune", "--older-than", "60d", "--json")
    assert (code, json.loads(out)["deleted"]) == (0, 0), error
    code, out, error = run("db", "prune", "--older-than", "30d", "--json")
    assert (code, json.loads(out)["deleted"]) == (0, 1), error
    code, out, error = run("db", "prune", "--json")
    assert (code, json.loads(out)["deleted"]) == (0, 0), error
    with closing(SqlLedger("sqlite:///var/allowance.db", "a")) as ledger:
        assert [done.version for done in ledger.acknowledgements()] == ["3"]


def test_a_time_that_is_none(folder: Path) -> None:
    """A bad time is a usage error: exit code 2."""
    run("db", "upgrade")
    code, _, error = run("db", "prune", "--older-than", "soon")
    assert code == 2
    assert "30d" in error
