"""Shapes and parsers agree: what a parser takes has the shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from proxy_addon.core.rules import address_parsers, parsers, schema_patterns, time_parsers
from proxy_addon.core.rules.parsers import BadValue

PAIRS: list[tuple[Any, Callable[[object], object], list[object], list[object]]] = [
    (
        schema_patterns.LENGTH,
        time_parsers.duration,
        ["90s", "1h30m", "1h 30m", 0, "0", "1.5h", "90d"],
        ["", "15", 15, "m", "15 min"],
    ),
    (
        schema_patterns.LIMIT,
        time_parsers.limit,
        ["15m per day", "20m per rolling 4h", "0 per week"],
        ["15m", "15m per decade", "per day"],
    ),
    (
        schema_patterns.TIME,
        time_parsers.time_of_day,
        ["4:00", "04:00", "23:59"],
        ["24:00", "4", "12:60"],
    ),
    (
        schema_patterns.BETWEEN,
        time_parsers.between,
        ["12:00-13:30", "22:00 - 6:00", "12:00–24:00"],
        ["12-13", "24:00-25:00"],
    ),
    (
        schema_patterns.DAYS,
        time_parsers.days,
        ["mon", "Mon-FRI", "saturday - monday"],
        ["mo", "mon,tue", "mon-", "weekday"],
    ),
    (schema_patterns.WEEKDAY, time_parsers.weekday, ["monday", "Sun"], ["mon-tue", "1"]),
    (
        schema_patterns.DATES,
        time_parsers.dates,
        ["2026-12-24", "2026-12-24..2027-01-01", "2026-12-24 - 2027-01-01"],
        ["24.12.2026"],
    ),
    (schema_patterns.SLUG, parsers.slug, ["x", "9gag", "a-b_c.d"], ["A", "-x", "a b", "ä"]),
    (
        schema_patterns.HOST,
        address_parsers.host,
        ["x.com", "=x.com", "*.x.com", "a*.x.com", "x.com."],
        ["x", "https://x.com", "x.com/a", "x.com.."],
    ),
    (schema_patterns.PATH, address_parsers.path, ["/learning/*", "x.com/a*"], ["learning", "a b/"]),
    (
        schema_patterns.ZONE,
        time_parsers.zone,
        ["Europe/London", "UTC", "Etc/GMT+1"],
        ["", "+01:00"],
    ),
]


def judge(shape: Any) -> Draft202012Validator:
    """A validator of one shape."""
    return Draft202012Validator(TypeAdapter(shape).json_schema())


def takes(parse: Callable[[object], object], value: object) -> bool:
    """Whether the parser takes the value."""
    try:
        parse(value)
    except BadValue:
        return False
    return True


@pytest.mark.parametrize(
    ("shape", "parse", "right", "wrong"), PAIRS, ids=[pair[1].__name__ for pair in PAIRS]
)
def test_examples(
    shape: Any, parse: Callable[[object], object], right: list[object], wrong: list[object]
) -> None:
    """Both take what is right; what has the wrong shape neither takes."""
    judged = judge(shape)
    assert [value for value in right if not takes(parse, value) or not judged.is_valid(value)] == []
    assert [value for value in wrong if takes(parse, value) or judged.is_valid(value)] == []


ALPHABET = "0123456789:-–. adhmsperoligwkyntuf/*=xX+_"


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(PAIRS), st.data())
def test_what_a_parser_takes_has_the_shape(pair: Any, data: st.DataObject) -> None:
    """Editors underline nothing that goes into force: right values with a character changed or
    moved."""
    shape, parse, right, _ = pair
    word = str(data.draw(st.sampled_from(right)))
    at = data.draw(st.integers(0, len(word)))
    word = (
        word[:at]
        + data.draw(st.text(ALPHABET, max_size=2))
        + word[at + data.draw(st.integers(0, 1)) :]
    )
    if takes(parse, word):
        assert judge(shape).is_valid(word), word
