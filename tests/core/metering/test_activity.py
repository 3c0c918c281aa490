"""What a request is evidence of: one table of exchanges, and what is remembered of pages."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.catalogue import Hit
from proxy_addon.core.metering.activity import (
    EMBED_LOAD,
    HELD_BYTES,
    HELD_SECONDS,
    PAGE_MEMORY,
    PIXEL_BYTES,
    Evidence,
    Exchange,
    Judgement,
    Kind,
    PageMemory,
    classify,
    is_media,
    is_navigation,
    remember,
)
from proxy_addon.core.metering.media_types import LARGE_BODY, MEDIA_MIN_BYTES
from proxy_addon.core.types import Activity
from tests.core.metering.exchanges import (
    APP,
    BACKGROUND,
    ELSEWHERE,
    EMBED,
    FRAME,
    LOAD,
    NOBODY,
    NOW,
    OPEN,
    PAGE,
    PICTURE,
    POST,
    X,
)


@dataclass(frozen=True)
class Case:
    """An exchange in its surroundings, and what it is."""

    x: Exchange
    evidence: Evidence
    hit: Hit = X
    page: Hit | None = X
    pages: PageMemory = OPEN


CASES = {
    "a page opened by its address": Case(PAGE, Evidence.PAGE_OPENED, page=None, pages=NOBODY),
    "a page opened from another site": Case(
        PAGE._replace(site="cross-site", page_host="news.example"),
        Evidence.PAGE_OPENED,
        page=None,
        pages=NOBODY,
    ),
    "a form that is sent": Case(
        PAGE._replace(method="POST", site="same-origin"), Evidence.PAGE_OPENED
    ),
    "a document without a mode": Case(PAGE._replace(mode=None), Evidence.PAGE_OPENED),
    "an old browser asks for HTML": Case(
        Exchange("GET", "x.com", "/", accept="text/html,*/*"),
        Evidence.PAGE_OPENED,
        page=None,
        pages=NOBODY,
    ),
    "a page that fails is looked at": Case(PAGE._replace(status=404), Evidence.PAGE_OPENED),
    "a page without content": Case(PAGE._replace(status=204), Evidence.EMPTY),
    "a page that resets itself": Case(PAGE._replace(status=205), Evidence.EMPTY),
    "a document of a polling endpoint": Case(PAGE, Evidence.TELEMETRY, hit=BACKGROUND),
    "prefetch of a page": Case(PAGE._replace(purpose="prefetch"), Evidence.PREFETCH),
    "prerender of a page": Case(PAGE._replace(purpose="prefetch;prerender"), Evidence.PREFETCH),
    "prefetch of an embed path": Case(
        PAGE._replace(purpose="prefetch"), Evidence.PREFETCH, hit=EMBED
    ),
    "another purpose is not a prefetch": Case(
        PAGE._replace(purpose="preview"), Evidence.PAGE_OPENED
    ),
    "an embed path that was typed is a page": Case(PAGE, Evidence.PAGE_OPENED, hit=EMBED),
    "an embed path opened from another site": Case(
        PAGE._replace(site="cross-site", page_host="news.example"),
        Evidence.EMBED_PATH,
        hit=EMBED,
        page=None,
    ),
    "an embed path while the platform is open": Case(LOAD, Evidence.EMBED_PATH, hit=EMBED),
    "a frame on a news page": Case(FRAME, Evidence.EMBED_FRAME, page=None),
    "an object on a news page": Case(
        FRAME._replace(dest="object"), Evidence.EMBED_FRAME, page=None
    ),
    "a frame without Referer": Case(
        FRAME._replace(page_host=None), Evidence.EMBED_FRAME, page=None
    ),
    "a frame of the platform in itself": Case(
        FRAME._replace(site="same-origin", page_host="x.com", page_path="/home"),
        Evidence.PAGE_ACTION,
    ),
    "a picture with another site's Referer": Case(ELSEWHERE, Evidence.EMBED_PAGE, page=None),
    "a picture on another platform's page": Case(
        ELSEWHERE, Evidence.EMBED_PAGE, page=Hit("linkedin")
    ),
    "a fetch with another site's Origin": Case(
        Exchange("GET", "x.com", "/api", "empty", "cors", "cross-site", origin_host="news.example"),
        Evidence.EMBED_PAGE,
        page=None,
    ),
    "a film in another site's article": Case(
        ELSEWHERE._replace(dest="video", content_type="video/mp4", bytes=10**7),
        Evidence.EMBED_PAGE,
        page=None,
    ),
    "what an embed document loads": Case(LOAD, Evidence.EMBED_INSIDE, page=EMBED),
    "what a frame seen before loads": Case(
        LOAD._replace(page_path="/widget"),
        Evidence.EMBED_INSIDE,
        pages=OPEN._replace(embeds=(("x.com", "/widget"),)),
    ),
    "what follows a frame, by a shortened Referer": Case(
        PICTURE, Evidence.EMBED_INSIDE, pages=PageMemory(NOW - 2000, NOW - 20)
    ),
    "the same while a page is in use": Case(
        PICTURE, Evidence.PAGE_ACTION, pages=PageMemory(NOW - 60, NOW - 20)
    ),
    "a moment after a frame while a page is in use": Case(
        PICTURE, Evidence.EMBED_INSIDE, pages=PageMemory(NOW - 60, NOW - EMBED_LOAD + 1)
    ),
    "a full Referer of the page that is not a frame": Case(
        LOAD, Evidence.PAGE_ACTION, pages=PageMemory(NOW - 60, NOW - 2)
    ),
    "no page behind it at all": Case(
        PICTURE._replace(page_host=None, page_path=None),
        Evidence.EMBED_NO_PAGE,
        page=None,
        pages=NOBODY,
    ),
    "no Referer, but a page is open": Case(
        PICTURE._replace(page_host=None, page_path=None), Evidence.PAGE_ACTION, page=None
    ),
    "no Referer, and the page was this morning": Case(
        PICTURE._replace(page_host=None),
        Evidence.EMBED_NO_PAGE,
        page=None,
        pages=PageMemory(NOW - PAGE_MEMORY - 1),
    ),
    "the platform's own picture host": Case(PICTURE, Evidence.PAGE_ACTION),
    "a page loads more": Case(LOAD, Evidence.PAGE_ACTION),
    "a post that is answered": Case(POST._replace(status=200, bytes=900), Evidence.PAGE_ACTION),
    "known polling": Case(LOAD, Evidence.TELEMETRY, hit=BACKGROUND),
    "a HEAD": Case(LOAD._replace(method="HEAD"), Evidence.PREFLIGHT),
    "a preflight": Case(LOAD._replace(method="OPTIONS"), Evidence.PREFLIGHT),
    "the script of a service worker": Case(LOAD._replace(dest="serviceworker"), Evidence.WORKER),
    "a manifest": Case(LOAD._replace(dest="manifest"), Evidence.WORKER),
    "a report": Case(POST._replace(dest="report"), Evidence.WORKER),
    "a fetch of a service worker": Case(LOAD._replace(page_path="/sw.js"), Evidence.WORKER),
    "a beacon": Case(POST._replace(mode="no-cors"), Evidence.BEACON),
    "a beacon without dest": Case(POST._replace(mode="no-cors", dest=None), Evidence.BEACON),
    "pushed events": Case(
        LOAD._replace(content_type="text/event-stream; charset=utf-8"), Evidence.PUSHED
    ),
    "not found": Case(LOAD._replace(status=404), Evidence.FAILED),
    "server trouble in an app": Case(APP._replace(status=503), Evidence.FAILED, page=None),
    "a picture that is missing": Case(PICTURE._replace(status=403), Evidence.FAILED),
    "not changed is an answer": Case(PICTURE._replace(status=304), Evidence.PAGE_ACTION),
    "a post answered with nothing": Case(POST._replace(status=204), Evidence.EMPTY),
    "a GET answered with nothing": Case(LOAD._replace(status=204), Evidence.PAGE_ACTION),
    "a picture of one pixel": Case(PICTURE._replace(bytes=43), Evidence.PIXEL),
    "a pixel by its type": Case(
        APP._replace(content_type="image/gif", bytes=43), Evidence.PIXEL, page=None
    ),
    "a picture just large enough": Case(PICTURE._replace(bytes=PIXEL_BYTES), Evidence.PAGE_ACTION),
    "a picture of unknown size": Case(PICTURE._replace(bytes=0), Evidence.PAGE_ACTION),
    "a long poll": Case(LOAD._replace(duration=HELD_SECONDS, bytes=500), Evidence.HELD_OPEN),
    "a slow answer with content": Case(
        LOAD._replace(duration=60, bytes=HELD_BYTES), Evidence.PAGE_ACTION
    ),
    "a film by its type": Case(
        LOAD._replace(content_type="video/mp4", bytes=300_000), Evidence.MEDIA_PLAYED
    ),
    "a film of unknown size": Case(LOAD._replace(content_type="video/mp4"), Evidence.MEDIA_PLAYED),
    "a film by its element": Case(
        LOAD._replace(dest="video", bytes=300_000), Evidence.MEDIA_PLAYED
    ),
    "a segment of a film": Case(
        LOAD._replace(path="/v/12.m4s?x=1", content_type="application/octet-stream", bytes=90_000),
        Evidence.MEDIA_PLAYED,
    ),
    "a large body of no known type": Case(LOAD._replace(bytes=LARGE_BODY), Evidence.MEDIA_PLAYED),
    "a large script": Case(
        LOAD._replace(content_type="application/javascript", bytes=LARGE_BODY), Evidence.PAGE_ACTION
    ),
    "a large picture": Case(
        LOAD._replace(content_type="image/jpeg", bytes=LARGE_BODY), Evidence.PAGE_ACTION
    ),
    "a chime": Case(
        LOAD._replace(dest="audio", content_type="audio/mpeg", bytes=MEDIA_MIN_BYTES - 1),
        Evidence.PAGE_ACTION,
    ),
    "a phone app": Case(APP, Evidence.APP_ACTION, page=None, pages=NOBODY),
    "a phone app after a frame in a browser": Case(
        APP, Evidence.APP_ACTION, page=None, pages=PageMemory(-1e9, NOW - 1)
    ),
    "a film in a phone app": Case(
        APP._replace(content_type="video/mp4", bytes=10**6),
        Evidence.MEDIA_PLAYED,
        page=None,
        pages=NOBODY,
    ),
    "an old browser with a Referer": Case(
        Exchange("GET", "cdn.x.com", "/a.jpg", page_host="x.com", page_path="/"),
        Evidence.PAGE_ACTION,
    ),
    "an old browser elsewhere": Case(
        Exchange("GET", "cdn.x.com", "/a.jpg", page_host="news.example"),
        Evidence.EMBED_PAGE,
        page=None,
    ),
}

VISITS = {Evidence.PAGE_OPENED: Kind.NAVIGATION, Evidence.PAGE_ACTION: Kind.INTERACTION}
VISITS[Evidence.APP_ACTION] = Kind.INTERACTION


def expected(evidence: Evidence) -> Judgement:
    """The activity and the gap that belong to a piece of evidence."""
    if evidence in VISITS:
        return Judgement(Activity.VISIT, evidence, VISITS[evidence])
    if evidence is Evidence.MEDIA_PLAYED:
        return Judgement(Activity.MEDIA, evidence, Kind.MEDIA)
    if evidence is Evidence.PREFETCH:
        return Judgement(Activity.PREFETCH, evidence)
    embed = evidence.name.startswith("EMBED")
    return Judgement(Activity.EMBED if embed else Activity.BACKGROUND, evidence)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_an_exchange_is(case: Case) -> None:
    """Each is judged to be what a person who looked over the shoulder would say."""
    assert classify(case.x, case.hit, case.page, case.pages, NOW) == expected(case.evidence)


@pytest.mark.parametrize(
    ("x", "opens"),
    [
        (PAGE, True),
        (PAGE._replace(mode="no-cors"), False),
        (FRAME, False),
        (APP, False),
        (Exchange("GET", "x.com", "/", accept="text/html"), True),
        (Exchange("GET", "x.com", "/", accept="application/json, text/html"), False),
        (Exchange("POST", "x.com", "/", accept="text/html"), False),
        (Exchange("GET", "x.com", "/", site="none", accept="text/html"), False),
    ],
)
def test_what_opens_a_page(x: Exchange, opens: bool) -> None:
    """With fetch metadata these alone say so; without, a GET that wants HTML first does."""
    assert is_navigation(x) is opens


@pytest.mark.parametrize("count", [MEDIA_MIN_BYTES - 1, MEDIA_MIN_BYTES])
@pytest.mark.parametrize("path", ["/a.ts", "/videoplayback", "/a.zip"])
def test_bytes_of_no_type_are_media_by_name_and_size(path: str, count: int) -> None:
    """Segments are often sent as a stream of bytes."""
    x = LOAD._replace(path=path, content_type="application/octet-stream", bytes=count)
    assert is_media(x) is (count >= MEDIA_MIN_BYTES and path != "/a.zip")


def test_an_opened_page_is_remembered() -> None:
    """The newest instant counts, whatever the order."""
    opened = classify(PAGE, X, None, NOBODY, NOW)
    after = remember(NOBODY, PAGE, opened, NOW)
    assert after == PageMemory(page_at=NOW)
    assert remember(after, PAGE, opened, NOW - 5) is after


def test_an_app_keeps_its_page_in_mind_too() -> None:
    """What counts as a visit means that the platform is open."""
    assert remember(NOBODY, APP, classify(APP, X, None, NOBODY, NOW), NOW).page_at == NOW


@pytest.mark.parametrize(
    "x",
    [LOAD._replace(method="HEAD"), PAGE._replace(purpose="prefetch"), ELSEWHERE],
    ids=["head", "prefetch", "embed"],
)
def test_what_opens_nothing_is_not_remembered(x: Exchange) -> None:
    """Machines and other sites' pictures leave no page behind."""
    assert remember(NOBODY, x, classify(x, X, None, NOBODY, NOW), NOW) is NOBODY


