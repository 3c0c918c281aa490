"""Scripts that need mounts: they run in a process of their own and write a report."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy.image_root import SKIPPED
from tests.deploy.compose import ROOT


def reported(command: list[str], report: Path) -> dict[str, Any]:
    """What a script writes to `report`; skips the test where this machine does not permit
    mounts."""
    done = subprocess.run(
        [*command, str(report)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=280
    )
    if done.returncode == SKIPPED:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    result: dict[str, Any] = json.loads(report.read_text())
    return result
