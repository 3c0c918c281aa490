"""Single fields of HAR."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.trace import har_fields
from proxy_addon.trace.event import LARGEST

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("value", "found", "told"),
    [(5, 5, 0), ("7", 7, 0), (None, 0, 0), (-1, 0, 0), ("-1", 0, 0), (-2, 0, 1), (True, 0, 1)],
)
def test_figures(value: Any, found: int, told: int) -> None:
    """-1 and null are "not known"; what is no figure is counted."""
    names: list[str] = []
    assert har_fields.size(value, "a size", names.append) == found
    assert len(names) == told


@given(ANYTHING)
def test_no_value_raises(value: Any) -> None:
    """Each function has an answer of its own type for anything."""
    told: list[str] = []
    assert 0 <= har_fields.size(value, "x", told.append) <= LARGEST
    assert 0 <= har_fields.seconds(value, "x", told.append) <= 7 * 86_400
    assert 0 <= har_fields.status(value, told.append) <= 999
    assert isinstance(har_fields.text(value, "x", told.append), str)
    assert isinstance(har_fields.part(value, "x", told.append), dict)
    assert isinstance(har_fields.items(value, "x", told.append), list)
    found = har_fields.headers(value, told.append)
    assert all(isinstance(text, str) for text in (*found, *found.values()))
