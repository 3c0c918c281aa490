"""The readers of calendars, whose libraries are loaded when rules use them, and not before.

They are large, and most rules name neither holidays nor shifts: a proxy without them starts a tenth
of a second sooner. No other module of `rules` imports late; the only one elsewhere is `db/late.py`.
"""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo

from proxy_addon.core.rules.calendars import Days, Feed


@cache
def public_holidays(country: str, region: str | None, years: tuple[int, int]) -> Days:
    """See `public_holidays.days`. Loads `holidays`."""
    from proxy_addon.rules import public_holidays as module

    return module.days(country, region, years)


def ics_events(content: bytes, file: str, zone: ZoneInfo) -> Feed:
    """See `ics.read`. Loads `icalendar` and `dateutil`."""
    from proxy_addon.rules import ics

    return ics.read(content, file, zone)
