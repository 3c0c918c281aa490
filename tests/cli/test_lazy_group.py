"""`proxy_addon/cli/lazy_group.py`: a command is imported when it is asked for, and not before."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from proxy_addon.cli.lazy_group import CommandTarget, group_of

NAMES = ("lazy_beta", "lazy_alpha")


@pytest.fixture(name="app")
def fixture_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """A group of two commands in modules of their own, and one that is a group itself."""
    monkeypatch.syspath_prepend(tmp_path)
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text(
            f'import typer\n\n\ndef say(word: str = "-") -> None:\n    """Says {name}."""\n'
            f'    print("{name}", word)\n\n\n'
            'app = typer.Typer()\napp.command("one")(say)\napp.command("two")(say)\n'
        )
        monkeypatch.delitem(sys.modules, name, raising=False)
    targets = {
        "beta": CommandTarget("lazy_beta", "say"),
        "alpha": CommandTarget("lazy_alpha", "say"),
        "group": CommandTarget("lazy_alpha", "app"),
    }
    app = typer.Typer(cls=group_of(targets), no_args_is_help=True)
    app.callback()(lambda: None)
    return app


def loaded() -> list[str]:
    """Which of the modules are imported."""
    return [name for name in NAMES if name in sys.modules]


def test_only_the_command_that_is_asked_for(app: typer.Typer) -> None:
    """Neither the table nor another command imports a module; the command does, with its
    options."""
    assert loaded() == []
    answer = CliRunner().invoke(app, ["beta", "--word", "x"])
    assert (answer.exit_code, answer.stdout) == (0, "lazy_beta x\n")
    assert loaded() == ["lazy_beta"]


def test_a_group_in_a_group(app: typer.Typer) -> None:
    """A command can be a `typer.Typer`; `-h` is help at every level."""
    assert CliRunner().invoke(app, ["group", "two"]).stdout == "lazy_alpha -\n"
    for words in (["group", "-h"], ["group", "one", "-h"], ["beta", "-h"]):
        answer = CliRunner().invoke(app, words)
        assert answer.exit_code == 0
        assert "Says lazy_" in answer.stdout
        assert "install-completion" not in answer.stdout


def test_help_has_the_order_of_the_table(app: typer.Typer) -> None:
    """With the sentence of each command."""
    text = CliRunner().invoke(app, ["--help"]).stdout
    assert text.index(" beta ") < text.index(" alpha ") < text.index(" group ")
    assert "Says lazy_beta." in text
    assert loaded() == list(NAMES)


def test_a_mistyped_command(app: typer.Typer) -> None:
    """Exit code 2 and what may have been meant, for which nothing is imported."""
    answer = CliRunner().invoke(app, ["bet"])
    assert answer.exit_code == 2
    assert "Did you mean 'beta'?" in answer.stderr
    assert CliRunner().invoke(app, ["other"]).exit_code == 2
    assert loaded() == []


def test_garbage_is_looked_for_again(app: typer.Typer) -> None:
    """After a command was imported, and after one could not be."""
    assert CliRunner().invoke(app, ["beta"]).exit_code == 0
    assert gc.isenabled()
    group = typer.Typer(cls=group_of({"gone": CommandTarget("lazy_gone", "say")}))
    group.callback()(lambda: None)
    assert isinstance(CliRunner().invoke(group, ["gone"]).exception, ModuleNotFoundError)
    assert gc.isenabled()
