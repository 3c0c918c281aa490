"""Draws docs/pictures/report.png, the page of a made-up office: python -m
tests.tools.report_picture"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.sync_api import sync_playwright

from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Period, RuleSet
from proxy_addon.core.types import Grant
from proxy_addon.ledger.interface import PlainVisit
from proxy_addon.report.aggregate import gather
from proxy_addon.report.date_range import around
from proxy_addon.report.page import page
from proxy_addon.report.roles import Roles
from proxy_addon.rules import folder as rules_folder

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docs" / "pictures" / "report.png"
ZONE = ZoneInfo("Europe/London")
MONDAY = datetime(2026, 11, 16, tzinfo=ZONE)
NOW = datetime(2026, 11, 23, 8, 5, tzinfo=ZONE).timestamp()
M = 60.0
STAFF = tuple(f"p{number:02}" for number in range(34))
TEAMS = {
    "marketing": ("maria", "p00", "p01"),
    "care": ("carl", "cora", "p03", "p04", "p05", "p06"),
    "admin": ("ada",),
}
PLATFORMS = {
    "facebook": 20,
    "instagram": 18,
    "youtube": 22,
    "linkedin": 14,
    "x": 9,
    "reddit": 8,
    "whatsapp": 6,
    "tiktok": 3,
    "pinterest": 2,
    "twitch": 3,
}
HOURS = (9, 10, 10, 11, 11, 12, 12, 12, 12, 13, 13, 14, 15, 15, 16, 16, 17)
ALLOWANCE, RULE = "daily-social", "Fifteen minutes a day"


def rules() -> RuleSet:
    """The shipped policy, with people."""
    shipped = rules_folder.load(ROOT / "rules")
    return replace(shipped, people=replace(shipped.people, roles={**shipped.people.roles, **TEAMS}))


def visits(chance: random.Random) -> Iterator[PlainVisit]:
    """A week of the office: breaks, lunch, and people who use up what they have."""
    for name in sorted({*STAFF, *(name for team in TEAMS.values() for name in team)}):
        for day in range(5):
            if chance.random() < 0.2:
                continue
            left = 45 * M if name in TEAMS["care"] else 15 * M
            for _ in range(chance.randint(1, 6)):
                at = MONDAY + timedelta(
                    days=day, hours=chance.choice(HOURS), minutes=60 * chance.random()
                )
                platform = chance.choices(list(PLATFORMS), list(PLATFORMS.values()))[0]
                seconds = 20 + chance.expovariate(1 / 330)
                free = (
                    name in TEAMS["marketing"] or 12 * 60 <= at.hour * 60 + at.minute < 13 * 60 + 30
                )
                if not free:
                    seconds = min(seconds, left)
                    left -= seconds
                if seconds > 5:
                    start = at.timestamp()
                    yield PlainVisit(
                        name,
                        platform,
                        None if free else ALLOWANCE,
                        None if free else RULE,
                        start,
                        start + seconds,
                    )


def text() -> str:
    """The page."""
    engine = Engine(rules())
    span = around(engine.rule_set, Period.WEEK, NOW, last=True)
    three = (MONDAY + timedelta(days=2, hours=15)).timestamp()
    grants = [
        Grant(name, name, ALLOWANCE, 10 * M, "customer", "ada", three, three + 9 * 3600)
        for name in ("p08", "carl")
    ]
    made = gather(engine, Roles(engine), span, visits(random.Random(7)), grants)
    return page(made, NOW, by_person=False)


def main() -> None:
    """Write the picture: the upper part of the page, as wide as a reader's screen."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        file = Path(folder) / "report.html"
        file.write_text(text(), "utf-8")
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": 1060, "height": 1400}, color_scheme="light")
        shown.goto(file.as_uri())
        shown.screenshot(path=FILE)
        browser.close()
    print(f"{FILE.name}: {FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
