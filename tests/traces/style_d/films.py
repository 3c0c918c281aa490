"""Films: players that load ahead, pauses, live streams, films inside other people's pages."""

from __future__ import annotations

from dataclasses import dataclass

from tests.traces.day import Span, Spans
from tests.traces.style_d.acts import arrive, depart, load
from tests.traces.style_d.more_sites import FILMS, TWITCH, VIMEO, YOUTUBE
from tests.traces.style_d.people import lognormal, parted
from tests.traces.style_d.scene import Scene
from tests.traces.style_d.sites import Site, Timer
from tests.traces.style_d.tabs import Show, Tab, tick
from tests.traces.style_d.wire import Call, document

UMP = "application/vnd.yt-ump"
MANIFEST = "application/vnd.apple.mpegurl"
METADATA = Timer(
    Call("https://www.youtube.com/youtubei/v1/updated_metadata", 900, 3_000, method="POST"),
    15.0,
    "chain",
    0.3,
    hidden=60.0,
)
"""How many watch a stream, asked again and again."""


@dataclass(frozen=True, slots=True)
class Format:
    """`segment`: seconds in one; `rate`: bytes a second; `ahead`: seconds kept ready; below `low`
    times that they are loaded again, at once up to the top. `sound`: comes by requests of its own.
    `manifest`: asked for again with each segment of a live stream."""

    call: Call
    segment: float
    rate: float
    ahead: float
    low: float = 0.95
    sound: bool = False
    manifest: Call | None = None


def _server(scene: Scene) -> str:
    return f"rr{scene.rng.randint(1, 9)}---sn-{scene.wire.fill('{w}')}.googlevideo.com"


def youtube(scene: Scene) -> Format:
    """The web player of today: POSTs that are answered with several pieces at once, 0.3 to 2 MB."""
    rng = scene.rng
    rate = rng.uniform(90_000, 380_000)
    segment = min(max(rng.uniform(4, 8), 300_000 / rate), 2_000_000 / rate)
    url = f"https://{_server(scene)}/videoplayback?expire={{k}}&sabr=1&rqh=1&ump=1"
    return Format(Call(url, 0, 0, UMP, "POST"), segment, rate, rng.uniform(25, 80))


def hls(scene: Scene) -> Format:
    """Files of six seconds; half a minute is kept ready (the default of common players)."""
    rng = scene.rng
    kind = rng.choice(("video/mp2t", "video/mp4", "application/octet-stream"))
    end = "ts" if kind == "video/mp2t" else "m4s"
    url = f"https://vod-adaptive-ak.vimeocdn.com/exp={{n}}/{{h}}/v2/range/prot/{{s}}.{end}"
    rate = rng.uniform(120_000, 500_000)
    low = rng.choice((0.95, 0.5))  # some refill in bursts
    return Format(Call(url, 0, 0, kind), 6.0, rate, 30.0, low, sound=end == "m4s")


def live(scene: Scene) -> Format:
    """Two seconds a file, a playlist with each; four seconds behind what happens."""
    edge = (
        f"https://video-edge-{scene.wire.fill('{w}')}.fra02.abs.hls.ttvnw.net/v1/segment/{{s}}.ts"
    )
    weaver = "https://video-weaver.fra02.hls.ttvnw.net/v1/playlist/{s}.m3u8"
    rate = scene.rng.uniform(200_000, 800_000)
    manifest = Call(weaver, 1_500, 6_000, MANIFEST)
    return Format(Call(edge, 0, 0, "video/mp2t"), 2.0, rate, 4.5, manifest=manifest)


class Player:
    """Loads a film of `length` seconds while it is played, by requests of `page`."""

    def __init__(self, scene: Scene, tab: Tab, form: Format, length: float, page: str) -> None:
        self.scene, self.tab, self.form, self.length, self.page = scene, tab, form, length, page
        self.position = self.loaded = 0.0

    def play(self, start: float, stop: float, paused: bool) -> None:
        """Plays from `start` to `stop`. A `paused` player still fills up what it keeps ready."""
        began, form = start + self.scene.rng.uniform(0.2, 1.2), self.form
        at, filling, first = start, True, self.position
        while self.loaded < self.length:
            ready = self.loaded - first - max(0.0, min(at, stop) - began)
            if ready >= form.ahead:
                filling = False
            elif ready < form.ahead * form.low:
                filling = True
            if at >= stop and (not paused or not filling):
                break
            if filling:
                at = self._segment(at)
                continue
            if at >= stop:
                break
            wait = ready - form.ahead * form.low
            at = min(at + max(0.05, wait) + self.scene.rng.uniform(0.0, 0.25), stop)
        self.position = first + max(0.0, stop - began)
        self._reports(start, stop)

    def _segment(self, at: float) -> float:
        rng, wire, form, device = self.scene.rng, self.scene.wire, self.form, self.tab.device
        if form.manifest:
            wire.send(device, at, form.manifest, self.page)
        size = int(form.rate * form.segment * rng.uniform(0.6, 1.4))
        if form.call.type == UMP:
            size = min(max(size, 300_000), 2_000_000)
        done = wire.send(device, at + 0.01, form.call, self.page, size=size)
        if form.sound:
            wire.send(device, at + 0.02, form.call, self.page, size=int(16_000 * form.segment))
        self.loaded += form.segment
        return done + rng.uniform(0.01, 0.1)

    def _reports(self, start: float, stop: float) -> None:
        if "youtube" not in self.page:
            return
        base = f"https://{self.page.split('/')[2]}/api/stats/"
        at = start + 10.0
        while at < stop:
            report = Call(base + ("watchtime" if at < start + 40 else "qoe"), 0, 0, "", status=204)
            self.scene.wire.beacon(self.tab.device, at, report, self.page)
            at += 10.0 if at < start + 30 else 40.0


