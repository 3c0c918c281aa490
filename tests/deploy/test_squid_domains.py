"""deploy/squid/domains.py: which domains Squid sends to Allowance."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.squid.domains import domains
from tests.e2e.process import ROOT


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["facebook.com"], [".facebook.com"]),
        (["*.facebook.com"], [".facebook.com"]),
        (["=t.co"], ["t.co"]),
        (["scontent*.cdninstagram.com"], [".cdninstagram.com"]),
        (["=a*.b.example"], [".b.example"]),
        (
            ["facebook.com", "m.facebook.com", "=www.facebook.com", "=facebook.com"],
            [".facebook.com"],
        ),
        (["x.com", "netflix.com"], [".netflix.com", ".x.com"]),
    ],
)
def test_patterns(patterns: list[str], expected: list[str]) -> None:
    """Each as Squid writes it, and none that another one includes: Squid refuses such lists."""
    assert domains(patterns) == expected


def listed(rules: Path) -> subprocess.CompletedProcess[str]:
    """What the script says, as an administrator starts it."""
    command = [sys.executable, str(Path("deploy", "squid", "domains.py")), str(rules)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_shipped_rules() -> None:
    """All hosts of limited platforms, and our own page."""
    answer = listed(ROOT / "rules")
    assert answer.returncode == 0, answer.stderr
    lines = answer.stdout.split()
    assert {"allowance.internal", ".facebook.com", ".tiktok.com"} <= set(lines)
    assert len(lines) == len(set(lines)) > 100


def test_rules_that_are_wrong(tmp_path: Path) -> None:
    """They are named, and nothing is printed that could be taken for a list."""
    answer = listed(tmp_path / "nowhere")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr
