"""Where one answer of proxy_addon/core/metering/activity.py becomes another: the last value on each
side."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.catalogue import Hit
from proxy_addon.core.metering.activity import (
    EMBEDS_KEPT,
    Evidence,
    Exchange,
    Judgement,
    Kind,
    PageMemory,
    classify,
    is_media,
    is_navigation,
    leads,
    remember,
    with_answer,
)
from proxy_addon.core.types import Activity

NOW = 100_000.0
X = Hit("x")
EMBED = Hit("x", embed=True)
RECENT = PageMemory(page_at=NOW - 60.0)

LOAD = Exchange(
    "GET", "x.com", "/api", "empty", "cors", "same-origin", page_host="x.com", page_path="/home"
)
PICTURE = Exchange(
    "GET", "cdn.x.com", "/a.jpg", "image", "no-cors", "cross-site", page_host="x.com", page_path="/"
)
BARE = PICTURE._replace(page_host=None, page_path=None)
PAGE = Exchange("GET", "x.com", "/home", "document", "navigate", "none")
FRAME = Exchange(
    "GET", "x.com", "/widget", "iframe", "navigate", "cross-site", page_host="news.example"
)
POST = LOAD._replace(method="POST")


def why(x: Exchange, pages: PageMemory = RECENT, hit: Hit = X, page: Hit | None = X) -> Evidence:
    """The evidence that is found in an exchange."""
    return classify(x, hit, page, pages, NOW).evidence


@pytest.mark.parametrize(
    ("pages", "x", "evidence"),
    [
        # A page is remembered for four hours.
        (PageMemory(NOW - 14_400.0), BARE, Evidence.PAGE_ACTION),
        (PageMemory(NOW - 14_400.5), BARE, Evidence.EMBED_NO_PAGE),
        (PageMemory(NOW - 14_400.5), PICTURE, Evidence.PAGE_ACTION),
        # What an embed's script asked for brings pictures for five seconds.
        (PageMemory(NOW - 2000.0, inside_at=NOW - 4.75), PICTURE, Evidence.EMBED_INSIDE),
        (PageMemory(NOW - 2000.0, inside_at=NOW - 5.0), PICTURE, Evidence.PAGE_ACTION),
        (PageMemory(NOW - 1.0, inside_at=NOW - 1.0), PICTURE, Evidence.PAGE_ACTION),
        (PageMemory(NOW - 1.25, inside_at=NOW - 1.0), PICTURE, Evidence.EMBED_INSIDE),
        # An embed document loads its parts for twelve seconds beside a page in use,
        (PageMemory(NOW - 60.0, embed_at=NOW - 11.75), PICTURE, Evidence.EMBED_INSIDE),
        (PageMemory(NOW - 60.0, embed_at=NOW - 12.0), PICTURE, Evidence.PAGE_ACTION),
        # for five minutes otherwise,
        (PageMemory(NOW - 2000.0, embed_at=NOW - 299.75), PICTURE, Evidence.EMBED_INSIDE),
        (PageMemory(NOW - 2000.0, embed_at=NOW - 300.0), PICTURE, Evidence.PAGE_ACTION),
        # and a page is in use for fifteen minutes.
        (PageMemory(NOW - 899.75, embed_at=NOW - 20.0), PICTURE, Evidence.PAGE_ACTION),
        (PageMemory(NOW - 900.0, embed_at=NOW - 20.0), PICTURE, Evidence.EMBED_INSIDE),
        # A page that came with the embed, or after it, is the one behind the request.
        (PageMemory(NOW - 5.0, embed_at=NOW - 5.0), PICTURE, Evidence.PAGE_ACTION),
        (PageMemory(NOW - 5.25, embed_at=NOW - 5.0), PICTURE, Evidence.EMBED_INSIDE),
        # Who names the document itself is believed; who sends no metadata is an app.
        (PageMemory(NOW - 2000.0, embed_at=NOW - 1.0), LOAD, Evidence.PAGE_ACTION),
        (
            PageMemory(NOW - 2000.0, embed_at=NOW - 1.0),
            LOAD._replace(page_path=None),
            Evidence.EMBED_INSIDE,
        ),
        (
            PageMemory(NOW - 2000.0, embed_at=NOW - 1.0),
            LOAD._replace(site="same-site"),
            Evidence.EMBED_INSIDE,
        ),
        (
            PageMemory(NOW - 2000.0, embed_at=NOW - 1.0),
            Exchange("GET", "x.com", "/api"),
            Evidence.APP_ACTION,
        ),
    ],
)
def test_how_long_pages_and_embeds_are_remembered(
    pages: PageMemory, x: Exchange, evidence: Evidence
) -> None:
    """Each span ends where docs/metering.md says, and whichever of page and embed is newer
    decides."""
    assert why(x, pages) is evidence


@pytest.mark.parametrize(
    ("x", "evidence"),
    [
        (LOAD._replace(status=399), Evidence.PAGE_ACTION),
        (LOAD._replace(status=400), Evidence.FAILED),
        (POST._replace(status=204), Evidence.EMPTY),
        (POST._replace(status=203), Evidence.PAGE_ACTION),
        (POST._replace(status=205), Evidence.PAGE_ACTION),
        (PAGE._replace(status=203), Evidence.PAGE_OPENED),
        (PAGE._replace(status=206), Evidence.PAGE_OPENED),
        (PICTURE._replace(bytes=1), Evidence.PIXEL),
        (PICTURE._replace(bytes=199), Evidence.PIXEL),
        (PICTURE._replace(bytes=200), Evidence.PAGE_ACTION),
        (LOAD._replace(bytes=199, content_type="image/gif"), Evidence.PIXEL),
        (LOAD._replace(bytes=200, content_type="image/gif"), Evidence.PAGE_ACTION),
        (LOAD._replace(bytes=199, content_type="application/json"), Evidence.PAGE_ACTION),
        (LOAD._replace(bytes=0, content_type="image/gif"), Evidence.PAGE_ACTION),
        (LOAD._replace(duration=20.0, bytes=19_999), Evidence.HELD_OPEN),
        (LOAD._replace(duration=19.75, bytes=19_999), Evidence.PAGE_ACTION),
        (LOAD._replace(duration=20.0, bytes=20_000), Evidence.PAGE_ACTION),
        (POST._replace(mode="no-cors"), Evidence.BEACON),
        (POST._replace(mode="no-cors", dest="image"), Evidence.PAGE_ACTION),
        (POST._replace(mode="cors"), Evidence.PAGE_ACTION),
        (LOAD._replace(mode="no-cors"), Evidence.PAGE_ACTION),
        (LOAD._replace(method="PUT"), Evidence.PAGE_ACTION),
        (LOAD._replace(content_type="text/event"), Evidence.PAGE_ACTION),
    ],
)
def test_what_an_answer_tells(x: Exchange, evidence: Evidence) -> None:
    """Status, size, time and method decide at their exact values, and only together where two are
    needed."""
    assert why(x) is evidence


@pytest.mark.parametrize(
    ("content_type", "path", "dest", "size", "media"),
    [
        ("video/mp4", "/v", "empty", 47_999, False),
        ("video/mp4", "/v", "empty", 48_000, True),
        ("video/mp4", "/v", "empty", 0, True),
        ("audio/mpeg", "/v", "empty", 48_000, True),
        ("", "/v", "video", 48_000, True),
        ("", "/v", "audio", 47_999, False),
        ("image/png", "/v", "video", 48_000, False),
        ("", "/v", "empty", 48_000, False),
        ("", "/v", "empty", 1_499_999, False),
        ("", "/v", "empty", 1_500_000, True),
        ("text/html", "/v", "empty", 1_500_000, False),
        ("application/json", "/v", "empty", 1_500_000, False),
        ("application/javascript", "/v", "empty", 1_500_000, False),
        ("application/zip", "/v", "empty", 1_500_000, True),
        ("image/png", "/v", "empty", 1_500_000, False),
        ("binary/octet-stream", "/v.mp4", "empty", 48_000, True),
        ("binary/octet-stream", "/v.mp4?v.zip", "empty", 48_000, True),
        ("binary/octet-stream", "/v.zip?v.mp4", "empty", 48_000, False),
        ("application/octet-stream", "/x/videoplayback?id=1", "empty", 48_000, True),
        ("application/octet-stream", "/v.mp4", "empty", 47_999, False),
        ("application/zip", "/v.mp4", "empty", 48_000, False),
        # Without a name that is known its size alone decides.
        ("application/octet-stream", "/v.zip", "empty", 1_500_000, True),
    ],
)
def test_what_is_sound_or_film(
    content_type: str, path: str, dest: str, size: int, media: bool
) -> None:
    """By type, element or name from 48,000 bytes on, by size alone from 1,500,000 bytes on;
    pictures and text never."""
    x = LOAD._replace(content_type=content_type, path=path, dest=dest, bytes=size)
    assert is_media(x) is media


@pytest.mark.parametrize("end", ["m4s", "ts", "mp4", "webm", "m4a", "mp3", "aac", "cmfv", "cmfa"])
def test_names_of_segments(end: str) -> None:
    """Each usual name of a segment makes a stream of bytes media; the same word in a folder's name
    does not."""
    bytes_ = LOAD._replace(content_type="application/octet-stream", bytes=50_000)
    assert is_media(bytes_._replace(path=f"/live/7.{end}"))
    assert not is_media(bytes_._replace(path=f"/live.{end}/7"))


@pytest.mark.parametrize("dest", ["iframe", "frame", "embed", "object", "fencedframe"])
def test_frames(dest: str) -> None:
    """A frame of any kind on another site is an embed; on a site of the platform's own it is part
    of the page."""
    assert why(FRAME._replace(dest=dest), page=None) is Evidence.EMBED_FRAME
    own = FRAME._replace(dest=dest, site="same-site", page_host="x.com", page_path="/home")
    assert why(own) is Evidence.PAGE_ACTION


@pytest.mark.parametrize(
    "dest", ["report", "serviceworker", "manifest", "webidentity", "sharedworker", "worker"]
)
def test_machine_destinations(dest: str) -> None:
    """What a browser asks for a machine's sake is a worker's, whoever's page is behind it."""
    assert why(LOAD._replace(dest=dest)) is Evidence.WORKER


