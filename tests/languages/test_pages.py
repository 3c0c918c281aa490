"""Every page in every state, in a language that shows which texts went through a catalogue."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.browser.states import states
from tests.languages import pseudo_locale
from tests.languages.data import without_data
from tests.languages.untranslated import PAGES, compare

with pseudo_locale.spoken():
    STATES = states()
_LETTERS = re.compile(r"[^\W\d_]{2,}")


@pytest.mark.parametrize("name", STATES)
async def test_every_text_is_a_message(name: str) -> None:
    """What a page says is a message or a fact of the office that the page was made with."""
    state = STATES[name]
    with pseudo_locale.spoken():
        transport = httpx.ASGITransport(state.app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://allowance.internal", follow_redirects=True
        ) as client:
            answer = await client.get(state.path)
    assert answer.status_code == state.status
    found = [text for text in pseudo_locale.texts(answer.text) if _LETTERS.search(text)]
    compare(name, [text for text in found if _LETTERS.search(without_data(text))], PAGES)


def test_what_is_found() -> None:
    """Texts outside of messages are found, and those that were put into one, also in attributes."""
    page = (
        "<h1>⟦Opens ⟨at noon⟩ ⟨⟦today⟧⟩⟧ later</h1><p title='a hint' lang='de'>⟦A <b>bold</b> one⟧</p>"
        "<input type='submit' value='Send'><input value='typed'><style>p q</style>"
    )
    assert pseudo_locale.texts(page) == ["at noon", "later", "a hint", "Send"]
