"""`allowance rules check`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from proxy_addon.cli.rules.commands import app

POLICY = "version: 1\ntimezone: Europe/London\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`rules` in the current folder, with the least policy."""
    monkeypatch.chdir(tmp_path)
    Path("rules").mkdir()
    Path("rules/policy.yaml").write_text(POLICY)
    return Path("rules")


def run(*arguments: str) -> tuple[int, str]:
    """Exit code and output."""
    result = CliRunner().invoke(app, ["check", *arguments])
    return result.exit_code, result.stdout


def test_rules_that_are_right() -> None:
    """Exit 0 and a word; `rules` is the folder unless another is named."""
    assert run() == run("rules") == (0, "rules: the rules are valid\n")


def test_mistakes_are_shown_where_they_stand(folder: Path) -> None:
    """Exit 1; each message is followed by its line and a caret."""
    (folder / "policy.yaml").write_text(
        POLICY + "retention: 90d\nweek_starts: mondey\notherwise: maybe\n"
    )
    assert run() == (
        1,
        'rules/policy.yaml:4:14: bad-days: "mondey" is not a day of the week; did you mean "monday"?\n'
        "    week_starts: mondey\n"
        "                 ^\n"
        'rules/policy.yaml:5:12: bad-choice: "maybe" is not a choice here; write allow or block\n'
        "    otherwise: maybe\n"
        "               ^\n"
        "2 errors, 0 warnings\n",
    )


def test_warnings_alone_exit_with_three(folder: Path) -> None:
    """A caller can tell them from errors."""
    (folder / "people.yml").write_text("")
    code, output = run()
    assert code == 3
    assert output == (
        "rules/people.yml:1:1: ignored-file: this file is not read: rule files end in .yaml; rename it (warning)\n"
        "0 errors, 1 warning\n"
    )


def test_errors_win_over_warnings(folder: Path) -> None:
    """One error is enough for exit 1."""
    (folder / "people.yml").write_text("")
    (folder / "policy.yaml").write_text("")
    assert run()[0] == 1


def test_a_folder_that_is_missing() -> None:
    """One line, no traceback."""
    code, output = run("nowhere")
    assert code == 1
    assert output.splitlines()[0].startswith(
        'nowhere:1:1: missing-file: there is no folder "nowhere"'
    )


def test_json_has_every_field(folder: Path) -> None:
    """For editors and pipelines."""
    assert run("--json") == (0, '{\n  "ok": true,\n  "problems": []\n}\n')
    (folder / "policy.yaml").write_text(POLICY + "otherwise: maybe\n")
    code, output = run("--json")
    assert code == 1
    assert json.loads(output) == {
        "ok": False,
        "problems": [
            {
                "file": "rules/policy.yaml",
                "line": 3,
                "column": 12,
                "code": "bad-choice",
                "message": '"maybe" is not a choice here',
                "hint": "write allow or block",
                "severity": "error",
            }
        ],
    }


def test_the_format_of_programs_and_of_pull_requests(folder: Path) -> None:
    """`--format json` is `--json`; GitHub gets a command a problem, with separators escaped."""
    allowances = 'allowances: {"a, b: 100%": {limit: 15m per day}}\n'
    (folder / "policy.yaml").write_text(POLICY + "week_starts: mondey\n")
    assert run("--format", "json") == run("--json")
    assert run("--format", "github") == (
        1,
        "::error file=rules/policy.yaml,line=3,col=14,title=bad-days::"
        '"mondey" is not a day of the week; did you mean "monday"?\n',
    )
    (folder / "policy.yaml").write_text(POLICY + allowances)
    assert run("--format", "github") == (
        3,
        "::warning file=rules/policy.yaml,line=3,col=14,title=unused-allowance::no rule spends the allowance "
        '"a, b: 100%25"; write then: {spend: a, b: 100%25}, or remove it\n',
    )
    (folder / "people.yml").write_text("")
    other = folder.rename("a,b:c")
    assert run(str(other), "--format", "github")[1].startswith(
        "::warning file=a%2Cb%3Ac/people.yml,line=1"
    )
    assert run(str(other), "--format", "xml")[0] == 2


def test_long_and_hostile_lines_are_shown_in_part(folder: Path) -> None:
    """The caret stays below its place, and nothing reaches the terminal that it would obey."""
    (folder / "policy.yaml").write_bytes(POLICY.encode() + b"# " + b"x" * 500 + b" \x1b[31m red\n")
    code, output = run()
    assert code == 1
    _, line, caret, *_ = output.splitlines()
    assert "\x1b" not in output
    assert line[caret.index("^") - 1] == " "
    assert len(line) < 130


def test_many_problems_are_counted_not_all_shown(folder: Path) -> None:
    """A page is enough to begin with."""
    (folder / "policy.yaml").write_text(POLICY + "".join(f"key{n}: 1\n" for n in range(150)))
    output = run()[1]
    assert "and 50 more\n150 errors, 0 warnings\n" in output


def test_what_lies_outside_of_the_folder_is_not_shown(folder: Path, tmp_path: Path) -> None:
    """A link to somebody's secret is refused without a look into it."""
    (tmp_path / "secret").write_text("hunter2\n")
    (folder / "more.yaml").symlink_to(tmp_path / "secret")
    for form in ("text", "json", "github"):
        code, output = run("--format", form)
        assert code == 1
        assert "outside-folder" in output
        assert "hunter2" not in output


def test_the_folder_of_the_settings(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a folder it is the one that the proxy would read: an installed proxy's is not below
    this folder."""
    monkeypatch.setenv("ALLOWANCE_RULES", str(folder.rename(tmp_path / "elsewhere").absolute()))
    assert run() == (0, f"{tmp_path}/elsewhere: the rules are valid\n")
    monkeypatch.setenv("ALLOWANCE_WORKERS", "many")
    assert run() == (1, "")
