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
