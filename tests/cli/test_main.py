"""`proxy_addon/cli/main.py`: the commands, and that none pays for another."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

from proxy_addon.cli.main import COMMANDS, app
from tests.architecture.tree import ROOT
from tests.cli.command_setup import run


def test_help_names_every_command() -> None:
    """`allowance --help` lists what there is, with a sentence each."""
    code, out, _ = run("--help")
    assert code == 0
    for name in COMMANDS:
        assert name in out
    assert "Start the proxy" in out


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_every_command_can_be_loaded(name: str, flag: str) -> None:
    """Each line of the table leads to a command, which explains itself and offers no shell
    completion twice."""
    code, out, _ = run(name, flag)
    assert code == 0
    assert f"allowance {name}" in out
    assert "install-completion" not in out


def test_wrong_use() -> None:
    """An unknown command and an unknown flag are wrong use: exit code 2, nothing on standard
    output."""
    for words in (("bann",), ("usage", "dora", "--colour")):
        code, out, error = run(*words)
        assert (code, out) == (2, "")
        assert error


def test_the_version() -> None:
    """`--version` names what is installed, and needs no command."""
    assert run("--version") == (0, f"Allowance {version('social-allowance')}\n", "")


def test_nothing_is_help() -> None:
    """Without a command the help is shown."""
    code, out, error = run()
    assert "Usage" in out + error
    assert code == 2


OUTSIDE = ("mitmproxy", "fastapi", "uvicorn")
LOGS = ("structlog",)
LEDGER = ("sqlalchemy", "alembic", "db.ledger", "proxy_addon.cli.ledger_access")
RULES = ("yaml", "proxy_addon.core.notices.notice", "proxy_addon.rules.folder")
TESTS_OF_RULES = ("prometheus_client", "proxy_addon.rule_tests.runner")
SIMULATION = ("proxy_addon.simulate", "rich.progress")

# What a command does, and what it must not have imported when it has done so.
WITHOUT = {
    "rules check": (
        *OUTSIDE,
        *LEDGER,
        *LOGS,
        *TESTS_OF_RULES,
        *SIMULATION,
        "proxy_addon.rules.explanation",
    ),
    "rules schema": (
        *OUTSIDE,
        *LEDGER,
        *LOGS,
        *TESTS_OF_RULES,
        *SIMULATION,
        "yaml",
        "proxy_addon.rules.folder",
    ),
    "rules reload --web 127.0.0.1:1": (
        *OUTSIDE,
        *LEDGER,
        *LOGS,
        *TESTS_OF_RULES,
        *RULES,
        *SIMULATION,
    ),
    "rules diff rules": (*OUTSIDE, *LEDGER, *LOGS, *TESTS_OF_RULES, *SIMULATION),
    "rules test": (*OUTSIDE, *LEDGER, *SIMULATION, "proxy_addon.rules.explanation"),
    "rules explain -h": (*OUTSIDE, *TESTS_OF_RULES, *SIMULATION),
    "people add -h": (*OUTSIDE, *LEDGER, *LOGS, *TESTS_OF_RULES, *RULES, *SIMULATION),
    "people list": (*OUTSIDE, *LEDGER, *LOGS, *TESTS_OF_RULES, *RULES, *SIMULATION),
    "people remove -h": (*OUTSIDE, *LEDGER, *LOGS, *TESTS_OF_RULES, *RULES, *SIMULATION),
    "people export -h": (*OUTSIDE, *SIMULATION, "proxy_addon.cli.people.sign_ins"),
    "doctor -h": (*SIMULATION, "fastapi", "mitmproxy.master", "proxy_addon.runtime.application"),
    "simulate -h": (*LEDGER, "fastapi", "uvicorn"),
    "policy list -h": (*OUTSIDE, *SIMULATION, "proxy_addon.report.notice_document"),
    "db check": (*OUTSIDE, *SIMULATION, "yaml", "proxy_addon.rules.folder", "db.copy"),
    "db copy -h": (*OUTSIDE, "yaml", "proxy_addon.rules.folder"),
    "usage -h": (*OUTSIDE, *SIMULATION),
    "--version": (*OUTSIDE, *LEDGER, *RULES, *SIMULATION, "pydantic", "proxy_addon.cli.common"),
}


@pytest.mark.parametrize("words", WITHOUT)
def test_quick(words: str, tmp_path: Path) -> None:
    """A command does not import what only another one needs: its neighbours, or the ledger."""
    script = (
        "import sys\nfrom proxy_addon.cli.main import app\n"
        f"try:\n    app({words.split()!r})\nexcept SystemExit:\n    pass\n"
        "print('\\n'.join(sys.modules))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    modules = set(answer.stdout.splitlines())
    assert "proxy_addon.cli.lazy_group" in modules
    assert sorted(set(WITHOUT[words]) & modules) == []


def test_what_must_not_be_imported_exists() -> None:
    """A name in the table above that is mistyped would prove nothing."""
    for name in {name for names in WITHOUT.values() for name in names}:
        assert find_spec(name), name


def test_app_is_callable() -> None:
    """The entry point of the distribution."""
    assert callable(app)
