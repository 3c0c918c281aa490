"""Every page in every state, in a language that shows which texts went through a catalogue."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.browser.states import State, states
from tests.languages import pseudo_locale
from tests.languages.data import without_data

with pseudo_locale.spoken():
    # What answers scripts has no texts.
    STATES = {name: state for name, state in states().items() if "setup-check" not in name}
_LETTERS = re.compile(r"[^\W\d_]{2,}")


async def page_of(state: State) -> str:
    """The page as HTML, answered with the status of its state."""
    transport = httpx.ASGITransport(state.app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://allowance.internal", follow_redirects=True
    ) as client:
        answer = await client.get(state.path)
    assert answer.status_code == state.status
    return answer.text


@pytest.mark.parametrize("name", STATES)
async def test_every_text_is_a_message(name: str) -> None:
    """What a page says is a message or a fact of the office that the page was made with."""
    with pseudo_locale.spoken():
        page = await page_of(STATES[name])
    found = [text for text in pseudo_locale.texts(page) if _LETTERS.search(text)]
    assert [text for text in found if _LETTERS.search(without_data(text))] == []


async def test_titles() -> None:
    """Every page has a title, and no two pages the same; states of a page may share one."""
    titles: dict[str, set[str]] = {}
    for name, state in STATES.items():
        with pseudo_locale.spoken():
            found = re.findall(r"<title>(.*?)</title>", await page_of(state), re.DOTALL)
        assert len(found) == 1, name
        assert _LETTERS.search(found[0]), name
        if state.status < 400:
            # Of an answer that is not ours to address, the page is what it says.
            page = (
                name if name.startswith(("refusal", "web-port")) else state.path.partition("?")[0]
            )
            titles.setdefault(found[0], set()).add(
                page.removesuffix("-not-ready").removesuffix("-form")
            )
    assert {title: pages for title, pages in titles.items() if len(pages) > 1} == {}


def test_what_is_found() -> None:
    """Texts outside of messages are found, and those that were put into one, also in attributes."""
    page = (
        "<h1>⟦Opens ⟨at noon⟩ ⟨⟦today⟧⟩⟧ later</h1><p title='a hint' lang='de'>⟦A <b>bold</b> one⟧</p>"
        "<input type='submit' value='Send'><input value='typed'><style>p q</style>"
    )
    assert pseudo_locale.texts(page) == ["at noon", "later", "a hint", "Send"]
