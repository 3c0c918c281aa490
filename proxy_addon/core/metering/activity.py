"""One observed request -> what it is evidence of, with the evidence named (docs/metering.md).

Rules of this file:

* It judges a request by itself, its page and a short memory of pages (`PageMemory`). Whether it is
  periodic is decided afterwards (`polling.py`).
* The checks in `classify` are in order of certainty: what a browser *says* about a request
  (prefetch, navigation) comes before what the catalogue knows, and that before what sizes and types
  suggest.
* In doubt between an embed and a first-party load, an open page of the platform decides. A platform
  that nobody opened has no first-party loads.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from proxy_addon.core.catalogue import Hit
from proxy_addon.core.metering import media_types
from proxy_addon.core.metering.media_types import MEDIA_MIN_BYTES
from proxy_addon.core.types import Activity


class Kind(StrEnum):
    """The kind of the last evidence, which sets how long a silence may follow."""

    NAVIGATION = "navigation"
    INTERACTION = "interaction"
    MEDIA = "media"


class Evidence(StrEnum):
    """What decided, in words that can be shown to the person. Never a URL."""

    PAGE_OPENED = "a page was opened"
    PAGE_ACTION = "the page loaded more"
    APP_ACTION = "the app loaded more"
    MESSAGE_SENT = "a message was sent"
    MEDIA_PLAYED = "a video or sound was played"
    EMBEDDED_MEDIA = "a video on another site's page was played"
    MEDIA_STREAM = "a stream was running"
    BUSY_TUNNEL = "a busy connection of an app"
    ESTIMATED = "a busy connection in free time, which was not opened"
    PREFETCH = "loaded ahead by the browser"
    EMBED_PATH = "a part made for other sites"
    EMBED_FRAME = "a frame on another site"
    EMBED_PAGE = "loaded by another site's page"
    EMBED_INSIDE = "loaded by an embedded part"
    EMBED_NO_PAGE = "no page of the platform was open"
    TELEMETRY = "known telemetry or polling"
    PREFLIGHT = "a question without content"
    BEACON = "a beacon"
    WORKER = "a service worker"
    PUSHED = "pushed by the server"
    HELD_OPEN = "a connection held open"
    FAILED = "answered with an error"
    EMPTY = "answered with nothing"
    RHYTHM = "a machine's rhythm"
    CHIME = "a sound too short to listen to"
    PIXEL = "a picture too small to see"
    TIME_UP = "the time was up"
    MOVED_ON = "a page of another platform was opened"


class Exchange(NamedTuple):
    """One request as it was seen. Hosts are normalised, header values lower case, None = not sent.

    `page_host`/`page_path` come from Referer, `origin_host` from Origin, `operation` from the
    header in which an interface with one path for everything names what is asked for; `bytes` and
    `duration` (seconds) are those of the answer, as far as known; `status` 0 = not answered yet.
    """

    method: str
    host: str
    path: str
    dest: str | None = None
    mode: str | None = None
    site: str | None = None
    purpose: str | None = None
    gesture: bool = False
    page_host: str | None = None
    page_path: str | None = None
    origin_host: str | None = None
    accept: str | None = None
    operation: str | None = None
    status: int = 0
    content_type: str = ""
    bytes: int = 0
    duration: float = 0.0


_ANSWER = Exchange._fields.index("status")  # from here on the fields are those of the answer


class Judgement(NamedTuple):
    """The answer: activity, the evidence for it, and the kind of gap that may follow (None =
    none)."""

    activity: Activity
    evidence: Evidence
    kind: Kind | None = None


class PageMemory(NamedTuple):
    """A short memory for one person and platform: when a page of it was last open, and which embeds
    were.

    Instants; `embeds` holds the (host, path) of the last few embed documents, `inside_at` is when a
    script of one asked for something last, and `bare_at` when the last document or script of one
    came without fetch metadata: a browser that sends some sends it with all that an embed loads.
    """

    page_at: float = float("-inf")
    embed_at: float = float("-inf")
    embeds: tuple[tuple[str, str], ...] = ()
    inside_at: float = float("-inf")
    bare_at: float = float("-inf")


PAGE_MEMORY = (
    4 * 3600.0
)  # a tab left open in the morning is still a page of the platform in the afternoon
EMBED_MEMORY = 300.0  # how long an embed document goes on loading its own parts
EMBED_LOAD = 12.0  # the same while a page of the platform is in use besides
EMBED_BRINGS = (
    5.0  # how long a picture from elsewhere may be what the script of an embed has just asked for
)
EMBED_FRAMES = 2.0  # a document without fetch metadata is a frame: nobody clicks sooner
PAGE_IN_USE = 900.0
EMBEDS_KEPT = 8
PIXEL_BYTES = 200  # a picture of one pixel counts visitors
HELD_SECONDS = 20.0
HELD_BYTES = 20_000

_FRAMES = frozenset({"iframe", "frame", "embed", "object", "fencedframe"})
_MACHINE_DESTS = frozenset(
    {"report", "serviceworker", "manifest", "webidentity", "sharedworker", "worker"}
)
_OWN_SITES = frozenset(
    {"none", "same-origin", "same-site"}
)  # typed, or a link of the platform's own
_FOLLOWERS = frozenset({"image", "script", "style", "font", "video", "audio", "track"})
_DOCUMENT_PARTS = frozenset({"script", "style"})  # not asked for again while the document lives
_FOLLOWING_TYPES = (
    "image/",
    "video/",
    "audio/",
    "font/",
    "text/css",
    "text/javascript",
    "application/javascript",
    "application/x-javascript",
    "application/font",
    "application/x-font",
)
_SCRIPT_TYPES = ("text/javascript", "application/javascript", "application/x-javascript")
_WORKER_WORDS = ("/sw.js", "service-worker", "serviceworker", "service_worker", "/sw_")

_NAVIGATION = Judgement(Activity.VISIT, Evidence.PAGE_OPENED, Kind.NAVIGATION)
_PAGE_ACTION = Judgement(Activity.VISIT, Evidence.PAGE_ACTION, Kind.INTERACTION)
_APP_ACTION = Judgement(Activity.VISIT, Evidence.APP_ACTION, Kind.INTERACTION)
_PLAYED = Judgement(Activity.MEDIA, Evidence.MEDIA_PLAYED, Kind.MEDIA)


def _judgements(activity: Activity) -> dict[Evidence, Judgement]:
    return {evidence: Judgement(activity, evidence) for evidence in Evidence}


_EMBED = _judgements(Activity.EMBED)
_BACKGROUND = _judgements(Activity.BACKGROUND)
_PREFETCH = Judgement(Activity.PREFETCH, Evidence.PREFETCH)


def classify(x: Exchange, hit: Hit, page: Hit | None, pages: PageMemory, at: float) -> Judgement:
    """Judge one request of the platform `hit` names.

    `page` is what the catalogue knows of the page behind it (its Referer or Origin); `at` an
    instant.
    """
    if is_prefetch(x):
        return _PREFETCH
    if hit.embed and not (x.dest == "document" and x.site in _OWN_SITES):
        return _EMBED[Evidence.EMBED_PATH]
    if is_navigation(x):
        if _frame_of_embed(x, pages, at):
            return _EMBED[Evidence.EMBED_INSIDE]
        return _navigation(x, hit)
    machine = _machine(x, hit)
    if machine is not None:
        return _BACKGROUND[machine]
    embedded = _embedded(x, hit, page, pages, at)
    if embedded is not None:
        return _EMBED[embedded]
    return _first_party(x)


def is_navigation(x: Exchange) -> bool:
    """True for a page load at the top level; without fetch metadata, for a GET that asks for
    HTML."""
    if x.dest is not None:
        return x.dest == "document" and x.mode in (None, "navigate")
    if x.mode is not None or x.site is not None or x.method != "GET":
        return False
    return x.accept is not None and x.accept.startswith("text/html")


def is_prefetch(x: Exchange) -> bool:
    """Whether a browser asks in advance for what nobody has opened yet."""
    return bool(x.purpose) and ("prefetch" in (x.purpose or "") or "prerender" in (x.purpose or ""))


def is_seen(x: Exchange) -> bool:
    """Whether somebody has the answer to this navigation before their eyes."""
    return x.method != "HEAD" and not is_prefetch(x)


def _navigation(x: Exchange, hit: Hit) -> Judgement:
    if hit.background:
        return _BACKGROUND[Evidence.TELEMETRY]
    if x.status in (204, 205):
        return _BACKGROUND[Evidence.EMPTY]
    return _NAVIGATION


def _machine(x: Exchange, hit: Hit) -> Evidence | None:
    """The evidence for traffic that no person causes, from the request alone; None when there is
    none."""
    if hit.background:
        return Evidence.TELEMETRY
    if x.method in ("HEAD", "OPTIONS"):
        return Evidence.PREFLIGHT
    if x.dest in _MACHINE_DESTS:
        return Evidence.WORKER
    if x.page_path is not None and any(word in x.page_path for word in _WORKER_WORDS):
        return Evidence.WORKER
    if x.method == "POST" and x.mode == "no-cors" and x.dest in (None, "empty"):
        return Evidence.BEACON
    if x.content_type.startswith("text/event-stream"):
        return Evidence.PUSHED
    if x.status >= 400:
        return Evidence.FAILED
    if x.method == "POST" and x.status == 204:
        return Evidence.EMPTY
    if 0 < x.bytes < PIXEL_BYTES and (x.dest == "image" or x.content_type.startswith("image/")):
        return Evidence.PIXEL
    if x.duration >= HELD_SECONDS and x.bytes < HELD_BYTES:
        return Evidence.HELD_OPEN
    return None


def _embedded(
    x: Exchange, hit: Hit, page: Hit | None, pages: PageMemory, at: float
) -> Evidence | None:
    """The evidence that this request belongs to another site's page; None when it is the platform's
    own."""
    if x.dest in _FRAMES and x.site == "cross-site":
        return Evidence.EMBED_FRAME
    behind = x.page_host or x.origin_host
    if behind:
        if page is None or page.platform != hit.platform:
            return Evidence.EMBED_PAGE
        if page.embed or (x.page_host, x.page_path) in pages.embeds:
            return Evidence.EMBED_INSIDE
    elif x.site == "cross-site" and at - pages.page_at > PAGE_MEMORY:
        return Evidence.EMBED_NO_PAGE
    if x.site is None and not behind:
        return _without_page(x, pages, at)
    if x.site == "same-origin" and x.page_path is not None and x.dest not in _FRAMES:
        return None  # such a Referer names the document itself, and it is not one of the embeds
    if pages.inside_at > pages.page_at and at - pages.inside_at < EMBED_BRINGS:
        return Evidence.EMBED_INSIDE
    span = EMBED_LOAD if at - pages.page_at < PAGE_IN_USE else EMBED_MEMORY
    loading = pages.embed_at > pages.page_at and at - pages.embed_at < span
    return Evidence.EMBED_INSIDE if loading else None


def _without_page(x: Exchange, pages: PageMemory, at: float) -> Evidence | None:
    """The same for a request without fetch metadata, Referer and Origin: an app's, or a part of an
    embed whose page tells no Referer. What follows an embed is its own, until the app asks for
    something itself; pictures and scripts that nothing has asked for are on another site."""
    follows = not leads(x) and not is_media(x)
    in_use = at - pages.page_at < PAGE_IN_USE
    span = EMBED_MEMORY if follows and not in_use else EMBED_LOAD
    if _loaded_by_embed(pages, at, span):
        return Evidence.EMBED_INSIDE
    if follows and x.content_type and at - pages.page_at > PAGE_MEMORY:
        return Evidence.EMBED_NO_PAGE
    return None


def _frame_of_embed(x: Exchange, pages: PageMemory, at: float) -> bool:
    """Whether a document of which no header says more is a frame inside an embed."""
    unknown = x.dest is None and x.page_host is None and not x.gesture
    return unknown and _loaded_by_embed(pages, at, EMBED_FRAMES)


def _loaded_by_embed(pages: PageMemory, at: float, span: float) -> bool:
    """Whether an embed without metadata came less than `span` seconds ago, and no page after it."""
    return pages.bare_at > pages.page_at and at - pages.bare_at < span


def _first_party(x: Exchange) -> Judgement:
    """A load of the platform's own page or app."""
    if is_media(x):
        return _PLAYED
    if x.dest is None and x.page_host is None and x.origin_host is None:
        return _APP_ACTION
    return _PAGE_ACTION


