"""The answer to somebody who has not signed in, inside a tunnel, where no proxy can ask for a
password: browsers take a 407 from the proxy itself only.

Whoever opens a page is sent to the same page over plain HTTP, where they are asked. Anything else
gets a refusal that names that address.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, NamedTuple

from proxy_addon.presentation import languages
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.open_pages import ADDRESS
from proxy_addon.presentation.theme import environment, page_headers
from proxy_addon.proxy.responses.responses import Answer

_PAGE: Final = environment(Path(__file__).parent / "templates").get_template("sign_in_first.html")
_REASON: Final = {"X-Allowance-Reason": "unidentified"}


class Arrival(NamedTuple):
    """What the answer depends on. `target`: path and query as they were sent; header values are ""
    where the header is missing."""

    method: str
    target: bytes
    mode: str = ""  # Sec-Fetch-Mode
    accept: str = ""
    languages: str = ""  # Accept-Language

    @property
    def opens_a_page(self) -> bool:
        """Whether a person sees the answer, and a link is all that it takes to ask again."""
        if self.method not in ("GET", "HEAD"):
            return False
        return self.mode == "navigate" or (not self.mode and "text/html" in self.accept)


def sign_in_first(arrival: Arrival, offered: tuple[str, ...]) -> Answer:
    """See above. `offered`: the languages of the office."""
    address = ADDRESS + arrival.target.decode("ascii", "replace")
    with languages.speaking(languages.chosen(arrival.languages, offered)):
        if not arrival.opens_a_page:
            return _complete(403, {"Content-Type": "application/problem+json"}, _problem())
        page = _PAGE.render(address=address).encode("utf-8", "replace")
    headers = page_headers() | {"Location": address}
    return _complete(303, headers, b"" if arrival.method == "HEAD" else page)


def _problem() -> bytes:
    document = {
        "type": f"{ADDRESS}/help#unidentified",
        "title": _("Please sign in to the proxy"),
        "status": 403,
        "detail": _("Open %(address)s, where the proxy asks for your name and password.")
        % {"address": f"{ADDRESS}/"},
        "reason": "unidentified",
        "sign_in": f"{ADDRESS}/",
    }
    return json.dumps(document).encode("ascii")


def _complete(status: int, headers: dict[str, str], body: bytes) -> Answer:
    fields = _REASON | {"Cache-Control": "no-store"} | headers
    return Answer(status, (*fields.items(), ("Content-Length", str(len(body)))), body)