names = st.sampled_from(["x.com", "cdn.x.com", "news.example", None])
exchanges = st.builds(
    Exchange,
    method=st.sampled_from(["GET", "POST", "HEAD", "OPTIONS"]),
    host=st.just("x.com"),
    path=st.sampled_from(["/", "/api", "/a.m4s", "/widget"]),
    dest=st.sampled_from([None, "document", "iframe", "image", "empty", "video", "worker"]),
    mode=st.sampled_from([None, "navigate", "cors", "no-cors"]),
    site=st.sampled_from([None, "none", "same-origin", "cross-site"]),
    purpose=st.sampled_from([None, "prefetch"]),
    page_host=names,
    page_path=st.sampled_from([None, "/", "/widget"]),
    origin_host=names,
    status=st.sampled_from([0, 200, 204, 404]),
    content_type=st.sampled_from(["", "text/html", "video/mp4", "image/png"]),
    bytes=st.sampled_from([0, 43, 50_000, 2_000_000]),
)


@settings(max_examples=80, deadline=None)
@given(
    exchanges, st.sampled_from([X, EMBED, BACKGROUND]), st.sampled_from([X, None, Hit("linkedin")])
)
def test_every_exchange_has_one_answer(x: Exchange, hit: Hit, page: Hit | None) -> None:
    """A gap may follow exactly what counts, and what the catalogue knows as a machine's or an embed
    never counts."""
    judged = classify(x, hit, page, OPEN, NOW)
    assert (judged.kind is not None) is judged.activity.counts
    assert judged == expected(judged.evidence)
    assert not (judged.activity.counts and (hit.background or x.purpose))
    assert not (judged.activity.counts and hit.embed and x.dest != "document")
    foreign = (x.page_host or x.origin_host) is not None and page is not X
    assert not (judged.activity.counts and foreign and not is_navigation(x))
