"""`proxy_addon/cli/usage.py`: what somebody has used, for people and, to the letter, for
programs."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from proxy_addon.core.types import EvidenceSummary, Extension, Visit
from tests.cli.command_setup import DAY, ledger, line, office, run, used


def noon() -> ZoneInfo:
    """A zone in which it is about noon now: no test crosses the end of a day."""
    offset = 12 - datetime.now(UTC).hour  # noqa: TID251
    return ZoneInfo("UTC" if offset == 0 else f"Etc/GMT{-offset:+d}")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An office in which ana has used half a minute."""
    made = office(tmp_path, monkeypatch, noon().key)
    with ledger() as opened:
        opened.write_visits([used("ana", ago=30.0, seconds=20.0)])
    return made


def test_json_to_the_letter() -> None:
    """The form of the outside contract: these keys, seconds as numbers, instants as ISO 8601 with a
    zone."""
    code, out, error = run("usage", "Ana", "--json")
    assert (code, error) == (0, "")
    answer = json.loads(out)
    assert list(answer) == ["user", "roles", "allowances", "visits"]
    assert (answer["user"], answer["roles"]) == ("ana", ["care"])
    daily = answer["allowances"]["daily"]
    assert list(daily) == ["limit", "spent", "granted", "left", "resets_at"]
    assert (daily["limit"], daily["granted"]) == (900.0, 0.0)
    assert daily["spent"] == pytest.approx(20.0, abs=0.01)
    assert daily["left"] == pytest.approx(880.0, abs=0.01)
    assert datetime.fromisoformat(daily["resets_at"]).tzinfo is not None
    assert answer["allowances"]["rolling"]["resets_at"] is None
    (visit,) = answer["visits"]
    assert list(visit) == [
        "platform",
        "section",
        "allowance",
        "rule",
        "start",
        "end",
        "estimated",
    ]
    assert (visit["platform"], visit["section"], visit["allowance"]) == ("x", None, "daily")
    length = datetime.fromisoformat(visit["end"]) - datetime.fromisoformat(visit["start"])
    assert length.total_seconds() == pytest.approx(20.0, abs=1.0)


def test_somebody_unknown() -> None:
    """Who has used nothing has the whole allowance: an office cannot list everybody."""
    code, out, _ = run("usage", "nobody", "--json")
    answer = json.loads(out)
    assert code == 0
    assert (answer["roles"], answer["visits"]) == (["staff"], [])
    assert answer["allowances"]["daily"]["left"] == 900.0


def test_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name, roles, a line for each allowance and visit; when it is full again in words."""
    monkeypatch.setenv("COLUMNS", "110")
    code, out, _ = run("usage", "ana")
    assert code == 0
    for word in ("ana", "care", "daily", "15 min", "Fifteen"):
        assert word in out, out
    assert "tomorrow at 00:00" in out
    assert "No visits today" in run("usage", "bob")[1]


def test_wrong_name() -> None:
    """What cannot be a name: one line, exit code 1."""
    assert line("usage", "a:b").startswith("USER: 'a:b': ")


def recorded(ago: float, seconds: float = 20.0) -> Visit:
    """A visit of ana's with evidence: a page and three scrolls."""
    made = used("ana", ago=ago, seconds=seconds)
    lines = (Extension("page-action", made.start + 5, made.start + 10, 3),)
    return replace(
        made,
        evidence=EvidenceSummary(("page-opened", made.start), lines, ("time-up", made.end), 60.0),
    )


def test_explained_to_the_letter() -> None:
    """With `--explain` each visit has its evidence beside the keys that it has without; an old one
    has null."""
    with ledger() as opened:
        opened.write_visits([recorded(ago=100.0)])
    _, out, _ = run("usage", "ana", "--explain", "--json")
    explained, old = json.loads(out)["visits"]
    assert list(explained) == [
        "platform",
        "section",
        "allowance",
        "rule",
        "start",
        "end",
        "estimated",
        "evidence",
    ]
    assert old["evidence"] is None
    evidence = explained["evidence"]
    assert list(evidence) == ["opened", "extended", "closed", "given_back"]
    assert evidence["opened"] == {"by": "page-opened", "at": explained["start"]}
    (line,) = evidence["extended"]
    assert (list(line), line["by"], line["times"]) == (
        ["by", "first", "last", "times"],
        "page-action",
        3,
    )
    assert evidence["closed"] == {"why": "time-up", "at": explained["end"]}
    assert evidence["given_back"] == 60.0