@pytest.mark.parametrize(
    ("page_path", "evidence"),
    [
        ("/sw.js", Evidence.WORKER),
        ("/a/service-worker.js", Evidence.WORKER),
        ("/serviceworker", Evidence.WORKER),
        ("/my_service_worker.js", Evidence.WORKER),
        ("/sw_1.js", Evidence.WORKER),
        ("/answers", Evidence.PAGE_ACTION),
        ("/sweden", Evidence.PAGE_ACTION),
    ],
)
def test_scripts_of_workers(page_path: str, evidence: Evidence) -> None:
    """A request is a service worker's by the usual names of its script, not by words that resemble
    them."""
    assert why(LOAD._replace(page_path=page_path)) is evidence


@pytest.mark.parametrize(
    ("site", "evidence"),
    [
        ("none", Evidence.PAGE_OPENED),
        ("same-origin", Evidence.PAGE_OPENED),
        ("same-site", Evidence.PAGE_OPENED),
        ("cross-site", Evidence.EMBED_PATH),
        (None, Evidence.EMBED_PATH),
    ],
)
def test_a_document_at_an_embed_path(site: str | None, evidence: Evidence) -> None:
    """It is a page where somebody typed it or the platform leads there, an embed from anywhere
    else."""
    assert why(PAGE._replace(site=site), hit=EMBED) is evidence


