"""Other people's pages with pieces of platforms in them, searches that load ahead, pinned apps."""

from __future__ import annotations

from tests.traces.day import Span, Spans
from tests.traces.style_d.films import frame
from tests.traces.style_d.more_sites import YOUTUBE
from tests.traces.style_d.people import lognormal
from tests.traces.style_d.scene import Scene
from tests.traces.style_d.sites import SOCIAL
from tests.traces.style_d.tabs import Tab
from tests.traces.style_d.wire import HTML, PICTURE, SCRIPT, Call, Device, document

NEWS = ("www.tagespost.example", "kurier.example", "www.fachforum.example", "blog.handwerk.example")

# A call, what it is for and how; in the order in which a page loads them. What follows a frame is
# loaded by the frame.
type Piece = tuple[Call, str, str]


def _script(url: str, low: int, high: int) -> Piece:
    return Call(url, low, high, SCRIPT), "script", "no-cors"


def _frame(url: str, low: int, high: int) -> Piece:
    return Call(url, low, high, HTML), "iframe", "navigate"


def _image(url: str, low: int, high: int) -> Piece:
    kind = "image/gif" if high < 1_000 else "image/jpeg"
    return Call(url, low, high, kind), "image", "no-cors"


PIXELS: tuple[Piece, ...] = (
    (
        Call("https://connect.facebook.net/en_US/fbevents.js", 60_000, 90_000, SCRIPT),
        "script",
        "no-cors",
    ),
    _image("https://www.facebook.com/tr/?id={n}&ev=PageView", 0, 44),
    _image("https://px.ads.linkedin.com/collect?v=2&pid={n}", 0, 42),
    (
        Call("https://snap.licdn.com/li.lms-analytics/insight.min.js", 12_000, 20_000, SCRIPT),
        "script",
        "no-cors",
    ),
    _script("https://static.ads-twitter.com/uwt.js", 15_000, 20_000),
    _image("https://t.co/i/adsct?txn_id={w}", 43, 43),
    (
        Call("https://analytics.tiktok.com/i18n/pixel/events.js?sdkid={s}", 40_000, 80_000, SCRIPT),
        "script",
        "no-cors",
    ),
    _image("https://ct.pinterest.com/v3/?tid={n}", 35, 35),
    _image("https://alb.reddit.com/rp.gif?id=t2_{w}", 42, 42),
)
WIDGETS: tuple[tuple[Piece, ...], ...] = (
    (
        _script("https://connect.facebook.net/de_DE/sdk.js", 3_000, 90_000),
        _frame("https://www.facebook.com/plugins/like.php?href={h}", 12_000, 60_000),
        _script("https://static.xx.fbcdn.net/rsrc.php/v3/yq/r/{s}.js", 10_000, 120_000),
    ),
    (
        _script("https://platform.twitter.com/widgets.js", 25_000, 100_000),
        _frame("https://platform.twitter.com/embed/Tweet.html?id={n}", 3_000, 9_000),
        _script("https://platform.twitter.com/embed/embed.Tweet.{h}.js", 50_000, 200_000),
        (Call("https://cdn.syndication.twimg.com/tweet-result?id={n}&token={w}", 1_500, 6_000), "empty", "cors"),
        _image("https://pbs.twimg.com/media/{s}?format=jpg&name=small", 15_000, 90_000),
        _image("https://pbs.twimg.com/profile_images/{n}/{s}_normal.jpg", 1_200, 3_500),
    ),
    (
        _script("https://www.instagram.com/embed.js", 4_000, 60_000),
        _frame("https://www.instagram.com/p/{s}/embed/captioned/?cr=1&v=14", 30_000, 90_000),
        _script("https://static.cdninstagram.com/rsrc.php/v4/yZ/r/{s}.js", 30_000, 300_000),
        _image("https://scontent-fra3-2.cdninstagram.com/v/t51.29350-15/{n}_n.jpg", 40_000, 200_000),
    ),
    (
        _script("https://assets.pinterest.com/js/pinit_main.js", 30_000, 60_000),
        _script("https://widgets.pinterest.com/v1/urls/count.json?url={h}", 60, 200),
    ),
    (
        _script("https://platform.linkedin.com/in.js", 20_000, 50_000),
        _frame("https://www.linkedin.com/embed/feed/update/urn:li:share:{n}", 9_000, 40_000),
    ),
    (
        _script("https://embed.reddit.com/widgets.js", 3_000, 20_000),
        _frame("https://embed.reddit.com/r/{w}/comments/{s}/?embed=true", 9_000, 60_000),
    ),
    (_image("https://i.ytimg.com/vi/{s}/hqdefault.jpg", 9_000, 40_000),),
)  # fmt: skip


