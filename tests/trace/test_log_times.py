"""Instants in logs."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from proxy_addon.trace.event import BadRecordError, TraceFault
from proxy_addon.trace.log_times import of_column, of_iso, of_server_date

AT = 1_793_327_506.0  # 2026-10-30T02:31:46Z
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-30T02:31:46",
        "2026-10-30T02:31:46.000Z",
        "2026-10-30 02:31:46,000",
        "2026-10-30T03:31:46+01:00",
        "2026-10-30T03:31:46+0100",
        "1793327506",
        "1793327506.000",
    ],
)
def test_columns(text: str) -> None:
    """Seconds and dates, with and without a zone."""
    assert of_column(text) == pytest.approx(AT)


def test_a_date_without_a_zone_is_of_the_zone_given() -> None:
    """Squid writes local time."""
    assert of_iso("2026-10-30T03:31:46", BERLIN) == AT
    assert of_server_date("30/Oct/2026:03:31:46", BERLIN) == AT
    assert of_server_date("30/Oct/2026:02:31:46 +0000", BERLIN) == AT


@pytest.mark.parametrize("text", ["2026-13-30T03:31:46", "0001-01-01T00:00:00"])
def test_what_is_no_date(text: str) -> None:
    """Its reason is the time."""
    with pytest.raises(BadRecordError) as caught:
        of_iso(text)
    assert caught.value.reason is TraceFault.TIME
    with pytest.raises(BadRecordError):
        of_server_date("31/Feb/2026:03:31:46 +0100")
    with pytest.raises(BadRecordError):
        of_column("yesterday")
