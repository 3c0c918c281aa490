"""Embeds: a widget on another page is never a visit, nor is anything that it loads."""

from __future__ import annotations

import pytest

from proxy_addon.core.metering.activity import (
    EMBED_BRINGS,
    EMBED_FRAMES,
    EMBED_LOAD,
    EMBED_MEMORY,
    EMBEDS_KEPT,
    PAGE_IN_USE,
    Evidence,
    Exchange,
    PageMemory,
    classify,
    remember,
)
from proxy_addon.core.types import Activity
from tests.core.metering.exchanges import EMBED, FRAME, LOAD, NOBODY, NOW, OPEN, PICTURE, X


def test_embed_documents_are_remembered_by_their_address() -> None:
    """The last few, each once, the newest last."""
    pages = NOBODY
    for number in [*range(EMBEDS_KEPT + 3), 7]:
        frame = FRAME._replace(path=f"/widget/{number}")
        pages = remember(pages, frame, classify(frame, X, None, pages, NOW + number), NOW + number)
    paths = [path for _, path in pages.embeds]
    assert len(paths) == len(set(paths)) == EMBEDS_KEPT
    assert paths[-1] == "/widget/7"


def test_a_widget_that_refreshes_itself_never_counts() -> None:
    """Hours later its script asks again; the new picture, which comes with a shortened Referer, is
    the widget's too."""
    pages = remember(OPEN, FRAME, classify(FRAME, X, None, OPEN, NOW), NOW)
    by_script = LOAD._replace(path="/api/latest", page_path="/widget")
    for at in (NOW + 900, NOW + 8000):
        asked = classify(by_script, X, X, pages, at)
        pages = remember(pages, by_script, asked, at)
        assert (
            classify(PICTURE, X, X, pages, at + EMBED_BRINGS - 1).evidence is Evidence.EMBED_INSIDE
        )
        assert (
            classify(PICTURE, X, X, pages, at + EMBED_BRINGS + 1).evidence is Evidence.PAGE_ACTION
        )
    assert pages.page_at == OPEN.page_at


def test_the_own_page_beside_a_widget_counts_at_once() -> None:
    """What the page of the platform loads in another tab is not an embed's, however often a widget
    asks."""
    pages = PageMemory(NOW - 900, NOW - 800, (("x.com", "/widget"),), NOW - 1)
    judged = classify(LOAD, X, X, pages, NOW)
    assert judged.evidence is Evidence.PAGE_ACTION
    pages = remember(pages, LOAD, judged, NOW)
    assert classify(PICTURE, X, X, pages, NOW + 1).evidence is Evidence.PAGE_ACTION


def test_a_frame_and_all_it_loads_never_count() -> None:
    """From the document to the second level of its parts; its page is not open afterwards
    either."""
    pages = remember(NOBODY, FRAME, classify(FRAME, X, None, NOBODY, NOW), NOW)
    by_name = LOAD._replace(page_path="/widget")
    shortened = PICTURE._replace(page_path="/")
    for x in (
        by_name,
        shortened,
        by_name._replace(dest="video", content_type="video/mp4", bytes=10**7),
    ):
        judged = classify(x, X, X, pages, NOW + 100)
        assert judged.activity is Activity.EMBED
        pages = remember(pages, x, judged, NOW + 100)
    assert pages.page_at == NOBODY.page_at


@pytest.mark.parametrize(
    ("later", "is_embed"), [(EMBED_MEMORY - 1, True), (EMBED_MEMORY + 1, False)]
)
def test_a_frame_is_held_responsible_for_a_while(later: float, is_embed: bool) -> None:
    """Afterwards a load with a Referer of the platform is the platform's own."""
    pages = PageMemory(NOW - PAGE_IN_USE, NOW)
    assert (classify(PICTURE, X, X, pages, NOW + later).activity is Activity.EMBED) is is_embed


BUTTON = Exchange(
    "GET", "x.com", "/plugins/like", accept="text/html", status=200, content_type="text/html"
)
SCRIPT = BUTTON._replace(path="/widgets.js", accept=None, content_type="text/javascript")
PART = Exchange("GET", "x.com", "/part", status=200, content_type="image/png", bytes=9_000)
CALL = Exchange("POST", "x.com", "/api", status=200, content_type="application/json", bytes=900)


