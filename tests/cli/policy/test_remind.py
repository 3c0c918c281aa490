"""`proxy_addon/cli/policy/remind.py`: reminders to send."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.command_setup import ledger, line, run
from tests.cli.policy.policy_office import ONE, policy_office

REASON = ("--names", "--reason", "reminding")
ADDRESS = "http://allowance.internal/policy?notice=social"


def test_without_names(folder: Path) -> None:
    """How many wait, where they read it, and one text for all; nothing is audited."""
    code, out, error = run("policy", "remind", "social")
    assert (code, error) == (0, "")
    assert out.startswith("social: 1 of 4 have read version 3; 3 have not")
    assert f"They read it at {ADDRESS}" in out
    assert "Subject: Please read: Social media at work, version 3" in out
    assert "Hello,\n" in out
    assert "Questions: ext. 120" in out
    assert not any(name in out for name in ("ana", "cleo", "dee"))
    found = json.loads(run("policy", "remind", "social", "--json")[1])["notices"]["social"]
    assert (found["waiting"], found["address"]) == (3, ADDRESS)
    assert "reminders" not in found
    with ledger() as opened:
        assert not [each for each in opened.audit_log() if each.action == "policy"]


def test_with_names(folder: Path) -> None:
    """A text for each, with what is closed to them or when it will be; audited."""
    out = run("policy", "remind", "social", *REASON)[1]
    parts = out.split("\nTo: ")
    assert [part.split("\n", 1)[0] for part in parts[1:]] == ["ana", "cleo", "dee"]
    assert "limited platforms close " in parts[1]
    assert "stay closed to you" in parts[2]
    assert "close" not in parts[3]
    found = json.loads(run("policy", "remind", "social", *REASON, "--json")[1])
    first = found["notices"]["social"]["reminders"][0]
    assert (first["user"], first["text"].splitlines()[0]) == ("ana", "Hello ana,")
    with ledger() as opened:
        assert len([each for each in opened.audit_log() if each.action == "policy"]) == 2


def test_mail_merge(folder: Path) -> None:
    """A row for each person, with subject and text in the language that was asked for."""
    code, out, _ = run("policy", "remind", "social", *REASON, "--csv", "-")
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["name"] for row in rows] == ["ana", "cleo", "dee"]
    assert rows[0]["address"] == ADDRESS
    assert rows[0]["state"] == "in grace"
    assert rows[2]["grace until"] == ""
    german = run("policy", "remind", "social", *REASON, "--csv", "-", "--language", "de")[1]
    assert "Soziale Medien" in german


def test_wrong_use(folder: Path) -> None:
    """A table needs names; a language that we do not speak is told with those that we do."""
    assert run("policy", "remind", "--csv", "-")[0] == 2
    assert run("policy", "remind", *REASON, "--csv", "-", "--json")[0] == 2
    code, _, error = run("policy", "remind", "--language", "nl")
    assert code == 2
    assert "en, de, fr, es" in error
    assert "there is social, guests" in line("policy", "remind", "nope")


def test_nobody_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No text is printed that nobody needs; without a policy that is said."""
    policy_office(tmp_path, monkeypatch, more="")
    with ledger():
        pass
    assert run("policy", "remind") == (0, "No written policy is in force.\n", "")
    policy = tmp_path / "rules" / "policy.yaml"
    policy.write_text(policy.read_text() + ONE)
    people = "default_role: staff\nroles: {staff: {}, guest: {}}\n"
    (tmp_path / "rules" / "people.yaml").write_text(people)
    assert "Subject" not in run("policy", "remind")[1]
