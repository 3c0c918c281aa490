"""One large JSON document, walked through in pieces."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.trace import jsonstream as module
from proxy_addon.trace.jsonstream import BrokenJsonError, JsonStream

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=100)
@given(st.lists(VALUES, max_size=6), st.integers(1, 40), st.sampled_from([None, 2]))
def test_any_array_comes_out_as_it_went_in(
    values: list[Any], block: int, indent: int | None
) -> None:
    """However the text is cut into blocks, the members are the same."""
    text = json.dumps(values, indent=indent, ensure_ascii=False).encode(errors="replace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_CHUNK", block)
        assert list(JsonStream(io.BytesIO(text)).items()) == json.loads(text)


def test_members_can_be_walked_or_taken() -> None:
    """The caller decides for each key."""
    stream = JsonStream(io.BytesIO(b'{"a": {"x": 1}, "b": [1, 2], "c": "z"}'))
    found = {
        key: list(stream.items()) if key == "b" else stream.value() for key in stream.members()
    }
    assert found == {"a": {"x": 1}, "b": [1, 2], "c": "z"}


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[1, 2", b"[1 2]", b'["abc', b"[,]", b"nonsense", b'[{"a": tru']
)
def test_a_broken_document_is_an_error_not_a_hang(text: bytes) -> None:
    """It ends in the middle, or the punctuation is wrong."""
    with pytest.raises(BrokenJsonError):
        list(JsonStream(io.BytesIO(text)).items())


def test_nesting_without_end_is_an_error() -> None:
    """A decoder that runs out of stack is a broken document too."""
    with pytest.raises(BrokenJsonError):
        JsonStream(io.BytesIO(b"[" * 200_000)).value()
