"""`proxy_addon/system/logging_setup.py`: one line an event, and what must not be in it."""

from __future__ import annotations

import ast
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from proxy_addon.core.types import Decision, Person, Reason, Verdict
from proxy_addon.observability.decision_log import DecisionEntry, DecisionLog, about
from proxy_addon.system import logging_setup as logs
from tests.virtual_clock import VirtualClock


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Afterwards all is as it was."""
    root = logging.getLogger()
    handlers, level, levels = root.handlers[:], root.level, {}
    for name in (*logs._OURS, *logs._SILENT):
        levels[name] = logging.getLogger(name).level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()


def fail(secret: str) -> None:
    """Log an exception in whose frame a secret lives."""
    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger("allowance.test").exception("it failed")
    assert secret


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """What has been written to standard error."""
    logs.flush()
    return capsys.readouterr().err


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON object a line, with time, level and logger; tracebacks are one field."""
    logs.configure("json", "info")
    structlog.get_logger("allowance.test").info("hello", rows=3)
    structlog.get_logger("allowance.test").debug("not shown")
    fail("hunter2")
    hello, failed = [json.loads(line) for line in said(capsys).splitlines()]
    assert (hello["event"], hello["rows"], hello["level"], hello["logger"]) == (
        "hello",
        3,
        "info",
        "allowance.test",
    )
    assert hello["timestamp"].endswith("Z")
    assert "ValueError: broken" in failed["exception"]


@pytest.mark.parametrize("form", ["json", "console", "auto"])
def test_no_values_of_variables(capsys: pytest.CaptureFixture[str], form: str) -> None:
    """A traceback shows lines of code and never what variables hold: headers and passwords would be
    in it."""
    logs.configure(form, "debug")
    fail("hunter2")
    written = said(capsys)
    assert "broken" in written
    assert "hunter2" not in written


def test_others_are_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    """What libraries say about single connections and sites is not logged, even at debug."""
    logs.configure("json", "debug")
    logging.getLogger("mitmproxy.proxy.server").warning("client does not trust us for x.com")
    logging.getLogger("uvicorn.access").info("GET /readyz")
    logging.getLogger("watchfiles.main").info("3 changes detected")
    logging.getLogger("a.library.of.tomorrow").info("connected to x.com")
    logging.getLogger("psycopg").warning("error ignored terminating <Pipeline at 0x7f>: gone")
    logging.getLogger("mitmproxy.addonmanager").error("a real problem")
    logging.getLogger("uvicorn.error").warning("another")
    logging.getLogger("proxy_addon.web.app").debug("ours")
    assert [json.loads(line)["event"] for line in said(capsys).splitlines()] == [
        "a real problem",
        "another",
        "ours",
    ]


def test_again(capsys: pytest.CaptureFixture[str]) -> None:
    """Configured twice, a line is still written once."""
    logs.configure("json", "info")
    logs.configure("json", "warning")
    structlog.get_logger("allowance.test").warning("once")
    logging.getLogger("allowance.other").info("below the level")
    assert len(said(capsys).splitlines()) == 1


