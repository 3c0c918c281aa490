"""Zones whose clocks do unusual things, and rules of which only the calendar matters."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import settings
from hypothesis import strategies as st

from proxy_addon.core.ruleset import People, RuleSet

LONDON = "Europe/London"  # clock changes at 01:00 UTC
ZONES = (
    LONDON,
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour of summer time
    "Africa/Casablanca",  # winter time in Ramadan
    "Pacific/Apia",  # left out 30 December 2011
    "America/Havana",  # changes at midnight: a midnight that is skipped, one that is shown twice
    "America/St_Johns",  # until 2011 one minute past midnight
    "Asia/Kathmandu",  # no change, 45 minutes
)
H = 3600

quick = settings(max_examples=80, deadline=None)
zones = st.sampled_from(ZONES)
# Whole quarters of an hour from 2005 to 2030: clock changes and windows fall on them, so equality
# is tried.
quarters = st.integers(1_104_537_600 // 900, 1_893_456_000 // 900).map(
    lambda quarter: quarter * 900.0
)


def rules(zone: str = LONDON, day_starts: int = 0, week_starts: int = 0) -> RuleSet:
    """A rule set of which only the calendar matters."""
    return RuleSet(
        ZoneInfo(zone), day_starts, week_starts, {}, {}, {}, (), People("staff", {"staff": ()})
    )


def at(text: str, zone: str = LONDON, fold: int = 0) -> float:
    """The instant at which the clock of the zone shows `text`."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def shown(instant: float, rs: RuleSet) -> str:
    """What the clock of the zone shows."""
    return datetime.fromtimestamp(instant, rs.zone).strftime("%Y-%m-%d %H:%M:%S")
