"""`proxy_addon/cli/main.py`: the commands, and that none pays for another."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

from proxy_addon.cli.main import COMMANDS, app
from tests.cli.command_setup import run

HEAVY = ("mitmproxy", "fastapi", "uvicorn")


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


@pytest.mark.parametrize(
    ("words", "without"), [(("usage", "-h"), HEAVY), (("people", "-h"), HEAVY)]
)
def test_quick(words: tuple[str, ...], without: tuple[str, ...]) -> None:
    """A command does not import what only another one needs."""
    script = (
        "import sys\nfrom proxy_addon.cli.main import app\n"
        f"try:\n    app({list(words)!r})\nexcept SystemExit:\n    pass\n"
        "print('\\n'.join(sys.modules))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    modules = set(answer.stdout.splitlines())
    assert "proxy_addon.cli.main" in modules
    assert not set(without) & modules


def test_app_is_callable() -> None:
    """The entry point of the distribution."""
    assert callable(app)
