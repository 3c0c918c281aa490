"""`proxy_addon/logs.py`: one line an event, and what must not be in it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from proxy_addon import logs


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Afterwards all is as it was."""
    root = logging.getLogger()
    handlers, level, levels = root.handlers[:], root.level, {}
    for name in (*logs._QUIET, *logs._SILENT):
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


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON object a line, with time, level and logger; tracebacks are one field."""
    logs.configure("json", "info")
    structlog.get_logger("allowance.test").info("hello", rows=3)
    structlog.get_logger("allowance.test").debug("not shown")
    fail("hunter2")
    hello, failed = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
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
    """A traceback shows lines of code and never what variables hold: headers and passwords would be in it."""
    logs.configure(form, "debug")
    fail("hunter2")
    written = capsys.readouterr().err
    assert "broken" in written
    assert "hunter2" not in written


def test_others_are_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    """What libraries say about single connections and sites is not logged, even at debug."""
    logs.configure("json", "debug")
    logging.getLogger("mitmproxy.proxy.server").warning("client does not trust us for x.com")
    logging.getLogger("uvicorn.access").info("GET /readyz")
    logging.getLogger("mitmproxy.addonmanager").error("a real problem")
    logging.getLogger("uvicorn.error").warning("another")
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == [
        "a real problem",
        "another",
    ]


def test_again(capsys: pytest.CaptureFixture[str]) -> None:
    """Configured twice, a line is still written once."""
    logs.configure("json", "info")
    logs.configure("json", "warning")
    structlog.get_logger("allowance.test").warning("once")
    logging.getLogger("allowance.other").info("below the level")
    assert len(capsys.readouterr().err.splitlines()) == 1
