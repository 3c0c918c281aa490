"""`proxy_addon/presentation/open_pages.py`: what nobody has to sign in for."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from proxy_addon.presentation.open_pages import OPEN, SIGN_IN, is_open


@pytest.mark.parametrize("path", sorted(OPEN))
@pytest.mark.parametrize("query", ["", "?", "?lang=de", "?a=/../admin"])
def test_open(path: str, query: str) -> None:
    """GET and HEAD, with any query."""
    target = f"{path}{query}".encode()
    assert is_open("GET", target)
    assert is_open("HEAD", target)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "get", ""])
def test_nothing_else_is_done(method: str) -> None:
    """No other method is open."""
    assert not is_open(method, b"/device")


@pytest.mark.parametrize("path", ["/", "/admin", "/me.json", "/me/events", "/policy", SIGN_IN, ""])
def test_pages_about_a_person(path: str) -> None:
    """They are asked for with a name."""
    assert not is_open("GET", path.encode())


@given(st.binary(max_size=40) | st.sampled_from(sorted(OPEN)).map(str.encode))
@example(b"/device/")
@example(b"//device")
@example(b"/./device")
@example(b"/admin/../device")
@example(b"/device/../admin")
@example(b"/%64evice")
@example(b"/device%3F")
@example(b"/device%2f..%2fadmin")
@example(b"/device;admin")
@example(b"/device#admin")
@example(b"/DEVICE")
@example(b"/device\\..\\admin")
@example(b"http://www.facebook.com/device")
@example(b"/device\xff")
@example(b"/device\x00")
def test_one_spelling(target: bytes) -> None:
    """What is open is one of the paths, byte for byte, and a query."""
    expected = {path.encode() for path in OPEN}
    assert is_open("GET", target) == (target.split(b"?", 1)[0] in expected)