@pytest.mark.parametrize(
    ("purpose", "evidence"),
    [
        ("prefetch", Evidence.PREFETCH),
        ("prerender", Evidence.PREFETCH),
        ("prefetch;anonymous-client-ip", Evidence.PREFETCH),
        ("", Evidence.PAGE_OPENED),
        ("fetch", Evidence.PAGE_OPENED),
    ],
)
def test_purposes(purpose: str, evidence: Evidence) -> None:
    """Either word of a browser that loads ahead is enough; any other purpose is no reason."""
    assert why(PAGE._replace(purpose=purpose)) is evidence


@pytest.mark.parametrize(
    ("changes", "opens"),
    [
        ({}, True),
        ({"mode": "cors"}, False),
        ({"site": "none"}, False),
        ({"method": "POST"}, False),
        ({"accept": None}, False),
        ({"accept": "application/xhtml+xml"}, False),
        ({"dest": "empty"}, False),
        ({"dest": "document"}, True),
        ({"dest": "document", "mode": "navigate"}, True),
        ({"dest": "document", "mode": "cors"}, False),
    ],
)
def test_any_one_sign_is_enough_to_be_no_page(changes: dict[str, str | None], opens: bool) -> None:
    """An old browser's request for a page has no metadata at all; one header more and that alone
    says what it is."""
    old = Exchange("GET", "x.com", "/", accept="text/html,*/*")
    assert is_navigation(old._replace(**changes)) is opens  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("dest", "content_type", "asks"),
    [
        ("empty", "application/json", True),
        ("document", "text/html", True),
        ("iframe", "text/html", True),
        (None, "", True),
        (None, "application/json", True),
        *((dest, "", False) for dest in ("image", "script", "style", "font", "track")),
        *((dest, "application/json", False) for dest in ("video", "audio")),
        *((None, kind, False) for kind in ("image/png", "video/mp4", "audio/ogg", "font/woff2")),
        *((None, kind, False) for kind in ("text/css", "text/javascript; charset=utf-8")),
        (None, "application/javascript", False),
        (None, "text/plain", True),
    ],
)
def test_what_leads_and_what_follows(dest: str | None, content_type: str, asks: bool) -> None:
    """By destination or by type it is known what only follows another request; all else was asked
    for."""
    assert leads(LOAD._replace(dest=dest, content_type=content_type)) is asks


