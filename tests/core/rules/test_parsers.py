"""The small languages inside rule files."""

from __future__ import annotations

from datetime import date, timedelta
from ipaddress import ip_network
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.hosts import HostTable
from proxy_addon.core.rules import parsers as values
from proxy_addon.core.rules.parsers import BadValue
from proxy_addon.core.rules.problems import Code
from proxy_addon.core.ruleset import Limit, Period

PARSERS = [
    values.text,
    values.name,
    values.slug,
    values.flag,
    values.version,
    values.duration,
    values.retention,
    values.limit,
    values.number,
    values.seconds,
    values.time_of_day,
    values.between,
    values.days,
    values.weekday,
    values.dates,
    values.zone,
    values.network,
    values.host,
    values.path,
    values.evidence,
]
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("parse", PARSERS, ids=lambda parse: parse.__name__)
@settings(max_examples=60, deadline=None)
@given(value=PLAIN)
def test_any_value_is_read_or_refused(parse, value) -> None:
    """A parser gives a value or raises BadValue, with a message that is one short line."""
    try:
        parse(value)
    except BadValue as bad:
        assert isinstance(bad.code, Code)
        assert bad.message and bad.message.isprintable() and len(bad.message) < 200


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("90s", 90),
        ("15m", 900),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("2d", 172_800),
        ("1.5h", 5400),
        (0, 0),
        ("0", 0),
    ],
)
def test_durations(written, seconds) -> None:
    """A length of time in seconds; zero needs no unit."""
    assert values.duration(written) == seconds


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59))
@settings(max_examples=60)
def test_durations_add_up(hours: int, minutes: int, seconds: int) -> None:
    """The parts of a length of time are added."""
    assert values.duration(f"{hours}h{minutes}m{seconds}s") == hours * 3600 + minutes * 60 + seconds


@pytest.mark.parametrize(
    ("written", "limit"),
    [
        ("15m per day", Limit(900, Period.DAY)),
        ("1h30m per week", Limit(5400, Period.WEEK)),
        ("5m  per  hour", Limit(300, Period.HOUR)),
        ("6h per month", Limit(21_600, Period.MONTH)),
        ("20m per rolling 4h", Limit(1200, Period.ROLLING, 14_400)),
        ("0m per day", Limit(0, Period.DAY)),
    ],
)
def test_limits(written: str, limit: Limit) -> None:
    """Every form of a limit that docs/rules.md names."""
    assert values.limit(written) == limit


@pytest.mark.parametrize(
    ("written", "pair"),
    [
        ("12:00-13:30", (43_200, 48_600)),
        ("22:00 - 06:00", (79_200, 21_600)),
        ("0:00-24:00", (0, 86_400)),
        ("9:05–9:10", (32_700, 33_000)),
    ],
)
def test_stretches_of_the_day(written: str, pair: tuple[int, int]) -> None:
    """Seconds after midnight; a stretch may cross midnight or end at it."""
    assert values.between(written) == pair


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        ("mon", {0}),
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("sat-mon", {5, 6, 0}),
        ("Sunday", {6}),
        ("sun-sun", {6}),
    ],
)
def test_days(written: str, numbers: set[int]) -> None:
    """Ranges hold both ends and go around the end of the week."""
    assert values.days(written) == numbers


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 400))
@settings(max_examples=60)
def test_ranges_of_dates(first: date, length: int) -> None:
    """Both ways of writing a range mean the same, and a range of one day is that day."""
    last = first + timedelta(length)
    assert values.dates(f"{first}..{last}") == values.dates(f"{first} - {last}") == (first, last)
    assert values.dates(str(first)) == (first, first)


def test_zones_are_iana_names_in_their_spelling() -> None:
    """A name that would only work on this machine's disk is refused."""
    assert values.zone("Europe/London") == ZoneInfo("Europe/London")
    for wrong in ("europe/london", "localtime", "posix/Europe/London", "/etc/localtime", ""):
        with pytest.raises(BadValue):
            values.zone(wrong)


def test_networks() -> None:
    """Addresses and networks of both families."""
    assert values.network("10.0.7.21") == ip_network("10.0.7.21/32")
    assert values.network("fd00::/8") == ip_network("fd00::/8")


@pytest.mark.parametrize(
    "written", ["x.com", "=t.co", "*.x.com", "scontent*.fbcdn.net", "bücher.example", "x.com."]
)
def test_hosts_that_are_let_in_can_be_looked_up(written: str) -> None:
    """What passes here compiles in the table of hosts."""
    HostTable([(values.host(written), True)])


@given(st.text(alphabet="ab.*=-_/ü:", min_size=1, max_size=12))
@settings(max_examples=100, deadline=None)
def test_no_host_that_is_let_in_breaks_the_table(word: str) -> None:
    """The table never raises for a host that was let in."""
    try:
        host = values.host(word)
    except BadValue:
        return
    HostTable([(host, True)])


@pytest.mark.parametrize(
    "written", ["/embed/*", "*/realtime/*", "t.co/i/adsct*", "=t.co/a", "*client_event"]
)
def test_paths_with_and_without_a_host(written: str) -> None:
    """The forms that the catalogue knows."""
    assert values.path(written) == values.evidence(written) == written


def test_a_name_may_be_a_number() -> None:
    """An employee's number is a name."""
    assert values.name(4711) == "4711"


def test_quoting_is_short_and_harmless() -> None:
    """Nothing that a terminal would obey, and never a page of it."""
    assert values.quote("a\x1b[31mb") == '"a\N{REPLACEMENT CHARACTER}[31mb"'
    assert len(values.quote("x" * 1000)) == 62
    assert (values.quote(True), values.quote(None), values.quote([1])) == (
        '"true"',
        "nothing",
        "a list",
    )


def test_long_text_is_refused_at_once() -> None:
    """Patterns that could look back for ever never see it."""
    for parse in (values.duration, values.limit, values.between, values.dates):
        with pytest.raises(BadValue):
            parse("1" + " " * 500_000 + "x")


@pytest.mark.parametrize(
    ("written", "hint"),
    [("on", "true"), ("Yes", "true"), ("off", "false"), (0, "false"), ("so", "true or false")],
)
def test_what_other_files_take_for_true_or_false(written: object, hint: str) -> None:
    """Whoever writes `on` reads what to write here."""
    with pytest.raises(BadValue) as refused:
        values.flag(written)
    assert refused.value.hint == f"write {hint}"
