"""Twin of proxy_addon/core/metering/embeds.py: which parts of other sites' pages are films, and
which pass although the time is up."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.catalogue import Hit
from proxy_addon.core.metering import embeds
from proxy_addon.core.metering.activity import (
    Evidence,
    Exchange,
    Judgement,
    Kind,
    PageMemory,
    classify,
)
from proxy_addon.core.metering.meter import observe
from proxy_addon.core.metering.timeline import EMPTY, Mark
from proxy_addon.core.ruleset import Metering
from proxy_addon.core.types import Activity
from tests.core.metering.exchanges import (
    APP,
    ELSEWHERE,
    EMBED,
    FRAME,
    LOAD,
    NOBODY,
    NOW,
    OPEN,
    PAGE,
    PICTURE,
    X,
)

PLAYER = Hit("x", embed=True, player=True)
FILM = Exchange(
    "GET",
    "cdn.x.com",
    "/a/clip",
    "empty",
    "cors",
    "cross-site",
    page_host="news.example",
    page_path="/today",
    status=200,
    content_type="video/mp4",
    bytes=300_000,
)
FREE = Judgement(Activity.EMBED, Evidence.EMBED_PAGE)


def passes(x: Exchange, hit: Hit = X, page: Hit | None = None, pages: PageMemory = NOBODY) -> bool:
    """Whether a request passes with no time left, judged as the proxy judges it."""
    return embeds.passes(x, hit, page, pages, classify(x, hit, page, pages, NOW))


@pytest.mark.parametrize(
    ("x", "is_film"),
    [
        (FILM, True),
        (FILM._replace(bytes=0), True),
        (FILM._replace(dest="video"), True),
        (FILM._replace(dest=None, mode=None, site=None), True),
        (FILM._replace(method="POST"), True),
        (FILM._replace(dest="iframe"), True),
        (FILM._replace(bytes=20_000), False),
        (FILM._replace(status=404), False),
        (FILM._replace(status=302), False),
        (FILM._replace(method="HEAD"), False),
        (FILM._replace(dest="image"), False),
        (FILM._replace(content_type="image/gif", bytes=9_000_000), False),
        (FILM._replace(content_type="text/html", bytes=9_000_000), False),
        (FILM._replace(content_type="application/x-javascript", bytes=9_000_000), False),
        (FILM._replace(content_type="font/woff2", bytes=9_000_000, dest=None), False),
    ],
)
def test_a_film_is_told_from_what_else_an_embed_loads(x: Exchange, is_film: bool) -> None:
    """Sound and video by their answers; pictures, scripts, fonts, failures and chimes are none."""
    became = embeds.charged(FREE, x, X)
    assert embeds.is_charged(became) is is_film
    assert became == (
        Judgement(Activity.MEDIA, Evidence.EMBEDDED_MEDIA, Kind.MEDIA) if is_film else FREE
    )


def test_known_telemetry_of_a_player_is_no_film() -> None:
    """What the catalogue lists as telemetry stays free, whatever its answer says."""
    assert embeds.charged(FREE, FILM, X._replace(background=True)) == FREE


def test_only_embeds_become_films_of_embeds() -> None:
    """A film on the platform itself is judged as it was."""
    played = classify(FILM._replace(page_host="x.com"), X, X, OPEN, NOW)
    assert played.evidence is Evidence.MEDIA_PLAYED
    assert embeds.charged(played, FILM, X) == played


@pytest.mark.parametrize(
    ("x", "hit"),
    [
        (FRAME, EMBED),
        (ELSEWHERE, X),
        (ELSEWHERE, EMBED),
        (ELSEWHERE._replace(dest="script", path="/sdk.js"), PLAYER),
        (ELSEWHERE._replace(dest="style", path="/a.css"), X),
        (ELSEWHERE._replace(dest="empty", mode="cors", path="/count.json"), EMBED),
        (APP._replace(path="/v1/share"), EMBED),
        (ELSEWHERE._replace(method="POST", dest="empty", mode="no-cors"), EMBED),
    ],
)
def test_buttons_pass(x: Exchange, hit: Hit) -> None:
    """Frames, pictures, scripts and calls of buttons and posts, as the catalogue and the browser
    name them."""
    assert passes(x, hit)


@pytest.mark.parametrize(
    ("x", "hit"),
    [
        (FRAME, X),  # the platform's own page in a frame
        (FRAME, PLAYER),
        (ELSEWHERE._replace(dest="empty"), PLAYER),  # a player that is open already asks
        (PAGE, X),
        (PAGE, EMBED),  # its address was typed
        (PAGE._replace(site="cross-site"), EMBED),  # a link elsewhere led there
        (PAGE._replace(site="cross-site"), PLAYER),
        (Exchange("GET", "x.com", "/embed/1", accept="text/html"), EMBED),
        (ELSEWHERE._replace(dest="video"), X),
        (ELSEWHERE._replace(dest="video"), EMBED),
        (ELSEWHERE._replace(dest="empty", path="/videoplayback?id=1"), EMBED),
        (ELSEWHERE._replace(dest="image", path="/seg/1.ts?x"), X),
        (ELSEWHERE._replace(dest="empty", path="/live/a.M3U8"), EMBED),
        (ELSEWHERE._replace(dest="empty", mode="websocket"), EMBED),
        (ELSEWHERE._replace(dest="websocket"), EMBED),
        (ELSEWHERE._replace(dest="image", method="POST"), X),
    ],
)
def test_pages_players_and_films_do_not_pass(x: Exchange, hit: Hit) -> None:
    """Whatever somebody would look at for itself is refused, in whichever page it stands."""
    assert not passes(x, hit)


API = Exchange("POST", "x.com", "/api/feed")


@pytest.mark.parametrize("dest", [None, "empty"])
@pytest.mark.parametrize("site", [None, "cross-site", "same-origin"])
@pytest.mark.parametrize("page", ["news.example", "x.com", None])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_call_of_the_platforms_interface_passes(
    dest: str | None, site: str | None, page: str | None, method: str
) -> None:
    """A forged Referer, missing fetch metadata, a page left open, and an embed that was open a
    moment ago: none of them opens the interface of the platform."""
    x = API._replace(method=method, dest=dest, site=site, page_host=page, page_path=page and "/")
    behind = {"news.example": None, "x.com": X, None: None}[page]
    embedded = PageMemory(NOW - 100, NOW - 1, (("x.com", "/"),), NOW - 1)
    for pages in (NOBODY, OPEN, embedded):
        assert not passes(x, X, behind, pages)


def test_a_page_that_was_left_open_gets_no_parts() -> None:
    """Its own calls of addresses that embeds call as well are the platform's."""
    asked = LOAD._replace(path="/oembed")
    assert classify(asked, EMBED, X, OPEN, NOW).activity is Activity.EMBED
    assert not passes(asked, EMBED, X, OPEN)
    inside = PageMemory(NOW - 9000, NOW - 1, (("x.com", "/home"),))
    assert passes(asked, EMBED, X, inside)
    assert passes(asked, EMBED, EMBED, OPEN)


