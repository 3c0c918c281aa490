"""ICS files as calendar programs write them."""

from __future__ import annotations

from datetime import date, datetime
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.rules.calendars import Event, Feed
from proxy_addon.core.rules.parsers import BadValue
from proxy_addon.core.rules.problems import Code
from proxy_addon.core.types import Interval
from proxy_addon.rules.ics import read

LONDON = ZoneInfo("Europe/London")


def file(*events: str) -> bytes:
    """A calendar of these events; each is its lines with `;;` between them."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//office//"]
    for number, event in enumerate(events):
        own = event.split(";;")
        uid = [] if any(line.startswith("UID") for line in own) else [f"UID:{number}"]
        lines += ["BEGIN:VEVENT", *uid, *own, "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def feed(*events: str) -> Feed:
    """The events, read in London."""
    return read(file(*events), "shifts.ics", LONDON)


def span(begin: str, end: str, zone: ZoneInfo = LONDON) -> Interval:
    """Two times on the wall of a zone."""
    return Interval(
        *(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() for text in (begin, end))
    )


NINE = "DTSTART:20261102T090000;;DTEND:20261102T170000"


def test_a_shift_with_those_invited() -> None:
    """Whoever declined is not on duty; times without a zone are those of the office."""
    found = feed(
        f"{NINE};;SUMMARY:Early;;ATTENDEE;CN=Carl:mailto:carl@office.example;;"
        "ATTENDEE;PARTSTAT=DECLINED:mailto:cora@office.example"
    )
    assert found == (
        Event(("carl@office.example",), (), (span("2026-11-02 09:00", "2026-11-02 17:00"),)),
    )


def test_names_in_the_title() -> None:
    """Where nobody is invited, the title says who it is."""
    assert feed(f"{NINE};;SUMMARY:carl\\, cora")[0].people == ("carl", "cora")
    assert feed(NINE)[0].people == ()
    declined = "ATTENDEE;PARTSTAT=DECLINED:mailto:cora@office.example"
    assert feed(f"{NINE};;SUMMARY:carl;;{declined}")[0].people == ()


def test_whole_days() -> None:
    """The end of an event of whole days is the day after; without one it is one day."""
    found = feed(
        "DTSTART;VALUE=DATE:20261224;;DTEND;VALUE=DATE:20261227",
        "DTSTART;VALUE=DATE:20270101;;SUMMARY:a",
    )
    assert found[0].days == ((date(2026, 12, 24), date(2026, 12, 26)),)
    assert found[1].days == ((date(2027, 1, 1), date(2027, 1, 1)),)


def test_zones() -> None:
    """UTC, a zone by its name, and lengths in place of ends."""
    found = feed(
        "DTSTART:20260702T090000Z;;DTEND:20260702T100000Z",
        "DTSTART;TZID=America/New_York:20261102T090000;;DURATION:PT8H",
    )
    assert found[0].hours == (span("2026-07-02 10:00", "2026-07-02 11:00"),)
    assert found[1].hours == (
        span("2026-11-02 09:00", "2026-11-02 17:00", ZoneInfo("America/New_York")),
    )


def test_a_night_shift_is_one_on_the_nights_clocks_change_too() -> None:
    """From ten to six on the wall: eight hours, and nine in the night clocks are put back."""
    night = "DTSTART;TZID=Europe/London:20261023T220000;;DTEND;TZID=Europe/London:20261024T060000"
    (found,) = feed(f"{night};;RRULE:FREQ=DAILY;COUNT=3")
    assert [hour.end - hour.start for hour in found.hours] == [8 * 3600, 9 * 3600, 8 * 3600]
    assert found.hours[1] == span("2026-10-24 22:00", "2026-10-25 06:00")


def test_a_week_of_shifts_with_days_taken_out_and_put_in() -> None:
    """EXDATE, RDATE, one that was moved, one that was cancelled."""
    weekly = f"UID:w;;{NINE};;RRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20261112T000000"
    found = feed(
        f"{weekly};;EXDATE:20261104T090000;;RDATE:20261106T090000",
        "UID:w;;RECURRENCE-ID:20261109T090000;;DTSTART:20261110T120000;;DTEND:20261110T130000",
        f"{NINE};;STATUS:CANCELLED",
    )
    days = [
        datetime.fromtimestamp(hour.start, LONDON).day for event in found for hour in event.hours
    ]
    assert days == [2, 6, 11, 10]


def test_an_event_without_an_end_goes_on_to_2040() -> None:
    """Every Monday of fifteen years."""
    (found,) = feed(f"{NINE};;RRULE:FREQ=WEEKLY")
    assert datetime.fromtimestamp(found.hours[-1].start, LONDON).year == 2040
    assert len(found.hours) == 740


def test_months_and_years() -> None:
    """The second Tuesday, the last day, a birthday."""
    found = feed(
        "DTSTART;VALUE=DATE:20261110;;RRULE:FREQ=MONTHLY;BYDAY=2TU;COUNT=2",
        "DTSTART;VALUE=DATE:20270131;;RRULE:FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=2",
        "DTSTART;VALUE=DATE:20280229;;RRULE:FREQ=YEARLY;COUNT=2",
    )
    assert [[first.isoformat() for first, _ in event.days] for event in found] == [
        ["2026-11-10", "2026-12-08"],
        ["2027-01-31", "2027-02-28"],
        ["2028-02-29", "2032-02-29"],
    ]


def test_as_calendar_programs_write_it() -> None:
    """A birthday, the last working day of the month, Friday the 13th, every other Monday: a hundred
    of each."""
    rules = (
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;WKST=SU",
    )
    found = feed(*(f"{NINE};;RRULE:{rule};COUNT=4" for rule in rules for _ in range(100)))
    assert len(found) == 400
    assert all(
        len(event.hours) in (4, 5) for event in found
    )  # five: the first does not fit its own rule


def test_what_is_no_stretch_of_time_is_passed_over() -> None:
    """An event that ends before it begins, lasts no time, or has no beginning."""
    assert (
        feed(
            "DTSTART:20261102T090000;;DTEND:20261102T080000",
            "DTSTART:20261102T090000",
            "SUMMARY:carl",
        )
        == ()
    )


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=HOURLY;COUNT=3",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYWEEKNO=53",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=7;BYDAY=SU",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=20",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=9",
        "FREQ=WEEKLY;BYDAY=2MO",
        "FREQ=WEEKLY;BYSETPOS=9;BYDAY=MO",
        "FREQ=FORTNIGHTLY",
        "COUNT=3",
    ],
)
def test_what_could_take_very_long_is_refused(rule: str) -> None:
    """With the rule in the message."""
    with pytest.raises(BadValue) as caught:
        feed(f"{NINE};;RRULE:{rule}")
    assert caught.value.code is Code.BAD_CALENDAR


@pytest.mark.parametrize(
    "events",
    [
        [f"{NINE};;RRULE:FREQ=DAILY"] * 5,
        [f"{NINE};;RRULE:FREQ=DAILY;COUNT=999999999"] * 9,
        ["DTSTART:00010101T090000;;DTEND:00010101T100000;;RRULE:FREQ=DAILY"],
        ["DTSTART;VALUE=DATE:20260230"],
        [
            "DTSTART:20270201T090000;;DTEND:20270201T100000;;RRULE:FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31"
        ]
        * 25,
        [f"{NINE};;RRULE:FREQ=WEEKLY;INTERVAL=99999999999999999999"],
    ],
    ids=["endless", "counted", "since year 1", "no such day", "never", "huge interval"],
)
def test_hostile_files_end_soon(events: list[str]) -> None:
    """An answer or a refusal, within seconds."""
    begun = perf_counter()
    try:
        feed(*events)
    except BadValue as bad:
        assert bad.code is Code.BAD_CALENDAR
    assert perf_counter() - begun < 20


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_get_an_answer(content: bytes) -> None:
    """Whatever lies in the folder."""
    try:
        read(content, "x.ics", LONDON)
    except BadValue as bad:
        assert bad.code is Code.BAD_CALENDAR
