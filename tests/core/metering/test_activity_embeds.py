"""Embeds: a widget on another page is never a visit, nor is anything that it loads."""

from __future__ import annotations

import pytest

from proxy_addon.core.metering.activity import (
    EMBED_BRINGS,
    EMBED_MEMORY,
    EMBEDS_KEPT,
    PAGE_IN_USE,
    Evidence,
    PageMemory,
    classify,
    remember,
)
from proxy_addon.core.types import Activity
from tests.core.metering.exchanges import FRAME, LOAD, NOBODY, NOW, OPEN, PICTURE, X


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
