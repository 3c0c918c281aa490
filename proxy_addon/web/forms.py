"""Forms on our own pages: accepted only from the person they were shown to, and only from our own
page.

Every request carries the person's identity by itself (sign-in to the proxy, an address), so another
site could make a browser send a form here in that person's name (CSRF). Two checks prevent it: the
browser says that the request comes from our own page (`Sec-Fetch-Site`, `Origin`), and the form
holds a token that only a page shown to that person has. The key of the tokens is derived from the
CA's key, so every worker of a host accepts those of the others.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from fastapi import HTTPException, Request

from proxy_addon.presentation.languages import gettext as _

HOST: Final = "allowance.internal"
FIELD: Final = "token"
TYPE: Final = "application/x-www-form-urlencoded"
LIFETIME: Final = 12 * 3600.0  # seconds; a token is valid for one to two of these
MAX_BYTES: Final = 16_384
_MAX_FIELDS: Final = 20


class Refusal(HTTPException):
    """An error page with a title and text of its own."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(status, detail)
        self.title = title


class Tokens:
    """CSRF tokens, which nobody can make without the key."""

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.sha256(b"allowance forms\0" + secret).digest()

    def of(self, *words: str, now: float, lifetime: float = LIFETIME) -> str:
        """A token for these words; it is valid for one to two times `lifetime` seconds."""
        return self._token(words, int(now // lifetime))

    def is_valid(self, token: str, *words: str, now: float, lifetime: float = LIFETIME) -> bool:
        """Whether this is a token for these words, and not too old."""
        given, period = token.encode(errors="replace"), int(now // lifetime)
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
            _("This did not come from our own page"),
            _("Nothing was changed. Open the page again and send the form from there."),
        )
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != TYPE:
        raise Refusal(415, _("This is not a form"), _("Send it as %(type)s.") % {"type": TYPE})
    body = await request.body()
    try:
        if len(body) > MAX_BYTES:
            raise ValueError
        text = body.decode("ascii", "replace")
        fields = dict(
            parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=_MAX_FIELDS)
        )
    except ValueError:
        raise Refusal(
            413,
            _("This form is too long"),
            _("Nothing was changed. Please use fewer words."),
        ) from None
    if not tokens.is_valid(fields.get(FIELD, ""), person, now=now):
        raise Refusal(
            403,
            _("This page was open for too long"),
            _("Nothing was changed. Open it again and send the form from there."),
        )
    return fields


def from_our_page(request: Request) -> bool:
    """Whether the browser says that a page of ours sent this. A request without either header is
    not accepted."""
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
