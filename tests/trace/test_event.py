"""Checks that all readers share."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.trace.event import (
    BadRecordError,
    duration,
    instant,
    kept,
    person,
    size,
    status,
    text,
)

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
)


@settings(max_examples=100)
@given(ANYTHING)
def test_figures_are_sound_or_refused(value: object) -> None:
    """Whatever stands in a field, a figure that gets through is finite, not negative and not
    absurd."""
    for check, largest in ((instant, 4e10), (size, 2**50), (duration, 604_800), (status, 999)):
        try:
            found = check(value)
        except BadRecordError:
            continue
        assert math.isfinite(found)
        assert 0 <= found <= largest


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, 10**400, True, "5", [], 604_801])
def test_impossible_durations_are_refused(value: object) -> None:
    """Negative, endless, not a number and longer than a week are all problems of the line."""
    with pytest.raises(BadRecordError):
        duration(value)


def test_nothing_is_zero_but_a_time_is_needed() -> None:
    """A size, duration or status may be missing; an instant may not."""
    assert (size(None), duration(None), status(None), text(None, "x")) == (0, 0.0, 0, "")
    with pytest.raises(BadRecordError):
        instant(None)


def test_only_telling_headers_are_kept() -> None:
    """Names become lower case; cookies and credentials do not leave the reader."""
    headers = {
        "Sec-Fetch-Dest": "document",
        "Cookie": "secret",
        "Authorization": "Basic x",
        "Referer": "https://x.com/",
    }
    assert kept(headers) == {"sec-fetch-dest": "document", "referer": "https://x.com/"}


@pytest.mark.parametrize("headers", [["a"], "accept", {"accept": 3}, {"referer": None}])
def test_headers_of_a_wrong_shape_are_refused(headers: object) -> None:
    """A header that is not text would break those who read it later."""
    with pytest.raises(BadRecordError):
        kept(headers)


def test_the_recorded_person_comes_before_the_option() -> None:
    """The user option only fills a gap, and without either there is nobody to charge."""
    assert person("ana", "bo") == "ana"
    assert person(None, "bo") == "bo"
    for value in (None, "", 7):
        with pytest.raises(BadRecordError):
            person(value, None)
