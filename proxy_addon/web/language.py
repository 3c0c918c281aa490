"""The language of a page: what the reader chose, else what the browser asks for, of those that the
office offers.

A link with `?lang=de` chooses one and is remembered: a cookie holds the two letters and nothing
else, for our own pages alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from proxy_addon.presentation import languages

PARAMETER: Final = "lang"  # in a link to the same page in another language
COOKIE: Final = "allowance_language"
_FIELDS: Final = 100  # of a query; none of our pages has that many
_YEAR: Final = 365 * 86_400  # seconds that a choice is remembered


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
        offered = self._offered()
        language = wanted(scope, offered)
        remembers = chosen_now(scope, offered) is not None

        async def send_and_remember(message: Message) -> None:
            if remembers and message["type"] == "http.response.start":
                cookie = f"{COOKIE}={language}; Max-Age={_YEAR}; Path=/; HttpOnly; SameSite=Lax"
                headers = [*message.get("headers", ()), (b"set-cookie", cookie.encode())]
                message = {**message, "headers": headers}
            await send(message)

        with languages.speaking(language):
            await self.app(scope, receive, send_and_remember)


def wanted(scope: Scope, offered: Sequence[str]) -> str:
    """The language that a request asks for: in its query, else by its cookie, else by its
    Accept-Language."""
    asked = chosen_now(scope, offered)
    if asked is not None:
        return asked
    for value in _header(scope, b"cookie"):
        kept = cookie_parser(value).get(COOKIE)
        if kept is not None and _is_known(kept, offered):
            return kept
    return languages.chosen(", ".join(_header(scope, b"accept-language")), offered)


def chosen_now(scope: Scope, offered: Sequence[str]) -> str | None:
    """The language that the query of a request chooses; None where it chooses none that we have."""
    try:
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"), max_num_fields=_FIELDS)
    except ValueError:  # too many fields
        return None
    asked = str(query.get(PARAMETER, [""])[0])
    return asked if _is_known(asked, offered) else None


def _is_known(language: str, offered: Sequence[str]) -> bool:
    return language in offered and language in languages.LANGUAGES


def _header(scope: Scope, wanted_name: bytes) -> list[str]:
    headers: Sequence[tuple[bytes, bytes]] = scope.get("headers", ())
    return [value.decode("latin-1") for name, value in headers if name == wanted_name]
