"""The process that forks for each command runs it as the installed command would."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.docs.command_server import CommandServer, client
from tests.docs.pages import ROOT
from tests.e2e.client import clean_environment

type Allowance = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def allowance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Allowance]:
    """Runs a command of the stand-in, in a folder of its own."""
    folder = tmp_path_factory.mktemp("commands")
    program = folder / "allowance"
    program.write_text(client(folder / "line"))
    program.chmod(0o755)

    def run(*arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *arguments],
            cwd=folder,
            env=clean_environment() | variables,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    with CommandServer(folder / "line"):
        yield run


def test_arguments_folder_and_exit_codes_are_those_typed(allowance: Allowance) -> None:
    """What is wrong is said on the right stream, and the code comes back."""
    right = allowance("rules", "check", str(ROOT / "rules"))
    assert (right.returncode, right.stderr) == (0, "")
    wrong = allowance("rules", "check", "nothing-here")
    assert wrong.returncode == 1
    assert "nothing-here" in wrong.stdout + wrong.stderr
    assert allowance("no-such-command").returncode == 2


def test_streams_and_environment_are_those_of_the_caller(allowance: Allowance) -> None:
    """A password from standard input; the file that the environment names; nothing left for the
    next command."""
    added = allowance(
        "people", "add", "dora", "--password-stdin", stdin="long enough\n", ALLOWANCE_PASSWORDS="p"
    )
    assert added.returncode == 0, added.stderr
    assert allowance("people", "list", ALLOWANCE_PASSWORDS="p").stdout == "dora\n"
    assert allowance("people", "list").stdout == ""
    assert os.environ.get("ALLOWANCE_PASSWORDS") is None