def with_answer(
    x: Exchange, status: int, content_type: str, size: int, duration: float
) -> Exchange:
    """The exchange with the size (bytes), type and duration (seconds) of its answer."""
    if (x.status, x.content_type, x.bytes, x.duration) == (status, content_type, size, duration):
        return x
    return Exchange._make((*x[:_ANSWER], status, content_type, size, duration))


def leads(x: Exchange) -> bool:
    """True for requests of a script or a person; pictures, scripts and styles only follow such a
    request."""
    return x.dest not in _FOLLOWERS and not x.content_type.startswith(_FOLLOWING_TYPES)


def is_media(x: Exchange) -> bool:
    """True for audio, video and bodies of that size; a short chime does not count."""
    if media_types.is_sound_or_film(x.content_type, x.path, x.dest):
        return x.bytes >= MEDIA_MIN_BYTES or (
            not x.bytes and not media_types.is_sound(x.content_type, x.dest)
        )
    return media_types.by_size(x.content_type, x.bytes)


def is_short_sound(x: Exchange) -> bool:
    """True for sound or a film of a few seconds at a low rate, or a chime: the next ones tell.
    Sound of unknown size may be either."""
    if not x.bytes:
        return media_types.is_sound(x.content_type, x.dest)
    typed = media_types.is_sound_or_film(x.content_type, x.path, x.dest)
    return typed and x.bytes < MEDIA_MIN_BYTES