FORMATS = {"youtube": youtube, "vimeo": hls, "twitch": live}


def watch(scene: Scene, site: Site, tab: Tab, stretches: Spans, end: str, length: float) -> None:
    """One film in several stretches of attention; a pause between two of them is nobody's time."""
    rng, wire = scene.rng, scene.wire
    url = wire.fill(site.item)
    began = stretches[0][0]
    if not tab.views or tab.show(began) is Show.CLOSED or rng.random() < 0.4:
        tab.turn(began, Show.VISIBLE)
        began = load(scene, site, tab, began + rng.uniform(0.0, 0.3), url)
    else:
        began = arrive(scene, site, tab, began)
        tab.url = url
        began = wire.send(tab.device, began + 0.2, site.detail, url)
        wire.pictures(tab.device, began, site.pictures, rng.randint(4, 20), url)
    player = Player(scene, tab, FORMATS[site.platform](scene), length, url)
    for index, (start, stop) in enumerate(stretches):
        last = index == len(stretches) - 1
        scene.attend(site.platform, (start, stop))
        filling = not last or end in ("left", "hidden")
        player.play(start if index else max(start, began), stop, filling)
        if rng.random() < 0.25:
            comments = wire.send(tab.device, rng.uniform(start, stop), site.detail, url)
            wire.pictures(tab.device, comments, site.pictures, rng.randint(3, 15), url)
    depart(scene, site, tab, stretches[-1][1], end)


def films(scene: Scene, tab: Tab, site: Site, spans: Spans, ends: tuple[str, ...]) -> None:
    """A sitting each: films until it is over, some of them with pauses in between."""
    rng = scene.rng
    for span in spans:
        at = span[0]
        while at < span[1] - 10.0:
            length = lognormal(rng, 260.0, 0.9, 30.0, 3_600.0)
            stop = min(span[1], at + length)
            stretches = parted(rng, (at, stop), 400.0) if rng.random() < 0.3 else [(at, stop)]
            over = stop >= span[1]
            watch(scene, site, tab, stretches, rng.choice(ends) if over else "left", length)
            at = stop + rng.uniform(1.0, 6.0)
            if at < span[1] - 10.0 and stretches[-1][1] == stop:
                scene.attend(site.platform, (stop, at))  # what next?
    for timer in site.timers:
        tick(scene, tab, timer)


def some(scene: Scene) -> Site:
    """A site with films of several minutes."""
    return scene.rng.choice(FILMS)


def stream(scene: Scene, tab: Tab, span: Span) -> None:
    """One long stream, live or not, with a pause now and then."""
    rng = scene.rng
    site = rng.choice((TWITCH, TWITCH, YOUTUBE))
    end = rng.choice(("closed", "closed", "left"))
    watch(scene, site, tab, parted(rng, span, 2_400.0), end, 40_000.0)
    for timer in (*site.timers, *((METADATA,) if site is YOUTUBE else ())):
        tick(scene, tab, timer)


def embedded(scene: Scene, tab: Tab, span: Span, news: str, player: str) -> None:
    """A film in a page of a newspaper, played there: `span` is the time that somebody watches.
    `player` is "youtube", "twitch" or "vimeo"; its platform is watched."""
    rng, wire, device = scene.rng, scene.wire, tab.device
    page = wire.fill(
        {
            "youtube": "https://www.youtube-nocookie.com/embed/{s}?rel=0",
            "twitch": "https://player.twitch.tv/?channel={w}&parent=www.tagespost.example",
            "vimeo": "https://player.vimeo.com/video/{n}?dnt=1",
        }[player]
    )
    opened = span[0] - lognormal(rng, 25.0, 0.8, 3.0, 170.0)
    frame(scene, tab, opened, page, news)
    scene.attend(player, span)
    done = span[0]
    if player == "twitch":
        gql = Call("https://gql.twitch.tv/gql", 1_000, 6_000, method="POST")
        done = wire.send(device, done, gql, page)
        usher = Call("https://usher.ttvnw.net/api/channel/hls/{w}.m3u8", 2_000, 7_000, MANIFEST)
        done = wire.send(device, done, usher, page)
    elif player == "youtube":
        call = Call(
            "https://www.youtube-nocookie.com/youtubei/v1/player", 20_000, 90_000, method="POST"
        )
        done = wire.send(device, done, call, page)
    length = span[1] - span[0] if rng.random() < 0.4 else 4_000.0
    Player(scene, tab, FORMATS[player](scene), length, page).play(done, span[1], rng.random() < 0.5)


def frame(scene: Scene, tab: Tab, at: float, page: str, news: str) -> None:
    """The frame of a player as it stands in the page before anybody plays it."""
    rng, wire, device = scene.rng, scene.wire, tab.device
    done = wire.send(
        device, at, document(page, 9_000, 60_000), news, "iframe", "navigate", url=page
    )
    host = page.split("/")[2]
    scripts = {
        "www.youtube-nocookie.com": f"https://{host}/s/player/{{h}}/www-embed-player.vflset/www-embed-player.js",
        "player.twitch.tv": "https://assets.twitch.tv/assets/player-core.js",
        "player.vimeo.com": "https://f.vimeocdn.com/p/4.38.0/js/player.module.js",
    }
    script = Call(scripts[host], 60_000, 900_000, "text/javascript")
    done = wire.send(device, done, script, page, "script", "no-cors")
    still = {
        "www.youtube-nocookie.com": YOUTUBE,
        "player.twitch.tv": TWITCH,
        "player.vimeo.com": VIMEO,
    }[host]
    if rng.random() < 0.9:
        wire.send(device, done, still.pictures[0], page, "image", "no-cors")
