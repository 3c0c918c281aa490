"""Dates and times that people type, and the years in which they lie."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.config import dates
from proxy_addon.config.dates import BadDateError

NEW_YORK = ZoneInfo("America/New_York")
zones = st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"}))


def test_a_time_without_an_offset_is_of_the_zone() -> None:
    """What the clock of the office shows; an offset that is written wins."""
    noon = datetime(2026, 12, 24, 12, tzinfo=NEW_YORK).timestamp()
    assert dates.instant("2026-12-24T12:00", NEW_YORK) == noon
    assert dates.instant("2026-12-24 17:00+00:00", NEW_YORK) == noon
    assert dates.instant("2026-12-24", UTC) == datetime(2026, 12, 24, tzinfo=UTC).timestamp()
    assert dates.day("2026-12-24") == date(2026, 12, 24)


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "24.12.2026", "2026-02-29"])
def test_what_is_not_a_date(text: str) -> None:
    """It is quoted, with how a date is written."""
    with pytest.raises(BadDateError) as bad:
        dates.day(text)
    assert str(bad.value) == f"{text!r} is not a date; write it as 2026-12-24"
    with pytest.raises(BadDateError) as bad:
        dates.instant(text, UTC)
    assert str(bad.value) == f"{text!r} is not a time; write it as 2026-12-24T18:00"


@pytest.mark.parametrize("text", ["9999-12-31", "3000-01-01", "1969-12-31", "0001-01-01"])
def test_years_that_nothing_can_be_calculated_in(text: str) -> None:
    """The ends of the calendar are refused as well as anything far away, in one sentence."""
    for parse in (dates.day, lambda given: dates.instant(given, NEW_YORK)):
        with pytest.raises(BadDateError) as bad:
            parse(text)
        assert str(bad.value) == f"{text!r} is too far away; write a year from 1970 to 2999"


@given(zones, st.sampled_from(["1970-01-01", "2999-12-31T23:59"]))
def test_the_first_and_the_last_day_are_good_in_every_zone(zone: str, text: str) -> None:
    """Both ends are instants, and can be shown on the clock of every zone."""
    found = dates.instant(text, ZoneInfo(zone))
    assert datetime.fromtimestamp(found, ZoneInfo(zone)).isoformat().startswith(text[:4])