def test_explained_for_people() -> None:
    """Plain words in a table; what was not recorded says so."""
    with ledger() as opened:
        opened.write_visits([recorded(ago=100.0)])
    _, out, _ = run("usage", "ana", "--explain")
    text = " ".join(out.replace("│", " ").split())
    for words in (
        "by opening a page",
        "3 scrolls or clicks",
        "time was up",
        "1 minute given back",
        "Not recorded",
    ):
        assert words in text, out


def test_an_address_is_a_guest(tmp_path: Path) -> None:
    """As on its own page: who is known by the address alone has the role that the policy gives, and
    its limits."""
    policy = tmp_path / "rules" / "policy.yaml"
    told = policy.read_text().replace(
        "limit: 15m per day", "limit: 15m per day, overrides: [{roles: [guest], limit: 5m per day}]"
    )
    policy.write_text(told + "unidentified: {role: guest}\n")
    answer = json.loads(run("usage", "ip:10.0.9.9", "--json")[1])
    assert (answer["roles"], answer["allowances"]["daily"]["limit"]) == (["guest"], 300.0)
    assert json.loads(run("people", "export", "ip:10.0.9.9")[1])["roles"] == ["guest"]
    assert "5 minutes left" in run("reset", "ip:10.0.9.9", "daily", "--reason", "x")[1]
    given = run("grant", "ip:10.0.9.9", "daily", "10m", "--reason", "a visitor")[1]
    assert "15 minutes left" in given


def test_the_table_names_the_period_and_what_is_carried(tmp_path: Path) -> None:
    """Limits are of a period, and where time was carried over, a line explains why more is left
    than the limit."""
    plain = " ".join(run("usage", "bo")[1].replace("│", " ").split())
    for word in ("15 minutes", "per day", "10 minutes", "in any 4", "hours"):
        assert word in plain
    assert "carried" not in plain
    policy = tmp_path / "rules" / "policy.yaml"
    limit = "limit: 15m per day"
    policy.write_text(policy.read_text().replace(limit, f"{limit}, carry_over: 5m"))
    carried = " ".join(run("usage", "bo")[1].replace("│", " ").split())
    assert "20 minutes" in carried
    assert "5 minutes of daily carried over" in carried


def test_a_name_is_never_cut_short(tmp_path: Path) -> None:
    """In a terminal of 80 columns the other cells wrap, so that the name can be copied into the
    next command."""
    policy = tmp_path / "rules" / "policy.yaml"
    policy.write_text(policy.read_text().replace("daily", "daily-social-media"))
    table = run("usage", "bo")[1]
    assert "daily-social-media" in table
    assert "…" not in table


def test_another_day() -> None:
    """Visits of a day of last week, and of no other; balances are those of now."""
    with ledger() as opened:
        opened.write_visits([recorded(ago=7 * DAY), recorded(ago=8 * DAY)])
    day = datetime.fromtimestamp(time.time() - 7 * DAY, noon())  # noqa: TID251
    code, out, _ = run("usage", "ana", "--explain", "--json", "--day", f"{day:%Y-%m-%d}")
    answer = json.loads(out)
    assert code == 0
    (visit,) = answer["visits"]
    assert visit["start"].startswith(f"{day:%Y-%m-%d}")
    assert visit["evidence"]["given_back"] == 60.0
    assert answer["allowances"]["daily"]["spent"] == pytest.approx(20.0, abs=0.01)
    assert "No visits on 2020-02-29" in run("usage", "ana", "--day", "2020-02-29")[1]
    assert "The balances are those of today" in run("usage", "ana", "--day", "2020-02-29")[1]
    assert "The balances are" not in run("usage", "ana")[1]
    for wrong in ("soon", "2026-02-30"):
        assert (
            line("usage", "ana", "--day", wrong)
            == f"--day: {wrong!r} is not a date; write it as 2026-12-24\n"
        )
