"""Parts of a platform on other sites' pages: which of them are films, which cost as much as on the
platform itself, and which pass although the time is up (docs/metering.md, "Films in embeds").

Buttons, posts, pictures and pixels are free. With no time left a request passes as one of them only
where it is one by what the browser and the catalogue say together, and where its answer is what the
browser asked for: a page at the top level, a frame of the platform's own pages, a call of its
interface and a socket do not, whatever page they name as theirs.
"""

from __future__ import annotations

from typing import Final

from proxy_addon.core.catalogue import Hit
from proxy_addon.core.metering.activity import (
    Evidence,
    Exchange,
    Judgement,
    Kind,
    PageMemory,
    is_media,
    is_navigation,
)
from proxy_addon.core.metering.timeline import Timeline
from proxy_addon.core.types import Activity

FILM_BURSTS: Final = 2  # loads in different bursts: a clip that was loaded ahead is not a film
LOADED_AHEAD: Final = 5.0  # seconds in which a player that was opened loads ahead, in some bursts
PLAYED_SECONDS: Final = 6.0  # a body that goes on for less may be a clip that is loaded ahead
AHEAD_BURSTS: Final = 5  # more than there can be in that time: nothing is played by them alone

_FILM: Final = Judgement(Activity.MEDIA, Evidence.EMBEDDED_MEDIA, Kind.MEDIA)
_FRAMES: Final = frozenset({"iframe", "frame", "embed", "object", "fencedframe"})
_OWN_SITES: Final = frozenset({"none", "same-origin", "same-site"})
_FILM_DESTS: Final = frozenset({"video", "audio"})
_FILM_ENDS: Final = (
    ".m4s", ".ts", ".mp4", ".webm", ".m4a", ".mp3", ".aac", ".cmfv", ".cmfa", ".m3u8", ".mpd",
)  # fmt: skip
_FILM_TYPES: Final = ("video/", "audio/", "application/vnd.apple.mpegurl", "application/dash+xml")
_SOCKET: Final = "websocket"
_CODE: Final = ("application/x-javascript", "application/wasm", "application/font", "font/")
_PARTS: Final[dict[str, tuple[str, ...]]] = {
    "image": ("image/",),
    "script": ("text/javascript", "application/javascript", "application/x-javascript"),
    "style": ("text/css",),
    "font": ("font/", "application/font", "application/x-font", "application/octet-stream"),
    "track": ("text/vtt",),
}  # what a page is put together from, and the types that answer it


def is_film(x: Exchange, hit: Hit) -> bool:
    """Whether this embed, with its answer, is a piece of sound or of a film."""
    answered = 200 <= x.status < 300 or x.status == 304
    if not answered or hit.background or x.method not in ("GET", "POST"):
        return False
    if x.dest in _PARTS or x.content_type.startswith(_CODE):
        return False
    return is_media(x)


def charged(judgement: Judgement, x: Exchange, hit: Hit) -> Judgement:
    """The judgement where films in embeds cost as much as on the platform itself."""
    if judgement.activity is Activity.EMBED and is_film(x, hit):
        return _FILM
    return judgement


def is_charged(judgement: Judgement) -> bool:
    """Whether this is a film in an embed that is charged."""
    return judgement.evidence is Evidence.EMBEDDED_MEDIA


def needs(timeline: Timeline, pages: PageMemory, at: float) -> int:
    """How many bursts a load of a film at the instant `at` needs to count: one while a film in an
    embed has been the last that was seen, and its gap is not over."""
    last = timeline.stretches[-1].last if timeline.stretches else None
    if last is Evidence.EMBEDDED_MEDIA and at <= timeline.reach:
        return 1
    return AHEAD_BURSTS if 0.0 <= at - pages.embed_at < LOADED_AHEAD else FILM_BURSTS


def passes(
    x: Exchange, hit: Hit, page: Hit | None, pages: PageMemory, judgement: Judgement
) -> bool:
    """Whether a request, judged without its answer, passes although the time is up: as a part of
    another site's page that is neither a film nor its player."""
    if judgement.activity is not Activity.EMBED or _asks_for_film(x):
        return False
    if is_navigation(x) or x.dest == "document" or (x.dest is None and x.mode == "navigate"):
        return False
    if x.mode == _SOCKET or x.dest == _SOCKET or _is_of_own_page(x, hit, page, pages):
        return False
    if x.dest in _PARTS:
        return hit.embed or x.method == "GET"
    return hit.embed and not hit.player


def still_passes(x: Exchange, hit: Hit, judgement: Judgement) -> bool:
    """Whether it still does now that the head of the answer is here."""
    if judgement.activity.counts or is_film(x, hit) or x.content_type.startswith(_FILM_TYPES):
        return False
    if hit.embed or x.status >= 400 or x.status in (204, 304):
        return True
    if 300 <= x.status < 400:
        return True
    return x.content_type.startswith(_PARTS.get(x.dest or "", ()))


def _asks_for_film(x: Exchange) -> bool:
    path = x.path.partition("?")[0].lower()
    return x.dest in _FILM_DESTS or path.endswith(_FILM_ENDS) or "videoplayback" in path


def _is_of_own_page(x: Exchange, hit: Hit, page: Hit | None, pages: PageMemory) -> bool:
    """Whether a page of the platform itself asks, which was opened while there was time."""
    if x.site not in _OWN_SITES or page is None or page.platform != hit.platform:
        return False
    return not page.embed and (x.page_host, x.page_path) not in pages.embeds
