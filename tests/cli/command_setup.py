"""What tests of commands need: rules and a ledger on disk, and a way to run a command."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.cli.main import app
from proxy_addon.core.types import Visit

URL = "sqlite:///var/allowance.db"
DAY = 86_400.0
POLICY = """
version: 1
timezone: {zone}
allowances:
  daily: {{limit: 15m per day}}
  rolling: {{limit: 10m per rolling 4h}}
rules:
  - {{name: Fifteen, platforms: [x], then: {{spend: daily}}}}
  - {{name: Ten, platforms: [youtube], then: {{spend: rolling}}}}
otherwise: allow
{more}
"""
PEOPLE = """
default_role: staff
roles:
  staff: {}
  guest: {}
  care: {members: [ana, "*@brand.example"]}
devices:
  10.0.7.21: reception
"""


def office(
    folder: Path, monkeypatch: pytest.MonkeyPatch, zone: str = "UTC", more: str = ""
) -> Path:
    """Rules in an empty working folder, with none of our variables in the environment."""
    monkeypatch.chdir(folder)
    for name in [name for name in os.environ if name.startswith("ALLOWANCE_")]:
        monkeypatch.delenv(name)
    rules = folder / "rules"
    (rules / "platforms").mkdir(parents=True)
    (rules / "policy.yaml").write_text(POLICY.format(zone=zone, more=more))
    (rules / "people.yaml").write_text(PEOPLE)
    for name in ("x", "youtube"):
        (rules / "platforms" / f"{name}.yaml").write_text(
            f"{name}:\n  title: {name}\n  hosts: [{name}.com]\n"
        )
    return folder


def run(*words: str, stdin: str = "") -> tuple[int, str, str]:
    """Exit code, standard output, standard error of `allowance …`."""
    result = CliRunner().invoke(app, list(words), input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def line(*words: str) -> str:
    """What a command says that must fail: one line on standard error, exit code 1, nothing else."""
    code, out, error = run(*words)
    assert (code, out) == (1, ""), (code, out, error)
    assert len(error.splitlines()) == 1, error
    return error


@contextmanager
def ledger(url: str = URL) -> Iterator[SqlLedger]:
    """The ledger in the working folder."""
    upgrade(url)
    opened = SqlLedger(url, "test")
    yield opened
    opened.close()


def used(
    person: str = "ana", allowance: str = "daily", ago: float = 60.0, seconds: float = 30.0
) -> Visit:
    """A visit that began so many seconds ago."""
    start = time.time() - ago  # noqa: TID251
    platform = "x" if allowance == "daily" else "youtube"
    return Visit(
        f"{person}{ago}", person, platform, None, allowance, "Fifteen", start, start + seconds, "n"
    )


@pytest.fixture(name="folder", autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder whose ledger has a visit of ana from yesterday and one of bo from today."""
    # About noon now, so that no test crosses the end of a day.
    offset = 12 - datetime.now(UTC).hour  # noqa: TID251
    office(tmp_path, monkeypatch, "UTC" if offset == 0 else f"Etc/GMT{-offset:+d}")
    with ledger() as opened:
        opened.write_visits([used("ana", ago=DAY), used("bo")])
    return tmp_path
