"""Formats by content."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mitmproxy.io import FlowWriter
from mitmproxy.test import tflow

from proxy_addon.trace.detect import TraceFormat, detect


def _flows() -> bytes:
    out = io.BytesIO()
    FlowWriter(out).add(tflow.tflow(resp=True))
    return out.getvalue()


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b'{"at": 1, "url": "https://x.com/"}\n', TraceFormat.JSONL),
        (b'garbage\n{"kind": "tunnel"}\n', TraceFormat.JSONL),
        (b'{"at": 1, "url": "https://x.c', TraceFormat.JSONL),
        (b'{"log": {"version": "1.2", "entries": [', TraceFormat.HAR),
        (b'\n{\n  "log": {\n', TraceFormat.HAR),
        (b'{\n "_meta": 1,\n "log": {"entries": [', TraceFormat.HAR),
        (
            b"1793610001.250   1250 10.0.0.7 TCP_MISS/200 51234 GET http://x.com/ - HIER/1 text/html\n",
            TraceFormat.SQUID,
        ),
        (
            b"# comment\n1793610001.250 0 ::1 TCP_DENIED/403 0 CONNECT a:443 - - -\n",
            TraceFormat.SQUID,
        ),
        (b"", TraceFormat.EMPTY),
        (b" \n\n", TraceFormat.EMPTY),
        (b"<html>", TraceFormat.UNKNOWN),
        (b"\x89PNG\r\n", TraceFormat.UNKNOWN),
    ],
)
def test_each_format_is_detected(head: bytes, expected: TraceFormat) -> None:
    """By its first bytes, also behind a damaged first line."""
    assert detect(head) is expected


def test_flow_dumps_are_detected() -> None:
    """A dump as mitmproxy writes it."""
    assert detect(_flows()) is TraceFormat.FLOWS


@settings(max_examples=100)
@given(st.binary(max_size=300))
def test_any_bytes_have_an_answer(head: bytes) -> None:
    """Nothing raises."""
    assert isinstance(detect(head), TraceFormat)
