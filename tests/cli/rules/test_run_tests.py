"""`allowance rules test`."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from proxy_addon.cli.rules.commands import app
from tests.rule_tests.office import one_test, write

RIGHT = one_test('- {at: 09:00, user: dora, opens: "https://x.example/", expect: {left: 15m}}')
WRONG = RIGHT.replace("15m", "10m")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`rules` in the current folder, with one test that passes."""
    monkeypatch.chdir(tmp_path)
    return write(Path("rules"), tests=RIGHT)


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, output, complaints."""
    result = CliRunner().invoke(app, ["test", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_a_line_a_test_and_what_was_reached() -> None:
    """Exit 0; `rules` is the folder unless another is named."""
    code, output, _ = run()
    assert code == 0
    assert output.splitlines()[0] == "ok    a test"
    assert output.splitlines()[-1] == "1 test, none failed"
    assert run("rules") == run()


def test_the_folder_of_the_settings(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a folder it is the one that the proxy would read; wrong settings are one line."""
    monkeypatch.setenv("ALLOWANCE_RULES", str(folder.rename(tmp_path / "elsewhere").absolute()))
    assert run()[0] == 0
    monkeypatch.setenv("ALLOWANCE_WORKERS", "many")
    code, _, complaint = run()
    assert code == 1
    assert "ALLOWANCE_WORKERS" in complaint


def test_a_failure(folder: Path) -> None:
    """Exit 1, with the place of the step."""
    (folder / "tests" / "a.yaml").write_text(WRONG)
    code, output, _ = run()
    assert code == 1
    assert "FAIL  a test\n      rules/tests/a.yaml:6:9: 2026-11-02 09:00 dora opens" in output


def test_a_mistake_in_a_test_file(folder: Path) -> None:
    """Exit 1, also when all other tests pass."""
    (folder / "tests" / "b.yaml").write_text("tests: {}")
    code, output, _ = run()
    assert code == 1
    assert output.startswith(
        "rules/tests/b.yaml:1:8: test-wrong-type: a list of tests is expected here"
    )


def test_rules_that_cannot_be_read(folder: Path) -> None:
    """The errors of the rules, and exit 1."""
    (folder / "policy.yaml").write_text("version: 1\n")
    code, _, complaint = run()
    assert code == 1
    assert "timezone" in complaint


def test_no_tests(folder: Path) -> None:
    """Nothing failed."""
    (folder / "tests" / "a.yaml").unlink()
    assert run()[:2] == (0, "there are no tests\n")


def test_some_tests_only(folder: Path) -> None:
    """By `-k`; one that nothing fits is a mistake, and so is one that means nothing."""
    another = WRONG.removeprefix("tests:\n").replace("a test", "another")
    (folder / "tests" / "a.yaml").write_text(RIGHT + another)
    assert run()[0] == 1
    assert run("-k", "test and not another")[0] == 0
    code, _, complaint = run("-k", "nothing")
    assert (code, complaint) == (1, "no test in rules/tests has a name that fits 'nothing'\n")
    assert run("-k", "(a")[::2] == (1, "-k: '(a': a bracket is not closed\n")
    assert run("-k", "test and")[2].startswith("-k: 'test and': a word is missing")


def test_junit_beside_the_lines() -> None:
    """A file for pipelines; one that cannot be written is said so."""
    assert run("--junit", "out.xml")[0] == 0
    assert ElementTree.parse("out.xml").getroot()[0].get("tests") == "1"
    code, _, complaint = run("--junit", "no/such/folder.xml")
    assert code == 1
    assert complaint == (
        "--junit: no/such/folder.xml: cannot be written: No such file or directory; name another file\n"
    )


def test_json(folder: Path) -> None:
    """For programs; the exit code is the same."""
    code, output, _ = run("--json")
    assert code == 0
    assert json.loads(output)["tests"][0]["passed"] is True
    (folder / "tests" / "a.yaml").write_text(WRONG)
    assert run("--json")[0] == 1