@pytest.mark.parametrize(
    ("x", "hit", "still"),
    [
        (PICTURE._replace(content_type="image/webp", status=200), X, True),
        (PICTURE._replace(content_type="application/json", status=200), X, False),
        (PICTURE._replace(content_type="text/html", status=200), X, False),
        (PICTURE._replace(content_type="", status=200), X, False),
        (PICTURE._replace(content_type="text/html", status=404), X, True),
        (PICTURE._replace(status=304), X, True),
        (PICTURE._replace(status=302, content_type="text/html"), X, True),
        (PICTURE._replace(dest="script", content_type="text/javascript", status=200), X, True),
        (PICTURE._replace(dest="script", content_type="application/json", status=200), X, False),
        (FRAME._replace(content_type="text/html", status=200), EMBED, True),
        (FRAME._replace(content_type="video/mp4", status=200), EMBED, False),
        (FILM, EMBED, False),
        (FILM._replace(bytes=9_000), EMBED, False),
        (FILM._replace(content_type="application/vnd.apple.mpegurl"), EMBED, False),
    ],
)
def test_the_answer_has_to_be_what_was_asked_for(x: Exchange, hit: Hit, still: bool) -> None:
    """A picture is answered by a picture: data for a program under the name of one is refused, and
    so is each piece of a film, however small."""
    assert embeds.still_passes(x, hit, FREE) is still