def remember(pages: PageMemory, x: Exchange, judgement: Judgement, at: float) -> PageMemory:
    """The memory after `judgement`: pages that were opened, embed documents that may load more."""
    if judgement.evidence is Evidence.PAGE_OPENED or judgement.activity is Activity.VISIT:
        if at > pages.page_at:
            return pages._replace(page_at=at)
        return pages
    if leads(x) and (x.page_host, x.page_path) in pages.embeds:
        return pages._replace(inside_at=max(at, pages.inside_at))
    document = _embed_document(x, judgement)
    if document is not None:
        kept = tuple(e for e in pages.embeds if e != document)[-(EMBEDS_KEPT - 1) :]
        pages = pages._replace(embed_at=at, embeds=(*kept, document))
    bare = x.dest is None and x.site is None and judgement.activity is Activity.EMBED
    if bare and (document is not None or x.content_type.startswith(_SCRIPT_TYPES)):
        return pages._replace(bare_at=at)
    return pages


def _embed_document(x: Exchange, judgement: Judgement) -> tuple[str, str] | None:
    """The embed document that this request is, or that asks for this script or style: the document
    itself may have come from the browser's cache."""
    if judgement.activity is not Activity.EMBED:
        return None
    if x.dest in _FRAMES or (x.dest is None and _html(x) and not _redirects(x)):
        return x.host, x.path
    if judgement.evidence is not Evidence.EMBED_INSIDE or x.dest not in _DOCUMENT_PARTS:
        return None  # a page of the platform may load an embed's script as well
    if x.site != "same-origin":
        return None
    return (x.page_host, x.page_path) if x.page_host and x.page_path else None


def _redirects(x: Exchange) -> bool:
    """A redirector, such as that of links that lead out, loads nothing."""
    return 300 <= x.status < 400


def _html(x: Exchange) -> bool:
    return x.content_type.startswith("text/html")
