"""Style B's wire: addresses made up by rule from a table of hosts, headers there or not by
chance."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Hosts(NamedTuple):
    """Where a platform's parts live; several CDN hosts are shards."""

    name: str
    web: str
    api: str
    cdn: tuple[str, ...]
    film: str
    socket: str
    frame: str  # embed document, host and path
    widget: str  # embed script or pixel, host and path
    app: str


HOSTS = {
    h.name: h
    for h in (
        Hosts(
            "facebook",
            "www.facebook.com",
            "www.facebook.com",
            ("scontent.xx.fbcdn.net", "scontent-ams2-1.xx.fbcdn.net"),
            "video.xx.fbcdn.net",
            "gateway.facebook.com",
            "www.facebook.com/plugins/post.php",
            "connect.facebook.net/de_DE/sdk.js",
            "graph.facebook.com",
        ),
        Hosts(
            "instagram",
            "www.instagram.com",
            "www.instagram.com",
            ("scontent.cdninstagram.com", "instagram.fham1-1.fna.fbcdn.net"),
            "scontent.cdninstagram.com",
            "gateway.instagram.com",
            "www.instagram.com/reel/{id}/embed/",
            "platform.instagram.com/en_US/embeds.js",
            "i.instagram.com",
        ),
        Hosts(
            "x",
            "x.com",
            "api.x.com",
            ("pbs.twimg.com",),
            "video.twimg.com",
            "api.x.com",
            "platform.x.com/embed/Tweet.html",
            "platform.x.com/widgets.js",
            "api.twitter.com",
        ),
        Hosts(
            "linkedin",
            "www.linkedin.com",
            "www.linkedin.com",
            ("media.licdn.com", "media-exp1.licdn.com"),
            "dms.licdn.com",
            "www.linkedin.com",
            "www.linkedin.com/embed/feed/update/{id}",
            "px.ads.linkedin.com/wa/",
            "www.linkedin.com",
        ),
        Hosts(
            "youtube",
            "www.youtube.com",
            "www.youtube.com",
            ("i.ytimg.com", "yt3.ggpht.com"),
            "rr4---sn-4g5e6nsz.googlevideo.com",
            "signaler-pa.youtube.com",
            "www.youtube.com/embed/{id}",
            "www.youtube.com/player_api",
            "youtubei.googleapis.com",
        ),
        Hosts(
            "tiktok",
            "www.tiktok.com",
            "www.tiktok.com",
            ("p16-sign-sg.tiktokcdn.com", "p77-sign-va.tiktokcdn.com"),
            "v19-webapp.tiktok.com",
            "frontier-va.tiktok.com",
            "www.tiktok.com/player/v1/{id}",
            "www.tiktok.com/embed.js",
            "api22-normal-c-alisg.tiktokv.com",
        ),
        Hosts(
            "reddit",
            "www.reddit.com",
            "gql.reddit.com",
            ("i.redd.it", "preview.redd.it", "b.thumbs.redditmedia.com"),
            "v.redd.it",
            "gql-realtime-2.reddit.com",
            "www.redditmedia.com/r/x/comments/{id}/",
            "www.redditstatic.com/ads/pixel.js",
            "oauth.reddit.com",
        ),
        Hosts(
            "pinterest",
            "www.pinterest.co.uk",
            "www.pinterest.co.uk",
            ("i.pinimg.com", "s.pinimg.com"),
            "v1.pinimg.com",
            "www.pinterest.co.uk",
            "assets.pinterest.com/ext/embed.html",
            "assets.pinterest.com/js/pinit_main.js",
            "api.pinterest.com",
        ),
        Hosts(
            "twitch",
            "www.twitch.tv",
            "gql.twitch.tv",
            ("static-cdn.jtvnw.net",),
            "video-weaver.fra05.hls.ttvnw.net",
            "pubsub-edge.twitch.tv",
            "player.twitch.tv/{id}",
            "embed.twitch.tv/embed/v1.js",
            "gql.twitch.tv",
        ),
        Hosts(
            "whatsapp",
            "web.whatsapp.com",
            "web.whatsapp.com",
            ("media-ham3-1.cdn.whatsapp.net",),
            "media-ham3-1.cdn.whatsapp.net",
            "web.whatsapp.com",
            "static.whatsapp.net/frame/{id}",
            "static.whatsapp.net/button.js",
            "g.whatsapp.net",
        ),
        Hosts(
            "snapchat",
            "www.snapchat.com",
            "web.snapchat.com",
            ("cf-st.sc-cdn.net", "bolt-gcdn.sc-cdn.net"),
            "cf-st.sc-cdn.net",
            "aws.duplex.snapchat.com",
            "www.snapchat.com/embed/{id}",
            "sc-static.net/scevent.min.js",
            "aws.api.snapchat.com",
        ),
    )
}

