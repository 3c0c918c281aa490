"""Twin of proxy_addon/rules/calendar_libraries.py: the libraries come when they are needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NONE = "libraries"
HOLIDAYS = "libraries.public_holidays('GB', 'ENG', (2026, 2026))"
ICS = "libraries.ics_events(b'BEGIN:VCALENDAR\\r\\nEND:VCALENDAR\\r\\n', 'a.ics', ZoneInfo('UTC'))"


@pytest.mark.parametrize(
    ("used", "loaded"), [(NONE, set()), (HOLIDAYS, {"holidays"}), (ICS, {"icalendar"})]
)
def test_each_is_loaded_by_its_use(used: str, loaded: set[str]) -> None:
    """Nothing at first, then the one that was asked for."""
    program = (
        "import sys; from zoneinfo import ZoneInfo\n"
        "from proxy_addon.rules import calendar_libraries as libraries\n"
        f"{used}\n"
        "print(*[name for name in ('holidays', 'icalendar') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert set(done.stdout.split()) == loaded
