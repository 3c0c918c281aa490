"""Names, flags and quoting; and every parser of rule files reads or refuses whatever it is given."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.rules import address_parsers as addresses
from proxy_addon.core.rules import parsers as values
from proxy_addon.core.rules import time_parsers as times_of
from proxy_addon.core.rules.parsers import BadValue
from proxy_addon.core.rules.problems import Code

PARSERS = [
    values.text,
    values.name,
    values.slug,
    values.flag,
    values.version,
    times_of.duration,
    times_of.retention,
    times_of.limit,
    values.number,
    times_of.seconds,
    times_of.time_of_day,
    times_of.between,
    times_of.days,
    times_of.weekday,
    times_of.dates,
    times_of.zone,
    addresses.network,
    addresses.host,
    addresses.path,
    addresses.evidence,
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


@pytest.mark.parametrize(
    ("written", "hint"),
    [("on", "true"), ("Yes", "true"), ("off", "false"), (0, "false"), ("so", "true or false")],
)
def test_what_other_files_take_for_true_or_false(written: object, hint: str) -> None:
    """Whoever writes `on` reads what to write here."""
    with pytest.raises(BadValue) as refused:
        values.flag(written)
    assert refused.value.hint == f"write {hint}"
