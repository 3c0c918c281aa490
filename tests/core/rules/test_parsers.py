"""Names, flags and quoting; and every parser of rule files reads or refuses whatever it is
given."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.rules import address_parsers, parsers, time_parsers
from proxy_addon.core.rules.parsers import BadValue
from proxy_addon.core.rules.problems import Code

PARSERS = [
    parsers.text,
    parsers.name,
    parsers.slug,
    parsers.flag,
    parsers.version,
    time_parsers.duration,
    time_parsers.retention,
    time_parsers.limit,
    parsers.number,
    time_parsers.seconds,
    time_parsers.time_of_day,
    time_parsers.between,
    time_parsers.days,
    time_parsers.weekday,
    time_parsers.dates,
    time_parsers.zone,
    address_parsers.network,
    address_parsers.host,
    address_parsers.path,
    address_parsers.evidence,
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


def test_a_name_may_be_a_number() -> None:
    """An employee's number is a name."""
    assert parsers.name(4711) == "4711"


def test_quoting_is_short_and_harmless() -> None:
    """Nothing that a terminal would obey, and never a page of it."""
    assert parsers.quote("a\x1b[31mb") == '"a\N{REPLACEMENT CHARACTER}[31mb"'
    assert len(parsers.quote("x" * 1000)) == 62
    assert (parsers.quote(True), parsers.quote(None), parsers.quote([1])) == (
        '"true"',
        "nothing",
        "a list",
    )


@pytest.mark.parametrize(
    ("written", "hint"),
    [("on", "true"), ("Yes", "true"), ("off", "false"), (0, "false"), ("so", "true or false")],
)
def test_what_other_files_take_for_true_or_false(written: object, hint: str) -> None:
    """Whoever writes `on` reads what to write here."""
    with pytest.raises(BadValue) as refused:
        parsers.flag(written)
    assert refused.value.hint == f"write {hint}"
