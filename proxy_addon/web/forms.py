"""Forms on our own pages: sent by the person who was shown them, from our own page, or not taken.

Who is asking comes with every request by itself (sign-in to the proxy, an address), so another site could make a
browser send a form here in somebody's name. Two locks: the browser's word that the request comes from our own
page (`Sec-Fetch-Site`, `Origin`), and a token in the form that only a page shown to that person has. The key of
tokens rests on the CA's, so every worker of a host knows those of the others.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from fastapi import HTTPException, Request

HOST: Final = "allowance.internal"
FIELD: Final = "token"
TYPE: Final = "application/x-www-form-urlencoded"
LIVES: Final = 12 * 3600.0  # seconds; a token holds for one to two of these
MOST_BYTES: Final = 16_384
_MOST_FIELDS: Final = 20


class Refusal(HTTPException):
    """A page that says no in our words, under a title of its own."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(status, detail)
        self.title = title


class Tokens:
    """Words that nobody can make without the key."""

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.sha256(b"allowance forms\0" + secret).digest()

    def of(self, *words: str, now: float, lives: float = LIVES) -> str:
        """A token for these words; it holds for one to two times `lives` seconds."""
        return self._token(words, int(now // lives))

    def holds(self, token: str, *words: str, now: float, lives: float = LIVES) -> bool:
        """Whether it is a token for these words, and not too old."""
        given, period = token.encode(errors="replace"), int(now // lives)
        known = [self._token(words, each).encode() for each in (period, period - 1)]
        return any(hmac.compare_digest(given, each) for each in known)

    def _token(self, words: tuple[str, ...], period: int) -> str:
        text = "\0".join((str(period), *words)).encode(errors="surrogatepass")
        return hmac.digest(self._key, text, "sha256").hex()


async def posted(request: Request, person: str, tokens: Tokens, now: float) -> dict[str, str]:
    """The fields of a form that `person` sent from a page of ours. Raises Refusal for any other."""
    if not from_our_page(request):
        raise Refusal(
            403,
            "This did not come from our own page",
            "Nothing was changed. Open the page again and send it there.",
        )
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != TYPE:
        raise Refusal(415, "This is not a form", f"Send it as {TYPE}.")
    body = await request.body()
    try:
        if len(body) > MOST_BYTES:
            raise ValueError
        text = body.decode("ascii", "replace")
        fields = dict(
            parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=_MOST_FIELDS)
        )
    except ValueError:
        raise Refusal(
            413, "That is too much", "Nothing was changed. Please use fewer words."
        ) from None
    if not tokens.holds(fields.get(FIELD, ""), person, now=now):
        raise Refusal(
            403,
            "This page was open for too long",
            "Nothing was changed. Open it again and send it there.",
        )
    return fields


def from_our_page(request: Request) -> bool:
    """Whether the browser says that a page of ours sends this. One that says nothing is not believed."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site.lower() != "same-origin":
        return False
    if origin is None:
        return site is not None
    try:
        parts = urlsplit(origin)
        return (parts.scheme, parts.hostname) == (request.scope.get("scheme"), HOST)
    except ValueError:
        return False
