"""`proxy_addon/web/forms.py`: whose form it is, and from where it comes."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from fastapi import Request
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.web.forms import (
    FIELD,
    LIFETIME,
    MAX_BYTES,
    TYPE,
    Refusal,
    Tokens,
    from_our_page,
    posted,
)

NOW = 1_793_610_000.0
TOKENS = Tokens(b"secret")
GOOD = {"Sec-Fetch-Site": "same-origin", "Origin": "https://allowance.internal"}


def request(headers: dict[str, str], body: bytes = b"", scheme: str = "https") -> Request:
    """A POST as it comes through the proxy."""
    fields = {"content-type": TYPE} | headers
    raw = [(name.lower().encode(), value.encode()) for name, value in fields.items()]

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body}

    scope = {
        "type": "http",
        "method": "POST",
        "scheme": scheme,
        "path": "/ask",
        "query_string": b"",
        "headers": raw,
    }
    return Request(scope, receive)


@pytest.mark.parametrize(
    ("headers", "scheme", "ours"),
    [
        (GOOD, "https", True),
        ({"Sec-Fetch-Site": "same-origin"}, "https", True),
        ({"Origin": "http://allowance.internal"}, "http", True),
        ({"Origin": "http://allowance.internal:8000"}, "http", True),
        ({}, "https", False),
        ({"Origin": "null"}, "http", False),
        ({"Origin": "https://evil.example"}, "https", False),
        ({"Origin": "https://allowance.internal.evil.example"}, "https", False),
        ({"Origin": "http://allowance.internal"}, "https", False),
        ({"Origin": "https://["}, "https", False),
        (GOOD | {"Origin": "https://evil.example"}, "https", False),
        (GOOD | {"Sec-Fetch-Site": "cross-site"}, "https", False),
        (GOOD | {"Sec-Fetch-Site": "same-site"}, "https", False),
        (GOOD | {"Sec-Fetch-Site": "none"}, "https", False),
    ],
)
def test_from_our_page(headers: dict[str, str], scheme: str, ours: bool) -> None:
    """Only a browser that says it is on our own page, with the same scheme; silence is not
    enough."""
    assert from_our_page(request(headers, scheme=scheme)) is ours


@settings(max_examples=60)
@given(
    st.text(max_size=20), st.text(max_size=20), st.floats(0, 3 * LIFETIME), st.floats(0, LIFETIME)
)
def test_tokens(name: str, other: str, start: float, later: float) -> None:
    """A token holds for its words for a while, for no other words, with no other key, and ends."""
    made = TOKENS.of(name, now=NOW + start)
    assert TOKENS.is_valid(made, name, now=NOW + start + later)
    assert not TOKENS.is_valid(made, name, now=NOW + start + 2 * LIFETIME)
    assert not Tokens(b"another").is_valid(made, name, now=NOW + start)
    assert not TOKENS.is_valid(other, name, now=NOW + start)
    if other != name:
        assert not TOKENS.is_valid(made, other, now=NOW + start)
    assert not TOKENS.is_valid(made, name, other, now=NOW + start)


async def test_posted() -> None:
    """The fields as they were typed."""
    sent = {FIELD: TOKENS.of("dora", now=NOW), "reason": "ü & <b> =", "empty": ""}
    assert await posted(request(GOOD, urlencode(sent).encode()), "dora", TOKENS, NOW) == sent


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, {}, 403),
        (GOOD, {}, 403),
        (GOOD, {FIELD: TOKENS.of("eve", now=NOW)}, 403),
        (GOOD, {FIELD: TOKENS.of("dora", now=NOW - 2 * LIFETIME)}, 403),
        (GOOD | {"content-type": "text/plain"}, {FIELD: TOKENS.of("dora", now=NOW)}, 415),
        (GOOD, {FIELD: TOKENS.of("dora", now=NOW), "reason": "x" * MAX_BYTES}, 413),
        (GOOD, {FIELD: TOKENS.of("dora", now=NOW)} | {f"f{n}": "x" for n in range(30)}, 413),
        (GOOD, {FIELD: "ü\x00"}, 403),
    ],
)
async def test_refused(headers: dict[str, str], body: dict[str, str], status: int) -> None:
    """From elsewhere, without this person's token, too old, too much, or no form at all: nothing is
    taken."""
    with pytest.raises(Refusal) as refused:
        await posted(request(headers, urlencode(body).encode()), "dora", TOKENS, NOW)
    assert refused.value.status_code == status
    assert "<" not in refused.value.title + str(refused.value.detail)


@settings(max_examples=60)
@given(st.binary(max_size=200))
async def test_any_bytes(body: bytes) -> None:
    """Whatever is sent is refused in words, never by a failure of ours."""
    with pytest.raises(Refusal):
        await posted(request(GOOD, body), "dora", TOKENS, NOW)
