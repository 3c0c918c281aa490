"""`proxy_addon/runtime/worker_status.py`: what `/statusz` says of processes."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import pytest

from proxy_addon.runtime.worker_status import (
    DRAINING,
    SERVING,
    STARTING,
    STUCK,
    ProcessReport,
    WorkerStatus,
    program_versions,
    status_document,
)
from proxy_addon.system.dependencies import DependencyReport
from proxy_addon.system.health import FINE, down

REPORT = ProcessReport({"rules": FINE, "ledger": down("no role dora")}, {}, 7, 0.0124)
SERVES = WorkerStatus(1, 4711, SERVING, 0.0, 0.44, REPORT)


@pytest.mark.parametrize(
    ("state", "turns", "accepts"),
    [
        (STARTING, False, False),
        (SERVING, True, True),
        (DRAINING, True, False),
        (STUCK, False, False),
    ],
)
def test_states(state: str, turns: bool, accepts: bool) -> None:
    """A loop turns while its process serves or drains; only who serves accepts connections."""
    found = replace(SERVES, state=state)
    assert (found.turns, found.accepts) == (turns, accepts)


def test_who_has_no_rules_accepts_nobody() -> None:
    """Rules that cannot be used at all are a reason not to be sent people; a ledger is not."""
    checks = {"rules": down("there are none")}
    assert SERVES.accepts
    assert not replace(SERVES, report=REPORT._replace(checks=checks)).accepts


def test_the_document_of_a_process() -> None:
    """Numbers are rounded, checks are named without their words, and a process that has not said
    anything yet has none."""
    assert SERVES.document() == {
        "index": 1,
        "pid": 4711,
        "state": "serving",
        "since": "1970-01-01T00:00:00+00:00",
        "last_message_seconds": 0.4,
        "loop_lag_seconds": 0.012,
        "connections": 7,
        "wrong": ["ledger"],
    }
    assert "wrong" not in replace(SERVES, report=None).document()
    assert pickle.loads(pickle.dumps(REPORT)) == REPORT


def test_the_document() -> None:
    """All is well, something is wrong while people are served, or nobody is taken."""
    ill = {"ledger": DependencyReport(False, "away")}
    assert status_document(True, [SERVES], {}, {})["status"] == "ok"
    assert status_document(True, [SERVES], ill, {})["status"] == "degraded"
    stuck = replace(SERVES, state=STUCK)
    assert status_document(True, [SERVES, stuck], {}, {})["status"] == "degraded"
    assert status_document(False, [stuck], {}, {})["status"] == "down"
    found = status_document(True, [SERVES], ill, program_versions())
    assert list(found) == ["status", "versions", "workers", "dependencies"]
    assert set(program_versions()) == {"allowance", "python", "mitmproxy"}
    assert json.loads(json.dumps(found)) == found
