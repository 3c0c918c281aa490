"""Where calendars come from, and what it costs when none is used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from proxy_addon.core import conditions
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.rules.parsers import BadValue
from proxy_addon.core.rules.problems import Code
from proxy_addon.rules import folder as rules_folder
from proxy_addon.rules.calendar_sources import FolderSources
from tests.core.policies import at
from tests.rules.test_ics import NINE, file

ROOT = Path(__file__).parents[2]
LONDON = ZoneInfo("Europe/London")


def test_files_that_are_there_missing_or_unreadable() -> None:
    """Each is told in its own way."""
    sources = FolderSources({"a.ics": file(NINE), "b.ics": (Code.UNREADABLE_FILE, "why", "")})
    assert len(sources.feed("a.ics", LONDON)) == 1
    for name, code in (("c.ics", Code.MISSING_FILE), ("b.ics", Code.UNREADABLE_FILE)):
        with pytest.raises(BadValue) as caught:
            sources.feed(name, LONDON)
        assert caught.value.code is code


def test_rules_without_calendars_load_no_library_of_calendars() -> None:
    """The shipped rules start a proxy that never reads them."""
    program = (
        "import sys; from pathlib import Path; from proxy_addon.rules import folder\n"
        "folder.load(Path('rules'))\n"
        "print([name for name in ('holidays', 'icalendar', 'dateutil') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout == "[]\n"


def test_a_rules_folder_with_calendars_and_shifts(tmp_path: Path) -> None:
    """From the files to who has which role when, and whether lunch is free."""
    (tmp_path / "platforms").mkdir()
    (tmp_path / "calendars").mkdir()
    (tmp_path / "platforms" / "x.yaml").write_text("x: {hosts: [x.com]}\n")
    (tmp_path / "policy.yaml").write_text(
        "version: 1\ntimezone: Europe/London\n"
        "calendars:\n  bank: [{holidays: GB, region: ENG, years: 2026}, {ics: calendars/fair.ics}]\n"
        "rules:\n  - {name: Free, platforms: [x], when: {calendar: bank}, then: allow}\n"
        "  - {name: Not for others, platforms: [x], then: block}\n"
    )
    (tmp_path / "people.yaml").write_text(
        "roles:\n  care: {members: [{ics: shifts.ics, names: short}]}\n"
    )
    (tmp_path / "shifts.ics").write_bytes(file(f"{NINE};;ATTENDEE:mailto:carl@office.example"))
    (tmp_path / "calendars" / "fair.ics").write_bytes(
        file("DTSTART;VALUE=DATE:20261204;;SUMMARY:Fair")
    )
    rs = rules_folder.load(tmp_path)
    free = rs.rules[0].when
    assert free is not None
    days = ("2026-12-04", "2026-12-25", "2026-12-05")
    assert [conditions.fits(free, rs, at(f"{day} 10:00")) for day in days] == [True, True, False]
    engine = Engine(rs)
    assert [engine.roles_of("Carl", at(hour)) for hour in ("08:59", "09:00")] == [
        ("staff",),
        ("care",),
    ]


def test_other_shifts_are_other_rules(tmp_path: Path) -> None:
    """An ICS file is part of the rules: changing it is a change."""
    (tmp_path / "policy.yaml").write_text(
        "version: 1\ntimezone: UTC\ncalendars: {fair: {ics: fair.ics}}\n"
    )
    (tmp_path / "fair.ics").write_bytes(file(NINE))
    before = rules_folder.read(tmp_path).digest
    (tmp_path / "fair.ics").write_bytes(file(NINE.replace("17", "18")))
    assert rules_folder.read(tmp_path).digest != before
