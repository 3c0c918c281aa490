"""Twin of proxy_addon/cli/people/sign_ins.py: the commands as a person runs them, on a terminal and
in a script."""

from __future__ import annotations

import json
import os
import pty
import select
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from proxy_addon.cli.people.commands import app
from proxy_addon.identity.passwords import PasswordFile


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Each test works in an empty folder, with none of our variables in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("ALLOWANCE_")]:
        monkeypatch.delenv(name)


def run(*words: str, stdin: str | bytes = "") -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(words), input=stdin)
    return result.exit_code, result.stdout, result.stderr


def test_add_from_a_script(tmp_path):
    """`--password-stdin` takes the first line, blanks and colons included, and says what comes
    next."""
    code, out, err = run("add", "Dora", "--password-stdin", stdin=" pass:word ü \nnot this\n")
    assert (code, err) == (0, "")
    assert out.startswith("dora can now sign in.\n")
    assert "Next:" in out
    assert PasswordFile(tmp_path / "var" / "passwords").attempt("dora", " pass:word ü ").right


def test_change_of_a_password(tmp_path):
    """Adding somebody again changes the password, and says so."""
    run("add", "dora", "--password-stdin", stdin="first password\n")
    code, out, _ = run("add", "DORA", "--password-stdin", stdin="second password\n")
    assert (code, out.splitlines()[0]) == (0, "The password of dora is changed.")
    assert PasswordFile(tmp_path / "var" / "passwords").attempt("dora", "second password").right


def test_list_and_remove():
    """People are listed for people and for programs, and gone after removal."""
    for name in ("dora", "bob"):
        run("add", name, "--password-stdin", stdin="some password\n")
    assert run("list")[:2] == (0, "bob\ndora\n")
    assert json.loads(run("list", "--json")[1]) == {"people": ["bob", "dora"]}
    assert run("remove", "Bob")[:2] == (0, "bob can no longer sign in.\n")
    assert "no longer asks for sign-in" in run("remove", "dora")[1]
    code, out, err = run("list")
    assert (code, out) == (0, "")
    assert "Next: allowance people add USER" in err


@pytest.mark.parametrize(
    ("words", "stdin", "message"),
    [
        (("add", "a:b", "--password-stdin"), "some password\n", "USER: 'a:b': a name has no"),
        (("remove", "a:b"), "", "USER: 'a:b': a name has no"),
        (
            ("add", "dora", "--passwords", "."),
            "",
            "--passwords: .: cannot be read: Is a directory; name a file",
        ),
        (("add", "dora", "--password-stdin"), "\n", "a password cannot be empty"),
        (("add", "dora", "--password-stdin"), "", "a password cannot be empty"),
        (("add", "dora", "--password-stdin"), b"\xff\xfe\n", "is not UTF-8 text"),
        (("add", "dora"), "", "give the password with --password-stdin"),
        (("remove", "nobody"), "", "nobody is not in var/passwords; see: allowance people list"),
        (("list", "--config", "no.toml"), "", "no.toml: cannot be read"),
    ],
)
def test_wrong_input(words, stdin, message):
    """Wrong input gives one line on standard error, exit code 1, and no file."""
    code, out, err = run(*words, stdin=stdin)
    assert (code, out) == (1, "")
    assert message in err
    assert len(err.splitlines()) == 1
    assert not Path("var/passwords").exists()


def test_wrong_file_is_one_line():
    """A password file that is wrong is named with its line, by every command, and left as it is."""
    Path("var").mkdir()
    Path("var/passwords").write_text("dora:secret\n")
    for words in (("list",), ("remove", "dora"), ("add", "eve", "--password-stdin")):
        code, _, err = run(*words, stdin="some password\n")
        assert code == 1
        assert err.startswith("var/passwords:1: is not a user and an argon2id hash")
    assert Path("var/passwords").read_text() == "dora:secret\n"


def test_short_password_is_warned_about():
    """A password under ten characters is taken, with a warning."""
    code, out, err = run("add", "dora", "--password-stdin", stdin="short\n")
    assert code == 0
    assert "fewer than 10 characters" in err
    assert "dora can now sign in." in out


def test_file_from_settings(tmp_path, monkeypatch):
    """The password file is the one of the settings, and the flag wins."""
    (tmp_path / "office.toml").write_text('passwords = "a"\nsign_in = "off"\n')
    out = run(
        "add", "dora", "--config", "office.toml", "--password-stdin", stdin="some password\n"
    )[1]
    assert "Sign-in is switched off" in out
    monkeypatch.setenv("ALLOWANCE_PASSWORDS", "b")
    run("add", "eve", "--config", "office.toml", "--password-stdin", stdin="some password\n")
    run("add", "zoe", "--passwords", "c", "--password-stdin", stdin="some password\n")
    assert [PasswordFile(tmp_path / name).users() for name in "abc"] == [
        ("dora",),
        ("eve",),
        ("zoe",),
    ]


def on_terminal(answers: list[tuple[str, str]], *words: str) -> tuple[int, str]:
    """Run the command on a real terminal, answer each question; exit code and the whole screen."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(
            sys.executable,
            [
                sys.executable,
                "-c",
                "from proxy_addon.cli.people.commands import app; app()",
                *words,
            ],
        )
    screen, waiting, deadline = "", list(answers), time.monotonic() + 30
    seen = 0
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            chunk = os.read(terminal, 4096).decode()
        except OSError:
            break
        if not chunk:
            break
        screen += chunk
        if waiting and (at := screen.find(waiting[0][0], seen)) >= 0:
            seen = at + len(waiting[0][0])
            os.write(terminal, waiting.pop(0)[1].encode() + b"\n")
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), screen


def test_asks_twice_without_echo(tmp_path):
    """On a terminal the password is asked for twice, asked again after a slip, and never shown."""
    code, screen = on_terminal(
        [
            ("dora: ", "hunter2 hunter2"),
            ("again: ", "hunter3"),
            ("dora: ", "hunter2 hunter2"),
            ("again: ", "hunter2 hunter2"),
        ],
        "add",
        "dora",
    )
    assert code == 0
    assert "dora can now sign in." in screen
    assert "hunter" not in screen
    assert PasswordFile(tmp_path / "var" / "passwords").attempt("dora", "hunter2 hunter2").right
