"""`proxy_addon/proxy/layers/debug_checks.py`: what is left out is debugging, and nothing else."""

from __future__ import annotations

import sys
from types import FunctionType

import h2.connection
import pytest
import structlog.testing
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import http
from mitmproxy.coretypes import multidict
from mitmproxy.proxy.layers.http import HttpStream
from mitmproxy.utils import strutils

from proxy_addon.proxy.layers import debug_checks

ENCODING = ("utf-8", "surrogateescape")
NAMES = st.sampled_from(["cookie", "Cookie", "COOKIE", "x-ä", "content-type", "\udce4"])
FIELDS = st.lists(st.tuples(NAMES, st.binary(max_size=6)), max_size=8)


def checked_steps() -> list[str]:
    """Steps of mitmproxy's layers that are still wrapped in a check."""
    return [
        f"{cls.__name__}.{name}"
        for module, loaded in list(sys.modules.items())
        if module.startswith("mitmproxy.proxy")
        for cls in vars(loaded).values()
        if isinstance(cls, type)
        for name, step in vars(cls).items()
        if isinstance(step, FunctionType) and step.__code__.co_name == "_check_event_type"
    ]


def test_no_step_is_checked_and_nothing_is_written_down() -> None:
    """Afterwards no layer asserts the type of its events, no message the types of its fields, and
    frames and header fields are not turned into text; a second time changes nothing."""
    assert debug_checks.leave_out()
    assert debug_checks.leave_out()
    assert checked_steps() == []
    assert HttpStream.state_wait_for_request_headers.__name__ == "state_wait_for_request_headers"
    http.Request.make("GET", "http://x.com/").data.__post_init__()
    assert h2.connection.repr(object()) == ""  # type: ignore[attr-defined]
    assert debug_checks._hpack().__name__ == "hpack.hpack"
    assert debug_checks._hpack().log.debug("%s", "x") is None


@given(FIELDS, NAMES)
def test_fields_are_found_as_mitmproxy_finds_them(
    fields: list[tuple[str, bytes]], name: str
) -> None:
    """The same values in the same order for every name, as text and as bytes, whatever bytes are
    in them; and the same fields are missing."""
    headers = http.Headers([(key.encode(*ENCODING), value) for key, value in fields])
    for asked in (name, name.encode(*ENCODING)):
        key = strutils.always_bytes(asked, *ENCODING)
        found = [value.decode(*ENCODING) for value in multidict.MultiDict.get_all(headers, key)]
        assert debug_checks._get_all(headers, asked) == found
        assert (asked in headers) == bool(found)
        assert headers.get(asked) == (", ".join(found) if found else None)


def test_a_mitmproxy_that_is_different_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where what is replaced is not there, nothing is replaced, and one line says so."""
    before = http.Headers.get_all
    monkeypatch.delattr(debug_checks._hpack(), "log")
    with structlog.testing.capture_logs() as lines:
        assert not debug_checks.leave_out()
    assert [line["event"] for line in lines] == ["mitmproxy keeps its debug checks"]
    assert http.Headers.get_all is before
