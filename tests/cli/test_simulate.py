"""Twin of proxy_addon/cli/simulate.py: the command as an administrator and as a program run it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from proxy_addon.cli.main import app
from tests.simulate import trace


@pytest.fixture(autouse=True)
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with rules (fifteen minutes a day) and none of our variables in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("ALLOWANCE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "160")
    trace.write_rules(tmp_path / "rules")
    return tmp_path


def write(name: str, lines: list[Any]) -> str:
    """A trace file; what is not an object is written as it is."""
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    Path(name).write_text(text)
    return name


def run(*words: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    result = CliRunner().invoke(app, ["simulate", *words])
    return result.exit_code, result.stdout, result.stderr


DAY = [
    trace.page(0),
    trace.page(120),
    trace.embed(200),
    trace.prefetch(210),
    trace.film(3600, 2400),
    trace.page(6100),
    trace.page(11_000),
    trace.page(11_100),
]


def test_json_has_exactly_the_promised_form() -> None:
    """The form of the specification, to the key: seconds, ISO instants in the policy's zone,
    counts."""
    code, out, err = run("--json", write("day.jsonl", DAY))
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "users": {
            "ana": {
                "platforms": {"x": 1010.0},
                "allowances": {
                    "daily": {"spent": 900.0, "exhausted_at": "2026-11-02T10:12:50+00:00"}
                },
                "visits": [
                    {
                        "platform": "x",
                        "allowance": "daily",
                        "rule": "A little a day",
                        "start": "2026-11-02T09:00:00+00:00",
                        "end": "2026-11-02T09:02:10+00:00",
                    },
                    {
                        "platform": "x",
                        "allowance": "daily",
                        "rule": "A little a day",
                        "start": "2026-11-02T10:00:00+00:00",
                        "end": "2026-11-02T10:12:50+00:00",
                    },
                    {
                        "platform": "x",
                        "allowance": None,
                        "rule": "Lunch is yours",
                        "start": "2026-11-02T12:03:20+00:00",
                        "end": "2026-11-02T12:05:10+00:00",
                    },
                ],
                "ignored": {"embed": 1, "background": 0, "prefetch": 1},
                "blocked": 2,
            }
        }
    }


def test_the_table_for_people() -> None:
    """The table names the person, the platform, what was used and when it ran out."""
    code, out, _ = run(write("day.jsonl", DAY))
    assert code == 0
    for words in ("ana", "0:16:50", "daily", "0:15:00", "2026-11-02 10:12:50", "8 events read."):
        assert words in out


def test_by_hour() -> None:
    """The use of each hour stands in the table and in the JSON form, and adds up."""
    path = write("day.jsonl", DAY)
    assert "2026-11-02 12:00" in run("--by-hour", path)[1]
    hours = json.loads(run("--by-hour", "--json", path)[1])["users"]["ana"]["hours"]
    assert hours == {
        "2026-11-02T09:00:00+00:00": {"x": 130.0},
        "2026-11-02T10:00:00+00:00": {"x": 770.0},
        "2026-11-02T12:00:00+00:00": {"x": 110.0},
    }


def test_against_another_folder(office: Path) -> None:
    """Side by side: who gains how much, and who would have run out when."""
    other = str(trace.write_rules(office / "other", "5m"))
    path = write("day.jsonl", DAY)
    code, out, _ = run("--against", other, path)
    assert code == 0
    assert "-0:10:00" in out
    form = json.loads(run("--against", other, "--json", path)[1])
    assert form["against"]["users"]["ana"]["allowances"]["daily"]["spent"] == pytest.approx(
        300.0, abs=0.01
    )
    change = form["changes"]["ana"]
    assert change["gained"] == pytest.approx(-600.0, abs=0.01)
    assert change["now"]["exhausted_at"] == {"daily": "2026-11-02T10:12:50+00:00"}
    assert change["against"]["exhausted_at"]["daily"].startswith("2026-11-02T10:02:5")


def test_against_the_same_rules() -> None:
    """The same rules change nothing for anybody."""
    assert "would change nothing" in run("--against", "rules", write("day.jsonl", DAY))[1]


def test_several_files_are_merged_by_time() -> None:
    """A day in two files, given in the wrong order, is the day in one."""
    whole = run("--json", write("day.jsonl", DAY))[1]
    late, early = write("late.jsonl", DAY[4:]), write("early.jsonl", DAY[:4])
    assert run("--json", late, early)[1] == whole


def test_what_cannot_be_read_is_counted_and_shown() -> None:
    """Bad lines are named with number and reason, the rest counts; the answer itself stays
    clean."""
    bad = ["{", '{"at": "noon"}', *(json.dumps({"at": 1.8e9, "kind": "smoke"}) for _ in range(20))]
    code, out, err = run("--json", write("day.jsonl", [*DAY[:1], *bad, *DAY[1:]]))
    assert code == 0
    assert json.loads(out)["users"]["ana"]["platforms"] == {"x": 1010.0}
    assert "day.jsonl:2: not readable" in err
    assert "and 12 more like these" in err
    assert "22 records could not be read and are left out." in err


def test_strict_stops_at_the_first() -> None:
    """With --strict the first bad line ends the command with one line and exit code 1."""
    code, out, err = run("--strict", write("day.jsonl", [DAY[0], "{", DAY[1]]))
    assert (code, out) == (1, "")
    assert err.startswith("day.jsonl:2: not readable")
    assert len(err.splitlines()) == 1


def test_the_user_where_a_file_does_not_say() -> None:
    """--user names the person of lines that name nobody."""
    line = {key: value for key, value in DAY[0].items() if key != "user"}
    form = json.loads(run("--json", "--user", "bo", write("day.jsonl", [line]))[1])
    assert list(form["users"]) == ["bo"]


def test_nothing_that_could_be_read_is_an_error() -> None:
    """A file that is missing, or that is not a trace, ends with exit code 1 and says why."""
    code, _, err = run("nowhere.jsonl")
    assert code == 1
    assert "nowhere.jsonl: the file cannot be opened" in err
    assert "left out" not in err  # there was no record
    Path("poem.txt").write_text("Shall I compare thee\nto a summer's day?\n" * 4)
    assert run("poem.txt")[0] == 1


def test_an_empty_trace_is_none() -> None:
    """An empty file says that it is, with exit code 1; beside another it changes nothing."""
    Path("empty.jsonl").touch()
    assert run("empty.jsonl") == (1, "", "empty.jsonl: the file is empty; name a recording\n")
    path = write("day.jsonl", DAY)
    assert run("--json", "empty.jsonl", path) == run("--json", path)


def test_records_that_all_lack_a_field() -> None:
    """What a record needs is said once, and nothing is printed as if it were a result."""
    bare = [{key: value for key, value in record.items() if key != "at"} for record in DAY]
    for flags in ((), ("--json",)):
        code, out, err = run(*flags, write("bare.jsonl", bare * 3))
        assert (code, out) == (1, "")
        assert "bare.jsonl:1: a field is missing: at" in err
        assert err.count("has at least `at`") == 1
        assert "docs/metering.md" in err


def test_bad_rules_and_wrong_use() -> None:
    """A rules folder with a mistake is exit code 1 with its place; a call without a file is exit
    code 2."""
    path = write("day.jsonl", DAY)
    policy = Path("rules/policy.yaml")
    policy.write_text(policy.read_text() + "wersion: 2\n")
    code, out, err = run("--json", path)
    assert (code, out) == (1, "")
    assert "policy.yaml:" in err
    assert run()[0] == 2
    assert run("--nonsense", path)[0] == 2


def test_a_log_says_what_was_skipped_and_estimated() -> None:
    """Lines for a sign-in are nobody's, and a tunnel of hours is estimated; names stand whole in a
    pipe."""
    tail = "HIER_DIRECT/157.240.1.35 -\n"
    name = "theodora.smith.of.the.second.floor@office.example"
    Path("access.log").write_text(
        f"1793610000.000 0 10.0.7.33 TCP_DENIED/407 4120 CONNECT x.com:443 - HIER_NONE/- text/html\n"
        f"1793638800.000 28800000 10.0.7.33 TCP_TUNNEL/200 9000000 CONNECT x.com:443 {name} {tail}"
    )
    code, out, err = run("access.log")
    assert (code, err) == (0, "")
    assert name in out
    assert "ip:" not in out
    assert "1 tunnel is estimated from bytes: 0:03:23 of 8:00:00 was use" in out
    assert "1 record is not traffic: a proxy asked for a sign-in (1)." in out
    form = json.loads(run("--json", "access.log")[1])["users"]
    assert list(form) == [name]
    assert form[name]["estimated"] == {"tunnels": 1, "used": 203.4, "open": 28_800.0}


def test_an_unknown_format_is_answered_with_what_to_set() -> None:
    """The line of squid.conf."""
    Path("odd.log").write_text("one|two|three\n")
    code, _, err = run("odd.log")
    assert code == 1
    assert "access_log daemon:/var/log/squid/access.log squid" in err


def test_odd_parts_are_counted(office: Path) -> None:
    """They cost nobody the record."""
    entry = {
        "startedDateTime": "2026-11-02T09:00:00Z",
        "time": -3,
        "request": {"method": "GET", "url": "https://x.com/home", "headers": [5]},
        "response": {"status": 200, "content": {"size": 9000, "mimeType": "text/html"}},
    }
    Path("a.har").write_text(json.dumps({"log": {"entries": [entry]}}))
    code, out, err = run("--user", "ana", "a.har")
    assert code == 0
    assert "0:00:10" in out
    assert err == "2 parts of records are left out: a header (1), a duration (1).\n"
