"""`proxy_addon/cli/common.py`: what all commands share."""

from __future__ import annotations

import ast
import getpass
from pathlib import Path

import pytest

from proxy_addon import cli
from proxy_addon.cli.common import operator
from tests.cli.command_setup import office, run


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An office to work in."""
    return office(tmp_path, monkeypatch)


def test_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who types is written into the audit, also in a container in which nobody has a name."""
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    assert operator() == "ada"

    def nobody() -> str:
        raise OSError("no username set in the environment")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert operator().startswith("uid-")


ESC = "\x1b[31m\r\x9b"


@pytest.mark.parametrize(
    "words",
    [
        ("rules", "explain", "--user", "ana", "--url", f"https://x.com/{ESC}"),
        ("rules", "explain", "--user", f"ana{ESC}", "--url", "https://x.com/"),
        ("rules", "check", f"no{ESC}"),
        ("rules", "diff", f"no{ESC}"),
        ("rules", "test", f"no{ESC}"),
        ("rules", "schema", f"no{ESC}"),
        ("rules", "reload", "--config", f"no{ESC}"),
        ("simulate", f"no{ESC}"),
        ("run", "--config", f"no{ESC}"),
        ("doctor", "--config", f"no{ESC}"),
        ("usage", f"no{ESC}"),
        ("usage", "ana", "--day", f"no{ESC}"),
        ("people", "list", "--config", f"no{ESC}"),
        ("db", "check", "--database", f"sqlite:///no{ESC}.db"),
        ("db", "copy", f"sqlite:///no{ESC}.db", "sqlite:///new.db"),
        ("audit", "--config", f"no{ESC}"),
        ("report", f"--no{ESC}"),
        (f"no{ESC}",),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_nothing_that_is_typed_moves_the_cursor(words: tuple[str, ...]) -> None:
    """A control character in an argument does not reach the terminal; line feeds are ours."""
    _, out, error = run(*words)
    assert out or error
    assert (out + error).replace("\n", "").isprintable()


def test_commands_print_in_one_way() -> None:
    """Lines for people go through `say`, `exit_with` and `PlainConsole`, which replace control
    characters."""
    printers = ("common.py", "tables.py", "main.py")  # main.py prints its version and nothing else
    direct = [
        f"{path.name}:{node.lineno}"
        for path in Path(cli.__file__).parent.rglob("*.py")
        if path.name not in printers
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("print", "typer.echo", "typer.secho", "Console")
    ]
    assert direct == []
