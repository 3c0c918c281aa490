"""`allowance rules diff`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from proxy_addon.cli.rules.commands import app
from proxy_addon.cli.rules.diff import times
from proxy_addon.rules.diff import WeekdayInterval
from tests.rule_tests.office import POLICY, write

WEEK = ("--week", "2026-11-04")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`rules` in the current folder; the changed rules are in `new`."""
    monkeypatch.chdir(tmp_path)
    write(Path("rules"))
    return write(
        Path("new"), POLICY.replace("{roles: [care], limit: 45m", "{roles: [care], limit: 1h")
    )


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, output, complaints."""
    result = CliRunner().invoke(app, ["diff", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_sentences() -> None:
    """Who, where, when, from what to what; exit 0 all the same."""
    code, output, _ = run("new", *WEEK)
    assert code == 0
    assert output == (
        "In the week of Monday, 2 November 2026:\n"
        "+ role care and carl: x Mon-Fri 06:00-12:00, 13:30-22:00 and Sat-Sun 06:00-22:00: "
        "spend daily 45m per day -> 1h per day\n"
        "+ role care and carl: linkedin Mon-Fri 00:00-12:00, 13:30-24:00 and Sat-Sun 00:00-24:00: "
        "spend daily 45m per day -> 1h per day\n"
        "2 gains, 0 losses, 0 others\n"
    )


def test_nothing_changes() -> None:
    """Said in so many words; the week is the next one."""
    code, output, _ = run("rules", "--exit-code")
    assert code == 0
    assert output.endswith("nothing changes for anybody\n")


def test_the_exit_code_is_for_pipelines() -> None:
    """Only when asked for."""
    assert run("new", "--exit-code", *WEEK)[0] == 1
    assert run("new", "--json", "--exit-code", *WEEK)[0] == 1


def test_the_rules_in_force_may_be_named() -> None:
    """From the other side what was a gain is a loss."""
    assert "0 gains, 2 losses" in run("rules", "--rules", "new", *WEEK)[1]


def test_json() -> None:
    """Everything that the sentences say, and the sentences."""
    found = json.loads(run("new", "--json", *WEEK)[1])
    assert (found["equal"], found["week"]) == (False, "2026-11-02T00:00:00+00:00")
    first = found["changes"][0]
    assert (first["roles"], first["people"], first["platforms"]) == (["care"], ["carl"], ["x"])
    assert first["times"][0] == {"day": "mon", "from": "06:00", "to": "12:00"}
    assert (first["effect"], first["after"]["limits"]) == ("gain", ["1h per day"])
    assert first["sentence"].startswith("role care and carl: x")


def test_mistakes() -> None:
    """One line, exit 1: a folder that is not there, a week that is none."""
    code, _, complaint = run("nowhere")
    assert code == 1
    assert 'there is no folder "nowhere"' in complaint
    assert (
        run("new", "--week", "soon")[2] == "--week: 'soon' is not a date; write it as 2026-12-24\n"
    )


def test_rules_and_settings_that_differ(folder: Path) -> None:
    """Names of rules when they differ, keys of the policy, and dates that another week would
    show."""
    rule = "{name: Crisis, platforms: [x], when: {dates: 2026-12-04}, then: allow}\n  - {name: Courses,"
    (folder / "policy.yaml").write_text(
        POLICY.replace("{name: Learning,", rule) + "retention: 30d\n"
    )
    output = run("new", *WEEK)[1]
    assert (
        "~ role staff, role care, role guest and 2 more: linkedin/learning always: allow, as before ("
        in output
    )
    assert '("Learning" -> "Courses")' in output
    assert "~ everybody: retention: 90d -> 30d" in output
    marks = [line[0] for line in output.splitlines()]
    assert f"{marks.count('~')} others\n" in output
    assert 'Dates are seen in their own week only (--week DATE): "Crisis"' in output


def test_times_in_words() -> None:
    """Days with the same hours stand together."""
    assert times(tuple(WeekdayInterval(day, 0, 86_400) for day in range(7))) == "always"
    assert (
        times((WeekdayInterval(0, 43_200, 48_600), WeekdayInterval(2, 43_200, 48_600)))
        == "Mon,Wed 12:00-13:30"
    )
    assert times((WeekdayInterval(6, 0, 30),)) == "Sun 00:00-00:00:30"
