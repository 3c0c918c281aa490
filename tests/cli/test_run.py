"""`proxy_addon/cli/run.py`: the notice, and one line for what cannot work; `tests/e2e/test_run.py`
starts it."""

from __future__ import annotations

import inspect
import socket
from pathlib import Path

import pytest

from proxy_addon.cli.run import _database, _reach, relative, run
from proxy_addon.config.settings import Settings, load_settings
from tests.cli.command_setup import line, office
from tests.cli.command_setup import run as allowance


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with rules."""
    return office(tmp_path, monkeypatch)


def test_every_setting_has_its_flag() -> None:
    """Each setting that a proxy has can be given on the command line, by the same name."""
    flags = set(inspect.signature(run).parameters) - {"config"}
    assert flags <= set(Settings.model_fields)
    missing = set(Settings.model_fields) - flags
    assert missing <= {
        "pseudonym_key",
        "listen_database",
        "journal",
        "decision_log",
        "decision_log_sample",
        "decision_log_days",
    }, missing


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--rules", "nowhere"), "nowhere"),
        (("--flush", "soon"), "--flush: 'soon': write a time"),
        (("--confdir", "file/ca"), "confdir: file/ca"),
        (("--database", "sqlite:///file/a.db"), "file"),
        (("--workers", "0"), "--workers: 0: "),
    ],
)
def test_one_line(words: tuple[str, ...], says: str) -> None:
    """What cannot work: one line on standard error, nothing on standard output, exit code 1."""
    Path("file").write_text("")
    assert says in line("run", "--listen", "127.0.0.1:0", "--web", "127.0.0.1:0", *words)


@pytest.mark.parametrize("flag", ["--listen", "--web"])
def test_taken_port(flag: str) -> None:
    """A port that somebody has is named with its flag."""
    other = "--web" if flag == "--listen" else "--listen"
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = f"127.0.0.1:{holder.getsockname()[1]}"
        assert line("run", other, "127.0.0.1:0", flag, taken).startswith(f"{flag} {taken}: ")


def test_usage_error() -> None:
    """An unknown flag is wrong use: exit code 2."""
    assert allowance("run", "--colour", "blue")[0] == 2


def test_words_of_the_notice(folder: Path) -> None:
    """A path as one would type it, a database without its password, and who can reach the proxy."""
    assert relative(folder / "var" / "ca") == "var/ca"
    assert relative(Path("/elsewhere/ca")) == "/elsewhere/ca"
    secret = load_settings({"database": "postgresql+psycopg://me:secret@db.example/allowance"})
    assert _database(secret) == "postgresql+psycopg://…@db.example/allowance"
    assert _database(load_settings({})) == "sqlite:///var/allowance.db"
    assert _reach(load_settings({"listen": "127.0.0.1:1"})) == "for this machine"
    assert _reach(load_settings({})) == "for allowed client networks"