def newspaper(scene: Scene, tab: Tab, at: float, framed: float = 0.2) -> str:
    """One page of a newspaper is opened and scrolled; returns its URL. `framed`: chance of a player
    that nobody plays."""
    rng, wire, device = scene.rng, scene.wire, tab.device
    name = rng.choice(NEWS)
    page = wire.fill(f"https://{name}/{{w}}/{{w}}-{{w}}-{{h}}.html")
    done = wire.send(
        device, at, document(page), f"https://{name}/", "document", "navigate", url=page
    )
    own = (Call(f"https://{name}/img/{{h}}.webp", 9_000, 90_000, PICTURE),)
    wire.pictures(device, done, own, rng.randint(4, 20), page)
    for piece in rng.sample(PIXELS, rng.randint(1, 6)):
        _piece(scene, tab, done + rng.uniform(0.2, 2.5), piece, page)
    for widget in rng.sample(WIDGETS, rng.randint(0, 3)):
        # Some wait until they are scrolled into view.
        later = done + rng.uniform(0.3, 2.0) + rng.choice((0.0, lognormal(rng, 15.0, 0.8)))
        inner = page
        for piece in widget:
            url = _piece(scene, tab, later, piece, inner)
            inner = url if piece[1] == "iframe" else inner
            later += rng.uniform(0.1, 0.5)
    if rng.random() < framed:
        frame(scene, tab, done + 1.0, wire.fill("https://www.youtube-nocookie.com/embed/{s}"), page)
    if rng.random() < 0.3:  # tells how long it is read
        for minute in range(1, rng.randint(2, 12)):
            _piece(scene, tab, done + 15.0 * minute, PIXELS[1], page)
    return page


def _piece(scene: Scene, tab: Tab, at: float, piece: Piece, page: str) -> str:
    call, dest, mode = piece
    url = scene.wire.fill(call.url)
    if dest == "script" and scene.wire.cached(tab.device, call.url) and scene.rng.random() < 0.7:
        return url
    scene.wire.send(tab.device, at, call, page, dest, mode, url=url)
    return url


def search(scene: Scene, device: Device, at: float) -> None:
    """A page of results that loads, or even renders, what is probably opened next."""
    rng, wire = scene.rng, scene.wire
    page = wire.fill("https://www.suche.example/?q={w}+{w}")
    done = wire.send(device, at, document(page), "", "document", "navigate", url=page)
    for site in rng.sample((*SOCIAL, YOUTUBE), rng.randint(1, 3)):
        url = wire.fill(site.item)
        purpose = rng.choice(
            (
                {"sec-purpose": "prefetch"},
                {"sec-purpose": "prefetch;prerender", "purpose": "prefetch"},
                {"purpose": "prefetch"},
                {"x-moz": "prefetch"},
            )
        )
        link = "x-moz" in purpose or (
            len(purpose) < 2 and rng.random() < 0.5
        )  # <link rel=prefetch>
        kind = ("empty", "no-cors") if link else ("document", "navigate")
        done += rng.uniform(0.2, 3)
        done = wire.send(device, done, document(url), page, *kind, url=url, extra=purpose)
        if "prerender" in purpose.get("sec-purpose", ""):
            for asset in site.assets:
                wire.send(device, done, asset, url, "script", "no-cors", extra=purpose)
            for _ in range(rng.randint(2, 9)):
                shot = rng.choice(site.pictures)
                wire.send(device, done + rng.random(), shot, url, "image", "no-cors", extra=purpose)


PINNED = {
    "whatsapp": ("g.whatsapp.net", "media-fra3-1.cdn.whatsapp.net"),
    "tiktok": ("api-eu.tiktokv.com", "v77.tiktokcdn-eu.com"),
    "instagram": ("i.instagram.com", "scontent-fra3-1.cdninstagram.com"),
    "snapchat": ("us-east4-gcp.api.snapchat.com", "cf-st.sc-cdn.net"),
    "facebook": ("b-graph.facebook.com", "video-fra3-1.xx.fbcdn.net"),
}


def pinned(scene: Scene, device: Device, platform: str, spans: Spans) -> None:
    """An app whose connections stay closed to us: busy while it is used, a trickle all day."""
    rng, wire = scene.rng, scene.wire
    control, media = PINNED[platform]
    for span in spans:
        scene.attend(platform, span)
        _busy(scene, device, control, media, span)
    at = scene.start + rng.uniform(0, 300)
    while at < scene.end - 300:  # push connections and what an app asks behind one's back
        lasts = lognormal(rng, 240.0, 0.8, 20.0, 1_700.0)
        wire.tunnel(
            device,
            at,
            control,
            int(lasts * rng.uniform(3, 20)),
            int(lasts * rng.uniform(4, 40)),
            lasts,
        )
        if rng.random() < 0.08:  # loads something for later
            wire.tunnel(
                device, at + 5, media, 2_000, rng.randint(40_000, 400_000), rng.uniform(2, 6)
            )
        at += lasts + lognormal(rng, 200.0, 1.0, 5.0, 3_000.0)


def _busy(scene: Scene, device: Device, control: str, media: str, span: Span) -> None:
    rng, wire = scene.rng, scene.wire
    at = span[0]
    while at < span[1]:
        stop = min(span[1], at + lognormal(rng, 40.0, 0.8, 4.0, 300.0))
        lasts = stop - at
        wire.tunnel(
            device,
            at,
            control,
            int(900 + lasts * rng.uniform(80, 600)),
            int(3_000 + lasts * rng.uniform(600, 6_000)),
            lasts + rng.choice((0.0, 15.0, 60.0)),
        )
        for _ in range(rng.randint(0, 3)):
            begin = rng.uniform(at, stop)
            took = min(stop - begin, lognormal(rng, 9.0, 0.7, 0.5, 60.0)) + 0.2
            wire.tunnel(
                device,
                begin,
                media,
                rng.randint(1_000, 9_000),
                int(took * 10 ** rng.uniform(4.2, 5.9)),
                took,
            )
        at = stop + (lognormal(rng, 4.0, 1.0, 0.2, 60.0) if rng.random() < 0.7 else 0.0)
