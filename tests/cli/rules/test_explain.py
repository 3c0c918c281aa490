"""`allowance rules explain`."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.cli.rules.commands import app
from proxy_addon.config.parsers import HostPort
from proxy_addon.core.types import Visit
from proxy_addon.web.app import web_app
from proxy_addon.web.server import WebServer, available_port
from tests.rule_tests.office import write
from tests.web.office import FixedProxyState, visit

NINE = 1_793_610_000.0  # Monday 2 November 2026, 09:00 in London
DORA = ("--user", "dora", "--url", "https://x.example/home")
TEN = ("--at", "2026-11-02T10:00")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`rules` in the current folder; the ledger is below it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return write(Path("rules"))


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, output, complaints."""
    result = CliRunner().invoke(app, ["explain", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_the_contract() -> None:
    """The keys of the outside contract, in their order, before all others."""
    code, output, _ = run(*DORA, *TEN, "--json")
    found = json.loads(output)
    assert code == 0
    assert list(found)[:8] == [
        "verdict",
        "reason",
        "rule",
        "platform",
        "allowance",
        "left",
        "until",
        "walk",
    ]
    assert set(found["walk"][0]) == {"rule", "fits", "why"}
    assert (found["verdict"], found["left"], found["until"]) == (
        "spend",
        900.0,
        "2026-11-02T12:00:00+00:00",
    )


def test_reading_aloud() -> None:
    """The decision, whose limits hold, when it changes, and the walk."""
    code, output, _ = run(*DORA, *TEN, "--spent", "daily=12m")
    assert code == 0
    lines = [line.rstrip() for line in output.splitlines()]
    assert lines[:7] == [
        "dora (staff) opens https://x.example/home on Monday, 2 November 2026 at 10:00.",
        "No file names this user, so the default role holds.",
        "This is x.",
        'Allowed, and charged: by the rule "Fifteen".',
        "daily: its own limits; 3 minutes left.",
        "  15m per day: 12m spent, 3m left",
        "The answer may change today at 12:00.",
    ]
    assert any(
        "Night" in line and "no" in line and "it is not 22:00-06:00 now" in line for line in lines
    )


def test_long_limits_are_in_hours(folder: Path) -> None:
    """What was spent and is left of a limit is written as the limit is."""
    policy = folder / "policy.yaml"
    policy.write_text(policy.read_text("utf-8").replace("15m per day", "60h per month"), "utf-8")
    output = run(*DORA, *TEN, "--spent", "daily=30h")[1]
    assert "  60h per month: 30h spent, 30h left" in output


def test_what_the_ledger_knows() -> None:
    """Platform by platform, at any instant; what came later is not counted."""
    upgrade("sqlite:///var/allowance.db")
    ledger = SqlLedger("sqlite:///var/allowance.db", "test")
    rows = [("x", 0.0, 360.0), ("linkedin", 900.0, 300.0), ("x", 7200.0, 240.0)]
    ledger.write_visits(
        [
            Visit(
                f"v{start}",
                "dora",
                platform,
                None,
                "daily",
                "Fifteen",
                NINE + start,
                NINE + start + length,
                "n",
            )
            for platform, start, length in rows
        ]
    )
    ledger.close()
    found = json.loads(run(*DORA, *TEN, "--json")[1])
    assert (found["left"], found["spent_by"]) == (240.0, {"x": 360.0, "linkedin": 300.0})
    later = run(*DORA, "--at", "2026-11-02T15:00+00:00")[1]
    assert 'Blocked: by the rule "Fifteen", because daily is used up.' in later
    assert "  spent on x 10m, linkedin 5m" in later


def test_an_override_and_what_blocks() -> None:
    """Whom the override is for; a rule that blocks has no allowance."""
    assert (
        "daily: the override for role care; 45 minutes left."
        in run("--user", "carl", "--url", "https://x.example/", *TEN)[1]
    )
    night = run(*DORA, "--at", "2026-11-02T23:00")[1]
    assert 'Blocked: by the rule "Night".' in night
    assert "The answer may change tomorrow at 06:00." in night


def test_without_a_ledger_nothing_was_used() -> None:
    """Rules can be explained before the proxy ever ran."""
    found = json.loads(run(*DORA, *TEN, "--json")[1])
    assert (found["left"], found["spent_by"]) == (900.0, {})
    assert not Path("var").exists()


def test_what_is_not_limited() -> None:
    """No walk, since no rule was asked."""
    output = run("--user", "dora", "--url", "https://news.example/", *TEN)[1]
    assert "This is not a platform that we know.\nAllowed: no rule limits this.\n" in output
    assert "The rules from the top" not in output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((*DORA, "--at", "noon"), "--at: 'noon' is not a time; write it as 2026-12-24T18:00\n"),
        (
            (*DORA, "--spent", "daily"),
            "--spent: 'daily' is not an allowance and a time; write it as daily-social=12m\n",
        ),
        (
            (*DORA, *TEN, "--spent", "daily=12"),
            '--spent: "12" has no unit; write, for example, 90s, 15m or 1h30m\n',
        ),
        ((*DORA, *TEN, "--spent", "dayly=12m"), '"dayly" is not an allowance of the rules'),
        (("--user", "a:b", "--url", "https://x.example/"), "--user: 'a:b': a name has no"),
        (("--user", "ip:x", "--url", "https://x.example/"), '--user: "ip:x" is not an address'),
        (
            ("--user", "dora", "--url", "x.example"),
            '"x.example" is not a URL; write it like https://www.linkedin.com/feed/\n',
        ),
        ((*DORA, "--live", *TEN), "--live: the running proxy knows the time"),
        (
            (*DORA, "--live", "--web", "127.0.0.1:9"),
            "--live: the proxy does not answer on 127.0.0.1:9 (--web): Connection refused; start it with",
        ),
        ((*DORA, "--rules", "nowhere"), 'there is no folder "nowhere"'),
    ],
)
def test_mistakes(arguments: tuple[str, ...], complaint: str) -> None:
    """One line, exit 1."""
    code, _, said = run(*arguments)
    assert code == 1
    assert complaint in said


def answers(where: HostPort, seconds: float = 10.0) -> None:
    """Wait until somebody listens."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(where, timeout=1.0).close()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the web port does not open"
            time.sleep(0.01)
        else:
            return


@pytest.fixture
def proxy() -> Iterator[HostPort]:
    """The web port of an office where dora spent three minutes of facebook."""
    wanted = available_port(HostPort("127.0.0.1", 0), "--web")
    server = WebServer(web_app(FixedProxyState(seen=[visit("facebook", 20, 3)])), wanted)
    server.start()
    answers(wanted)
    yield wanted
    server.stop()


def test_live(proxy: HostPort) -> None:
    """The running proxy's own answer, in both forms; what it refuses is said."""
    asked = ("--user", "dora", "--live", "--web", str(proxy), "--url")
    code, output, said = run(*asked, "https://facebook.com/", "--json")
    assert (code, said) == (0, "")
    assert json.loads(output)["platform"] == "facebook"
    assert run(*asked, "https://facebook.com/")[1].startswith(
        "dora (staff) opens https://facebook.com/"
    )
    code, _, said = run(*asked, "facebook.com")
    assert (code, said) == (
        1,
        '--live: "facebook.com" is not a URL; write it like https://www.linkedin.com/feed/\n',
    )