_NOUNS = (
    "feed",
    "home",
    "stream",
    "items",
    "timeline",
    "story",
    "search",
    "comments",
    "profile",
    "thread",
    "list",
)
_DOTS = ("count", "badge", "status", "updates", "sync", "state", "inbox", "seen")


def site_of(host: str) -> str:
    """Last two labels, three under co.uk."""
    labels = host.split(".")
    return ".".join(labels[-3:] if labels[-2:] == ["co", "uk"] else labels[-2:])


@dataclass
class Wire:
    """What one client of one person puts on the wire. All chances are drawn once for a client."""

    rng: random.Random
    user: str
    app: bool = False
    events: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = self.rng
        self.metadata = not self.app and rng.random() < 0.8
        self.policy = (
            rng.choice(("default", "default", "default", "none", "full"))
            if self.metadata
            else "default"
        )
        self.style = rng.choice(("rest", "single", "query", "rpc"))
        self.noun = rng.choice(_NOUNS)
        self.version = rng.randint(1, 9)
        self.rate = rng.lognormvariate(15, 1)

    def token(self, length: int = 12) -> str:
        """A made-up identifier."""
        return "".join(self.rng.choices("abcdefghijkmnpqrstuvwxyz0123456789_-", k=length))

    def api(self, at: Hosts, noun: str | None = None) -> tuple[str, str]:
        """Method and address of a first-party call in this client's style."""
        host, noun = (at.app if self.app else at.api), noun or self.noun
        match self.style:
            case "single":
                return "POST", f"https://{host}/graphql"
            case "query":
                query = f"cursor={self.token()}&n={self.rng.randint(5, 30)}"
                return "GET", f"https://{host}/api/v{self.version}/{noun}?{query}"
            case "rpc":
                return "POST", f"https://{host}/rpc/{noun.title()}Service/Get"
        return (
            "GET",
            f"https://{host}/api/{noun}/{self.rng.randrange(10**8)}/page/{self.rng.randint(1, 9)}",
        )

    def poll(self, at: Hosts) -> tuple[str, str]:
        """A polling address: an innocent one, or the very one that scrolling uses."""
        if self.style in ("single", "query") and self.version % 2:
            return self.api(at)
        word = _DOTS[self.version % len(_DOTS)]
        return "GET", f"https://{at.api}/v{self.version}/{word}?t={self.rng.randrange(10**9)}"

    def request(
        self,
        when: float,
        method: str,
        url: str,
        dest: str,
        page: str | None,
        size: float,
        **other: Any,
    ) -> None:
        """One request. `page` is the host (and path) of the document behind it; None for none."""
        self.events.append(
            {
                "at": when,
                "user": self.user,
                "method": method,
                "url": url,
                "headers": {**self._headers(method, url, dest, page), **other.pop("headers", {})},
                "status": other.pop("status", 200),
                "content_type": other.pop("content_type", "application/json"),
                "bytes": round(max(0.0, size)),
                "duration": other.pop(
                    "duration", self.rng.gammavariate(2, 0.05) + size / self.rate
                ),
                **other,
            }
        )

    def message(self, when: float, host: str, client: bool, size: float) -> None:
        """One WebSocket message."""
        self.events.append(
            {
                "at": when,
                "user": self.user,
                "kind": "websocket",
                "url": f"wss://{host}/socket?v={self.version}",
                "direction": "client" if client else "server",
                "bytes": max(1, round(size)),
            }
        )

    def _headers(self, method: str, url: str, dest: str, page: str | None) -> dict[str, str]:
        if self.app:
            return {"accept": "application/json"} if self.version % 3 else {}
        host = url.split("/", 3)[2]
        from_host = (page or "").split("/")[0]
        headers = {
            "accept": "text/html"
            if dest in ("document", "iframe")
            else "image/*"
            if dest == "image"
            else "*/*"
        }
        if page and self.policy != "none":
            full = self.policy == "full" or from_host == host
            headers["referer"] = (
                f"https://{page}" if full and "/" in page else f"https://{from_host}/"
            )
        if page and (method == "POST" or (dest == "empty" and from_host != host)):
            headers["origin"] = f"https://{from_host}"
        if self.metadata:
            headers["sec-fetch-dest"] = dest
            headers["sec-fetch-mode"] = {
                "document": "navigate",
                "iframe": "navigate",
                "empty": "cors",
            }.get(dest, "no-cors")
            related = (
                "same-origin"
                if host == from_host
                else "same-site"
                if site_of(host) == site_of(from_host)
                else "cross-site"
            )
            headers["sec-fetch-site"] = related if page else "none"
        return headers