@pytest.mark.parametrize(
    "answer",
    [
        (404, "", 0, 0.0),
        (0, "text/html", 0, 0.0),
        (0, "", 7, 0.0),
        (0, "", 0, 1.5),
        (200, "image/png", 9, 2.0),
    ],
)
def test_an_answer_is_filled_in(answer: tuple[int, str, int, float]) -> None:
    """Whichever part of the answer is new is taken over, the request stays, and a second time
    nothing changes."""
    told = with_answer(LOAD, *answer)
    assert (told.status, told.content_type, told.bytes, told.duration) == answer
    assert told._replace(status=0, content_type="", bytes=0, duration=0.0) == LOAD
    assert with_answer(told, *answer) is told


EMBEDDED = Judgement(Activity.EMBED, Evidence.EMBED_PATH)
WIDGET = PageMemory(embeds=(("x.com", "/widget"),))


@pytest.mark.parametrize(
    ("x", "remembered"),
    [
        (FRAME, True),
        (FRAME._replace(dest="object"), True),
        (FRAME._replace(dest=None, content_type="text/html; charset=utf-8"), True),
        (FRAME._replace(dest=None, content_type="application/json"), False),
        (FRAME._replace(dest="image", content_type="text/html"), False),
        (FRAME._replace(dest="script"), False),
    ],
)
def test_only_documents_of_embeds_are_remembered(x: Exchange, remembered: bool) -> None:
    """A frame, or HTML for a client that does not say what it is for; never a picture or a
    script."""
    after = remember(RECENT, x, EMBEDDED, NOW)
    expected = RECENT._replace(embed_at=NOW, embeds=(("x.com", "/widget"),))
    assert after == (expected if remembered else RECENT)


@pytest.mark.parametrize(
    ("x", "before", "after"),
    [
        (LOAD._replace(page_path="/widget"), float("-inf"), NOW),
        (LOAD._replace(page_path="/widget"), NOW + 3.0, NOW + 3.0),
        (LOAD._replace(page_path="/widget", dest="image"), NOW - 50.0, NOW - 50.0),
        (LOAD._replace(page_path="/other"), NOW - 50.0, NOW - 50.0),
        (LOAD._replace(page_path="/widget", page_host="y.com"), NOW - 50.0, NOW - 50.0),
    ],
)
def test_when_a_script_of_an_embed_asked_last(x: Exchange, before: float, after: float) -> None:
    """What code of a known embed asks for is noted with its newest instant; a picture of it is
    not."""
    pages = remember(WIDGET._replace(inside_at=before), x, EMBEDDED, NOW)
    assert (pages.inside_at, pages.embeds) == (after, WIDGET.embeds)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.floats(0.0, 900.0)), max_size=40))
def test_the_memory_of_embeds_is_the_newest_few(steps: list[tuple[int, float]]) -> None:
    """However many widgets come by: the last eight different ones, oldest first."""
    pages, at, order = PageMemory(), NOW, list[str]()
    for number, pause in steps:
        at += pause
        path = f"/widget/{number}"
        pages = remember(pages, FRAME._replace(path=path), EMBEDDED, at)
        order = [*(each for each in order if each != path), path]
    assert EMBEDS_KEPT == 8
    assert pages.embeds == tuple(("x.com", path) for path in order[-8:])
    assert pages.embed_at == (at if steps else float("-inf"))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.0, 2e5), min_size=1, max_size=12))
def test_the_newest_page_is_remembered_whatever_the_order(instants: list[float]) -> None:
    """Answers come back in any order; the memory after them is the same."""
    opened = Judgement(Activity.VISIT, Evidence.PAGE_OPENED, Kind.NAVIGATION)
    pages = PageMemory()
    for at in instants:
        pages = remember(pages, PAGE, opened, at)
    assert pages == PageMemory(page_at=max(instants))