def test_what_would_be_charged_does_not_pass() -> None:
    """Whatever the answer: use of the platform is refused."""
    used = Judgement(Activity.VISIT, Evidence.PAGE_ACTION, Kind.INTERACTION)
    picture = PICTURE._replace(content_type="image/webp", status=200)
    assert not embeds.still_passes(picture, X, used)


def mark(at: float, evidence: Evidence = Evidence.EMBEDDED_MEDIA, needs: int = 2) -> Mark:
    """A load of a film."""
    return Mark(NOW + at, NOW + at, Kind.MEDIA, "film", evidence, needs=needs)


def test_one_clip_is_no_film_and_two_bursts_are() -> None:
    """After them each load is firm, until the gap of films is over."""
    timeline = observe(EMPTY, mark(0), Metering())
    assert (timeline.stretches, embeds.needs(timeline, NOBODY, NOW + 5)) == ((), 2)
    timeline = observe(timeline, mark(15), Metering())
    (stretch,) = timeline.stretches
    assert (stretch.start, stretch.end) == (NOW, NOW + 25)
    assert embeds.needs(timeline, NOBODY, NOW + 15 + 45) == 1
    assert embeds.needs(timeline, NOBODY, NOW + 15 + 46) == 2


def test_what_a_player_loads_when_it_opens_is_no_film_by_itself() -> None:
    """Bursts in the first five seconds need one that comes later; the film is charged from its
    first load on."""
    pages = PageMemory(embed_at=NOW - 1)
    timeline = EMPTY
    for at in (0.0, 1.6, 3.2):
        timeline = observe(
            timeline, mark(at, needs=embeds.needs(timeline, pages, NOW + at)), Metering()
        )
    assert timeline.stretches == ()
    assert embeds.needs(timeline, pages, NOW + 4) == 2
    (stretch,) = observe(timeline, mark(9), Metering()).stretches
    assert (stretch.start, stretch.end) == (NOW, NOW + 19)


@pytest.mark.parametrize("after", [1.0, 21.0])
def test_a_burst_and_what_comes_much_later_are_no_film(after: float) -> None:
    """Parts of one clip come at once; clips of different pages do not come soon."""
    timeline = observe(observe(EMPTY, mark(0), Metering()), mark(after), Metering())
    assert timeline.stretches == ()


def test_use_of_the_platform_does_not_make_clips_firm() -> None:
    """While somebody reads there, a clip elsewhere is as weak as it is alone."""
    timeline = observe(EMPTY, mark(0, Evidence.PAGE_ACTION, needs=1), Metering())
    assert embeds.needs(timeline, NOBODY, NOW + 5) == 2


@settings(max_examples=200, deadline=None)
@given(
    x=st.builds(
        Exchange,
        st.sampled_from(["GET", "POST", "HEAD"]),
        st.just("x.com"),
        st.sampled_from(["/", "/api/feed", "/embed/1", "/a.mp4"]),
        st.sampled_from([None, "document", "iframe", "image", "script", "empty", "video"]),
        st.sampled_from([None, "navigate", "cors", "no-cors", "websocket"]),
        st.sampled_from([None, "none", "same-origin", "cross-site"]),
        page_host=st.sampled_from([None, "x.com", "news.example"]),
        page_path=st.sampled_from([None, "/", "/embed/1"]),
        accept=st.sampled_from([None, "text/html", "image/webp"]),
    ),
    hit=st.sampled_from([X, EMBED, PLAYER]),
)
def test_only_embeds_pass(x: Exchange, hit: Hit) -> None:
    """Whatever is sent: what passes is judged an embed, is no page, and outside of the catalogue's
    embeds only a picture, a script, a style or a font."""
    page = {"x.com": X, "news.example": None}.get(x.page_host or "")
    judged = classify(x, hit, page, OPEN, NOW)
    if embeds.passes(x, hit, page, OPEN, judged):
        assert judged.activity is Activity.EMBED
        assert x.dest != "document"
        assert hit.embed or (x.dest in ("image", "script") and x.method == "GET")
