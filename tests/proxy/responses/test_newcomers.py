"""`proxy_addon/proxy/responses/newcomers.py`: what a newcomer gets inside a tunnel."""

from __future__ import annotations

import json

import pytest

from proxy_addon.proxy.responses.newcomers import Arrival, sign_in_first
from proxy_addon.proxy.responses.responses import Answer


def fields(answer: Answer) -> dict[str, str]:
    """The header fields, each of which is there once."""
    assert len(dict(answer.headers)) == len(answer.headers)
    return dict(answer.headers)


@pytest.mark.parametrize(
    "arrival",
    [
        Arrival("GET", b"/policy?notice=a%20b", mode="navigate"),
        Arrival("GET", b"/policy?notice=a%20b", accept="text/html,*/*"),
    ],
)
def test_a_page(arrival: Arrival) -> None:
    """Whoever opens a page is led to the same one over plain HTTP, where a proxy can ask."""
    answer = sign_in_first(arrival, ("en",))
    assert answer.status == 303
    assert fields(answer)["Location"] == "http://allowance.internal/policy?notice=a%20b"
    assert b'href="http://allowance.internal/policy?notice=a%20b"' in answer.body


@pytest.mark.parametrize("target", [b"//evil.example/", b"/\\evil.example", b"/@evil.example"])
def test_leads_nowhere_else(target: bytes) -> None:
    """Whatever the path is, it is one of our host."""
    answer = sign_in_first(Arrival("GET", target, mode="navigate"), ("en",))
    assert fields(answer)["Location"] == "http://allowance.internal" + target.decode()


def test_head() -> None:
    """No body."""
    answer = sign_in_first(Arrival("HEAD", b"/", mode="navigate"), ("en",))
    assert (answer.status, answer.body) == (303, b"")


@pytest.mark.parametrize(
    "arrival",
    [
        Arrival("POST", b"/ask", mode="navigate", accept="text/html"),
        Arrival("GET", b"/me.json", mode="cors", accept="text/html"),
        Arrival("GET", b"/me.json", accept="*/*"),
    ],
)
def test_what_is_no_page(arrival: Arrival) -> None:
    """A problem document that says where one signs in; nothing is sent again by itself."""
    answer = sign_in_first(arrival, ("en",))
    document = json.loads(answer.body)
    assert (answer.status, fields(answer)["X-Allowance-Reason"]) == (403, "unidentified")
    assert document["sign_in"] == "http://allowance.internal/"
    assert document["type"] == "http://allowance.internal/help#unidentified"
    assert "Location" not in fields(answer)


def test_nobody_keeps_it() -> None:
    """Neither answer may be stored: a moment later the person may have signed in."""
    for mode in ("navigate", "cors"):
        answer = sign_in_first(Arrival("GET", b"/", mode=mode), ("en",))
        assert fields(answer)["Cache-Control"] == "no-store"