def test_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever logs goes on while the pipe is full; lines that found no room are counted, and one
    line says so when somebody reads again."""
    reader, writer = os.pipe()
    monkeypatch.setattr(sys, "stderr", os.fdopen(writer, "w"))
    logs.configure("json", "info")
    (handler,) = logs._handlers()
    handler.writer._most_lines = 100
    for number in range(5_000):
        structlog.get_logger("allowance.test").info("x" * 100, number=number)
    missing = logs.dropped()
    assert missing > 3_000
    assert logs.is_full()
    numbers: list[int] = []
    told = 0
    with os.fdopen(reader) as lines:
        while told < logs.dropped():
            found = json.loads(lines.readline())
            if found["event"] == "log lines were dropped":
                told += found["lines"]
            else:
                numbers.append(found["number"])
    assert numbers == sorted(set(numbers))
    assert (len(numbers) + told, told) == (5_000, missing)
    assert not logs.is_full()


def test_what_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """Inside, what is printed goes the way of the log, in its order; outside, streams are as they
    were."""
    before = sys.stdout, sys.stderr
    with logs.standard_streams():
        logs.configure("json", "info")
        structlog.get_logger("allowance.test").info("first")
        print("second", file=sys.stderr)
        print("a notice", end="")
    assert (sys.stdout, sys.stderr) == before
    out, err = capfd.readouterr()
    assert out == "a notice"
    first, second = err.splitlines()
    assert (json.loads(first)["event"], second) == ("first", "second")


def test_closed_descriptors_are_not_given_to_others() -> None:
    """A process that is started with its standard descriptors closed opens something else: it must
    not get their numbers, or what is printed would go there."""
    program = (
        "import os, sys\n"
        "from proxy_addon.system import logging_setup as logs\n"
        "with logs.standard_streams():\n"
        "    opened = os.open('/dev/null', os.O_RDONLY)\n"
        "    print('lost')\n"
        "    sys.exit(0 if opened > 2 else 1)\n"
    )
    closed = subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" -c "$1" <&- >&- 2>&-', sys.executable, program],
        timeout=60,
        check=False,
    )
    assert closed.returncode == 0


# -- docs/logs.md

ROOT = Path(__file__).parents[2]
LEVELS = {"debug", "info", "warning", "error", "exception"}
PAGE = (ROOT / "docs" / "logs.md").read_text("utf-8")


def calls() -> Iterator[tuple[str, str, set[str]]]:
    """Each event that the program logs: its words (`…` for what is filled in), level and fields."""
    for path in (*(ROOT / "proxy_addon").rglob("*.py"), *(ROOT / "db").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            match node.func:
                case ast.Attribute(ast.Name("log" | "_log" | "_LOG"), level) if level in LEVELS:
                    pass
                case ast.Name("log_event" | "tell") if node.args and isinstance(
                    node.args[0], ast.Constant
                ):
                    level = ""  # chosen a line above
                case _:
                    continue
            assert isinstance(node.args[0], ast.Constant), (
                f"{path}:{node.lineno}: an event is a constant"
            )
            fields = {keyword.arg or "request" for keyword in node.keywords} - {"exc_info"}
            yield (
                str(node.args[0].value).replace("%s", "…"),
                level.replace("exception", "error"),
                fields,
            )


def rows() -> dict[str, tuple[set[str], set[str]]]:
    """Of each event on the page its levels and fields."""
    table = PAGE.partition("## Every event")[2].partition("\n## ")[0]
    found = re.findall(r"^\| `([^`]+)` \| ([a-z, ]+) \|([^|]*)\|", table, re.M)
    return {
        event: (set(levels.split(", ")), set(re.findall("`(.+?)`", fields)))
        for event, levels, fields in found
    }


def test_every_event_is_explained_and_every_explained_event_is_logged() -> None:
    """With its level and its fields; nobody meets a line that the page does not know."""
    logged: dict[str, tuple[set[str], set[str]]] = {}
    for event, level, fields in calls():
        levels, known = logged.setdefault(event, (set(), set()))
        levels |= {level} if level else {"error", "warning"}
        known |= fields
    assert len(logged) > 40
    assert rows() == logged


def test_every_key_of_the_decision_log_is_explained(tmp_path: Path) -> None:
    """And no key that is not there."""
    log = DecisionLog(tmp_path, VirtualClock(0.0))
    log.put(
        DecisionEntry(
            0.0,
            "00000000-0000",
            Person("dora", ("staff",)),
            Decision(Verdict.ALLOW, Reason.ALLOWED),
        )
    )
    log.run_batch()
    (line,) = about(tmp_path, lambda name: True)
    table = PAGE.partition("## The decision log")[2]
    explained = [re.findall("`(.+?)`", row) for row in re.findall(r"^\| (`.+?) \|", table, re.M)]
    assert [key for keys in explained for key in keys] == list(line)
