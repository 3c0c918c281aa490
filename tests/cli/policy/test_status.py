"""`proxy_addon/cli/policy/status.py`: who has read the written policy."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command_setup import ledger, line, run
from tests.cli.policy.policy_office import ONE, in_force, people_read, policy_office
from tests.ledger.test_ledger_contract import visit
from tests.postgres import PostgresServer

REASON = ("--names", "--reason", "reminding  them")


def told(*words: str) -> dict[str, dict[str, object]]:
    """What the command says to programs."""
    code, out, error = run("policy", "status", "--json", *words)
    assert (code, error) == (0, "")
    found: dict[str, dict[str, object]] = json.loads(out)["notices"]
    return found


def test_counts(folder: Path) -> None:
    """How many have read it and how far the others are, without a name; for programs the keys that
    are promised."""
    code, out, error = run("policy", "status", "social")
    assert (code, error) == (0, "")
    assert (
        out == "social: 1 of 4 have read version 3; 3 have not: 1 not met, 1 in grace, 1 overdue.\n"
    )
    assert told("social")["social"] == {
        "version": "3",
        "digest": in_force(folder)[0].digest,
        "people": 4,
        "acknowledged": 1,
        "waiting": 3,
        "ask": "before-first-use",
        "not_met": 1,
        "in_grace": 1,
        "overdue": 1,
        "by_role": {
            "care": {"people": 1, "acknowledged": 0},
            "staff": {"people": 3, "acknowledged": 1},
        },
    }
    assert set(told()) == {"social", "guests"}
    with ledger() as opened:
        assert [each.action for each in opened.audit_log()] == ["acknowledge"] * 2


def test_by_role(folder: Path) -> None:
    """A line for each role; a notice that is only shown is shown, not read."""
    code, out, error = run("policy", "status", "--by-role")
    assert (code, error) == (0, "")
    assert "staff" in out
    assert "ana" not in out
    assert "guests: 0 of 0 have been shown version 1.\n" in out


def test_names_need_a_reason(folder: Path) -> None:
    """Either without the other is a wrong use; an empty reason is none."""
    for words in (("--names",), ("--reason", "why")):
        code, out, error = run("policy", "status", *words)
        assert (code, out) == (2, "")
        assert "belong together" in error
    assert "must say why" in line("policy", "status", "--names", "--reason", " ")


def test_names_are_audited(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who runs the command, for which notices, how many names and why; then the names."""
    monkeypatch.setenv("LOGNAME", "hanna")
    code, out, error = run("policy", "status", "social", *REASON)
    assert (code, error) == (0, "")
    assert "overdue" in out
    assert all(name in out for name in ("ana", "cleo", "dee"))
    assert " bo " not in out
    people = told("social", *REASON)["social"]["names"]
    assert [each["user"] for each in people] == ["ana", "cleo", "dee"]  # type: ignore[index]
    with ledger() as opened:
        looks = [each for each in opened.audit_log() if each.action == "policy"]
    assert len(looks) == 2
    assert (looks[0].actor, looks[0].subject) == ("cli:hanna", "everybody")
    assert looks[0].detail == "who has not read social 3 (3): reminding them"


def test_csv(folder: Path, tmp_path: Path) -> None:
    """Counts by role without names; with a reason a row for each person, in a file that only its
    owner reads; no cell is a formula."""
    code, out, _ = run("policy", "status", "social", "--csv", "-")
    assert code == 0
    assert list(csv.reader(io.StringIO(out)))[1:] == [
        ["social", "3", "care", "1", "0", "1"],
        ["social", "3", "staff", "3", "1", "2"],
    ]
    with ledger() as opened:
        opened.write_visits([visit(1, person="=cmd|'/c calc'!a0", start=2e9 - 1, end=2e9)])
    target = tmp_path / "waiting.csv"
    code, out, _ = run("policy", "status", "social", *REASON, "--csv", str(target))
    assert (code, out) == (0, f"The table is in {target}.\n")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    rows = list(csv.reader(io.StringIO(target.read_text())))
    assert rows[1][2] == "'=cmd|'/c calc'!a0"
    assert [row[2] for row in rows[2:]] == ["ana", "cleo", "dee"]
    assert run("policy", "status", "--csv", "-", "--json")[0] == 2
    unwritable = str(tmp_path / "no" / "such.csv")
    assert "cannot be written" in line("policy", "status", "--csv", unwritable)


def test_wrong_input(folder: Path) -> None:
    """An unknown notice is told with those that there are; a ledger that cannot be reached in one
    line."""
    assert "there is social, guests" in line("policy", "status", "nope")
    gone = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    assert "127.0.0.1:1" in line("policy", "status", "--database", gone)
    assert line("policy", "status", "--database", "sqlite:///nowhere.db")


def test_everybody_has_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nobody is named; where no policy is in force that is said, and is no error."""
    policy_office(tmp_path, monkeypatch, more="")
    with ledger():
        pass
    assert run("policy", "status") == (0, "No written policy is in force.\n", "")
    assert told() == {}
    policy = tmp_path / "rules" / "policy.yaml"
    policy.write_text(policy.read_text() + ONE)
    people = tmp_path / "rules" / "people.yaml"
    people.write_text("default_role: staff\nroles: {staff: {}, guest: {}}\n")
    code, out, _ = run("policy", "status", *REASON)
    assert (code, out) == (0, "social: 0 of 0 have read version 3.\nEverybody has read it.\n")


def test_behind_pseudonyms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts and roles are the same; with a reason names are told where this host knows them, and
    pseudonyms where it does not."""
    policy_office(tmp_path, monkeypatch, more=ONE + "privacy: {pseudonyms: true}\n")
    people_read(tmp_path)
    assert run("people", "add", "dee", "--password-stdin", stdin="a long password\n")[0] == 0
    assert told()["social"]["waiting"] == 3
    names = told(*REASON)["social"]["names"]
    users = [each["user"] for each in names]  # type: ignore[attr-defined]
    assert users[:2] == ["ana", "dee"]
    assert users[2].startswith("p:")
    with ledger() as opened:
        look = next(each for each in opened.audit_log() if each.action == "policy")
    assert look.actor.startswith("cli:p:")
    assert look.subject == "everybody"


@pytest.mark.postgres
def test_on_postgres(
    postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same there, by a real process with its exit code."""
    url = postgres_server.url(postgres_server.new_database())
    policy_office(tmp_path, monkeypatch)
    people_read(tmp_path, url)
    command = [sys.executable, "-m", "proxy_addon", "policy", "status", "social"]
    done = subprocess.run(
        [*command, "--database", url, *REASON, "--csv", "-"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"LOGNAME": "hanna"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [row[2] for row in csv.reader(io.StringIO(done.stdout))] == [
        "name",
        "ana",
        "cleo",
        "dee",
    ]
    with ledger(url) as opened:
        assert opened.audit_log()[-1].actor == "cli:hanna"
