"""The language of a page: what the browser asks for among those that the office offers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Receive, Scope, Send

from proxy_addon.presentation import languages

PARAMETER: Final = "lang"  # in a link to the same page in another language


class SpokenLanguage:
    """Around an application: everything inside it speaks the reader's language."""

    def __init__(self, app: ASGIApp, offered: Callable[[], Sequence[str]]) -> None:
        """`offered` gives the languages of the office, the first where none is wished for."""
        self.app = app
        self._offered = offered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with languages.speaking(wanted(scope, self._offered())):
            await self.app(scope, receive, send)


def wanted(scope: Scope, offered: Sequence[str]) -> str:
    """The language that a request asks for: in its query, else by its Accept-Language."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"), max_num_fields=100)
    asked = str(query.get(PARAMETER, [""])[0])
    if asked in offered and asked in languages.LANGUAGES:
        return asked
    headers: Sequence[tuple[bytes, bytes]] = scope.get("headers", ())
    accepted = [value.decode("latin-1") for name, value in headers if name == b"accept-language"]
    return languages.chosen(", ".join(accepted), offered)
