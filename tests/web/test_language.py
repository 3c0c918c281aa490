"""`proxy_addon/web/language.py`: the language of a page is the reader's."""

from __future__ import annotations

import pytest
from starlette.types import Message, Receive, Scope, Send

from proxy_addon.presentation import languages
from proxy_addon.web.language import SpokenLanguage, wanted


@pytest.mark.parametrize(
    ("query", "header", "expected"),
    [
        ("", "", "en"),
        ("", "de-CH,de;q=0.9,en;q=0.5", "de"),
        ("", "fr", "en"),
        ("lang=de", "en", "de"),
        ("lang=fr", "de", "de"),
        ("lang=xx", "", "en"),
        ("back=A%00&lang=de", "", "de"),
        ("lang", "", "en"),
        ("&".join(f"a{n}=1" for n in range(200)) + "&lang=de", "", "en"),
    ],
)
def test_the_language_that_is_wanted(query: str, header: str, expected: str) -> None:
    """A link to another language, then what the browser wishes, then the first of the office; only
    what the office offers."""
    scope = {
        "query_string": query.encode(),
        "headers": [(b"accept-language", header.encode())] if header else [],
    }
    assert wanted(scope, ("en", "de")) == expected


@pytest.mark.parametrize(
    ("query", "cookie", "expected"),
    [
        ("", "other=1; allowance_language=de", "de"),
        ("", "allowance_language=fr", "en"),
        ("", "allowance_language", "en"),
        ("lang=en", "allowance_language=de", "en"),
    ],
)
def test_the_language_that_was_chosen(query: str, cookie: str, expected: str) -> None:
    """A choice that is remembered counts more than the browser's wishes, a new one more than both;
    only what the office offers."""
    headers = [(b"accept-language", b"en"), (b"cookie", cookie.encode())]
    assert wanted({"query_string": query.encode(), "headers": headers}, ("en", "de")) == expected


@pytest.mark.parametrize(("query", "remembered"), [("lang=de", True), ("lang=xx", False)])
async def test_a_choice_is_remembered(query: str, remembered: bool) -> None:
    """Only a choice of what the office offers sets the cookie, which no script can read."""
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    spoken = SpokenLanguage(app, lambda: ("en", "de"))
    await spoken({"type": "http", "query_string": query.encode(), "headers": []}, receive, send)
    headers = dict(sent[0]["headers"])
    cookie = headers.get(b"set-cookie", b"").decode()
    assert cookie.startswith("allowance_language=de;") is remembered
    assert ("HttpOnly; SameSite=Lax" in cookie) is remembered
    assert headers[b"a"] == b"b"


async def test_everything_inside_speaks_it() -> None:
    """The application around which it stands, and nothing afterwards; a lifespan is passed on."""
    heard: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        heard.append(f"{scope['type']} {languages.spoken()}")

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        """Nobody listens."""

    spoken = SpokenLanguage(app, lambda: ("de", "en"))
    await spoken({"type": "http", "query_string": b"", "headers": []}, receive, send)
    await spoken({"type": "lifespan"}, receive, send)
    assert heard == ["http de", "lifespan en"]
    assert languages.spoken() == "en"