def why(x: Exchange, pages: PageMemory, at: float) -> Evidence:
    """The evidence for a request of which no page is known."""
    return classify(x, X, None, pages, at).evidence


@pytest.mark.parametrize("first", [BUTTON, SCRIPT])
def test_what_follows_a_button_without_headers_is_the_buttons(first: Exchange) -> None:
    """Where neither Referer nor fetch metadata is known, as in a log: pictures for minutes, calls
    for seconds, documents only at once, and nothing of it is an app's."""
    pages = remember(NOBODY, first, classify(first, EMBED, None, NOBODY, NOW), NOW)
    assert why(PART, pages, NOW + EMBED_MEMORY - 1) is Evidence.EMBED_INSIDE
    assert why(CALL, pages, NOW + EMBED_LOAD - 1) is Evidence.EMBED_INSIDE
    assert why(CALL, pages, NOW + EMBED_LOAD) is Evidence.APP_ACTION
    assert why(BUTTON, pages, NOW + EMBED_FRAMES - 0.5) is Evidence.EMBED_INSIDE
    assert why(BUTTON, pages, NOW + EMBED_FRAMES) is Evidence.PAGE_OPENED


def test_an_app_that_loads_an_embed_path_is_an_app() -> None:
    """Answers of interfaces and redirectors bring nothing with them; after a document the app goes
    on as soon as it asks for something itself."""
    for first in (
        BUTTON._replace(accept=None, content_type="application/json"),
        BUTTON._replace(accept=None, status=302),
    ):
        pages = remember(OPEN, first, classify(first, EMBED, None, OPEN, NOW), NOW)
        assert why(CALL, pages, NOW + 1) is Evidence.APP_ACTION
    pages = remember(OPEN, BUTTON, classify(BUTTON, EMBED, None, OPEN, NOW), NOW)
    judged = classify(CALL, X, None, pages, NOW + EMBED_LOAD)
    pages = remember(pages, CALL, judged, NOW + EMBED_LOAD)
    assert why(PART, pages, NOW + EMBED_LOAD + 1) is Evidence.APP_ACTION


def test_an_app_beside_a_browser_with_metadata_is_an_app() -> None:
    """A frame with fetch metadata loads its parts with it too, so what comes without is somebody
    else's."""
    pages = remember(NOBODY, FRAME, classify(FRAME, X, None, NOBODY, NOW), NOW)
    assert why(CALL, pages, NOW + 0.5) is Evidence.APP_ACTION


def test_a_picture_that_nothing_asked_for_is_on_another_site() -> None:
    """Without headers and without anything of the platform in use, a lone picture opens nothing; a
    film is looked at."""
    assert why(PART, NOBODY, NOW) is Evidence.EMBED_NO_PAGE
    assert why(PART, OPEN, NOW) is Evidence.APP_ACTION
    film = PART._replace(content_type="video/mp4", bytes=900_000)
    assert why(film, NOBODY, NOW) is Evidence.MEDIA_PLAYED


def test_scripts_tell_of_the_embed_document_that_the_browser_kept() -> None:
    """A widget from the browser's cache is known by the first script or style that names it, so its
    pictures, which name only the site, are its own."""
    script = LOAD._replace(dest="script", path="/w.js", page_path="/widget")
    inside = classify(script, X, EMBED, NOBODY, NOW)
    assert inside.evidence is Evidence.EMBED_INSIDE
    pages = remember(NOBODY, script, inside, NOW)
    assert pages.embeds == (("x.com", "/widget"),)
    assert classify(PICTURE, X, X, pages, NOW + 3).evidence is Evidence.EMBED_INSIDE
    own = classify(script, EMBED, X, OPEN, NOW)
    assert own.evidence is Evidence.EMBED_PATH
    assert not remember(OPEN, script, own, NOW).embeds
    poll = LOAD._replace(page_path="/widget")
    assert remember(NOBODY, poll, inside, NOW) == NOBODY


def test_a_frame_that_names_itself_is_the_embeds() -> None:
    """A frame inside a widget that went on to another address names that address."""
    pages = remember(NOBODY, FRAME, classify(FRAME, X, None, NOBODY, NOW), NOW)
    inner = FRAME._replace(path="/login", site="same-origin", page_host="x.com", page_path="/login")
    assert classify(inner, X, X, pages, NOW + 3).evidence is Evidence.EMBED_INSIDE
