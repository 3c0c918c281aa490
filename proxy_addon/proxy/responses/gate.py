"""The page that stands before the first use of a limited platform: the written policy in short, and
the way to it.

It stands on the platform's own origin, so it holds links only: the forms are on our own pages.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlencode

from proxy_addon.core.notices.gate import Need
from proxy_addon.core.types import Decision
from proxy_addon.presentation import durations as words
from proxy_addon.presentation.languages import speaking
from proxy_addon.presentation.theme import Shell, environment, page_headers, web_link
from proxy_addon.proxy.responses.messages import PageContext
from proxy_addon.proxy.responses.responses import Answer, RequestInfo, answer_page, block_headers

_GATE: Final = environment(Path(__file__).parent / "templates").get_template("gate.html")


class GateText(NamedTuple):
    """What the page says of the notice, in the reader's language. `summary`: a few lines; `read`:
    the version of the reader's last confirmation; `changes`: what is new since then; `until`: the
    instant at which the grace time ends, None where it has to be read now."""

    language: str
    title: str
    summary: tuple[str, ...]
    minutes: int
    need: Need
    until: float | None = None
    read: str = ""
    changes: str = ""


def gate(
    ask: RequestInfo,
    decision: Decision,
    context: PageContext,
    text: GateText,
    *,
    notice: str,
    back: str,
    office: str,
) -> Answer:
    """The answer to a page at the top level. `back`: the sealed way back to it, "" for a request
    that a link cannot repeat, and for an address that is too long for one."""
    query = {"notice": notice} | ({"back": back} if back else {})
    with speaking(text.language):
        ends = None if text.until is None else words.deadline(text.until, context.now, context.zone)
        page = _GATE.render(
            shell=Shell(office, context.who),
            context=context,
            host=ask.host,
            text=text,
            ends=ends,
            is_shown=text.need is Need.SHOWN,
            can_wait=text.need is Need.ASKED,
            read_url=f"{context.page_url}policy?{urlencode(query)}",
            changes_url=f"{context.page_url}policy?{urlencode(query | {'changes': '1'})}",
            later_url=f"{context.page_url}policy?{urlencode(query | {'later': '1'})}",
            link=_link(ask) if text.need is Need.SHOWN else None,
        )
    headers = block_headers(decision, context) | page_headers()
    return answer_page(ask, 403, headers, page)


def _link(ask: RequestInfo) -> str | None:
    """On to what was asked for, where a link can repeat it."""
    return web_link(ask.url) if ask.method.upper() == "GET" else None
