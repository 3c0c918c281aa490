"""Style C, the wire: a site's addresses, and requests as a browser or an app sends them."""

from __future__ import annotations

import random
import string
from dataclasses import dataclass
from typing import Any

type Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Net:
    """Addresses of one platform. `api` paths that end in `*` get an identifier each time."""

    name: str
    web: str
    home: str
    story: str
    api: tuple[str, ...]
    act: tuple[str, ...]
    poll: tuple[str, ...]
    known: tuple[str, ...]
    image: str
    film: str
    embed: str


NETS = (
    Net(
        "facebook",
        "www.facebook.com",
        "/",
        "/groups/*/posts/*",
        ("/api/graphql/",),
        ("/api/graphql/",),
        ("/api/graphql/", "/ajax/route-definition/", "/messaging/unread/"),
        ("/ajax/bz",),
        "scontent-lhr8-1.xx.fbcdn.net",
        "video-lhr8-1.xx.fbcdn.net",
        "www.facebook.com/plugins/post.php",
    ),
    Net(
        "instagram",
        "www.instagram.com",
        "/",
        "/p/*/",
        ("/graphql/query", "/api/v1/feed/timeline/"),
        ("/api/v1/web/likes/*/like/", "/api/v1/media/*/comments/"),
        ("/api/v1/news/inbox/", "/graphql/query", "/api/v1/feed/reels_tray/"),
        ("/logging/falco",),
        "scontent.cdninstagram.com",
        "scontent.cdninstagram.com",
        "www.instagram.com/p/Cx1/embed/",
    ),
    Net(
        "x",
        "x.com",
        "/home",
        "/someone/status/*",
        ("/i/api/graphql/Kq2/HomeTimeline",),
        ("/i/api/graphql/Ta7/FavoriteTweet", "/i/api/graphql/b3/TweetDetail"),
        (
            "/i/api/graphql/Kq2/HomeTimeline",
            "/i/api/1.1/dm/user_updates.json",
            "/i/api/2/guide.json",
        ),
        ("/i/api/1.1/jot/client_event.json",),
        "pbs.twimg.com",
        "video.twimg.com",
        "platform.twitter.com/embed/Tweet.html",
    ),
    Net(
        "linkedin",
        "www.linkedin.com",
        "/feed/",
        "/feed/update/*/",
        ("/voyager/api/graphql",),
        ("/voyager/api/graphql", "/voyager/api/reactions"),
        ("/voyager/api/graphql", "/voyager/api/relationships/invitationsSummary"),
        ("/li/track",),
        "media.licdn.com",
        "dms.licdn.com",
        "www.linkedin.com/embed/feed/update/urn:1",
    ),
    Net(
        "reddit",
        "www.reddit.com",
        "/",
        "/r/thing/comments/*/",
        ("/svc/shreddit/feeds/home-feed",),
        ("/svc/shreddit/more-comments/*", "/svc/shreddit/vote"),
        ("/svc/shreddit/notification-count", "/svc/shreddit/feeds/home-feed"),
        ("/svc/shreddit/events",),
        "preview.redd.it",
        "v.redd.it",
        "embed.reddit.com/r/x/comments/1",
    ),
    Net(
        "pinterest",
        "www.pinterest.com",
        "/",
        "/pin/*/",
        ("/resource/UserHomefeedResource/get/",),
        ("/resource/PinResource/get/",),
        ("/resource/NewsHubBadgeResource/get/", "/resource/UserHomefeedResource/get/"),
        (),
        "i.pinimg.com",
        "v1.pinimg.com",
        "assets.pinterest.com/ext/embed.html",
    ),
    Net(
        "youtube",
        "www.youtube.com",
        "/",
        "/watch",
        ("/youtubei/v1/browse",),
        ("/youtubei/v1/next", "/youtubei/v1/like/like"),
        ("/youtubei/v1/browse", "/youtubei/v1/updated_metadata"),
        ("/youtubei/v1/log_event",),
        "i.ytimg.com",
        "rr4---sn-aigl6n.googlevideo.com",
        "www.youtube.com/embed/abc",
    ),
)

AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36"


class Wire:
    """What one device of one person sends; `headers` False for apps that send no fetch metadata."""

    def __init__(self, rng: random.Random, user: str, *, headers: bool = True) -> None:
        self.rng = rng
        self.user = user
        self.headers = headers
        self.events: list[Event] = []

    def word(self, size: int = 11) -> str:
        """An identifier."""
        return "".join(self.rng.choices(string.ascii_letters + string.digits, k=size))

    def fill(self, path: str) -> str:
        """A path with its identifiers drawn."""
        while "*" in path:
            path = path.replace("*", self.word(self.rng.randint(8, 19)), 1)
        return path

    def send(
        self,
        at: float,
        url: str,
        kind: str,
        size: float,
        *,
        page: str = "",
        method: str = "GET",
        site: str = "same-origin",
        dest: str = "empty",
        mode: str = "cors",
        took: float = 0.0,
        status: int = 200,
        **more: str,
    ) -> None:
        """One request; `page` is the Referer without its scheme."""
        headers = {"user-agent": AGENT if self.headers else "App/381.0 (Android 15)"}
        if self.headers:
            headers |= {"sec-fetch-dest": dest, "sec-fetch-mode": mode, "sec-fetch-site": site}
            if page:
                headers["referer"] = f"https://{page}"
            headers |= {name.replace("_", "-"): value for name, value in more.items()}
        self.events.append(
            {
                "at": at,
                "user": self.user,
                "method": method,
                "url": f"https://{url}",
                "headers": headers,
                "status": status,
                "content_type": kind,
                "bytes": int(max(0.0, size)),
                "duration": took or self.rng.lognormvariate(-1.9, 0.7),
            }
        )

    def open(
        self, at: float, net: Net, path: str, *, gesture: bool = True, site: str = "none"
    ) -> None:
        """A page with its parts."""
        user = {"sec_fetch_user": "?1"} if gesture else {}
        r = self.rng
        self.send(
            at,
            net.web + path,
            "text/html; charset=utf-8",
            r.lognormvariate(11.3, 0.5),
            dest="document",
            mode="navigate",
            site=site,
            took=r.uniform(0.2, 0.9),
            **user,
        )
        for _ in range(r.randint(2, 14)):
            self.send(
                at + r.uniform(0.3, 2.2),
                f"{net.web}/static/{self.word(20)}.js",
                "text/javascript",
                r.lognormvariate(10.5, 1),
                page=net.web + path,
                dest="script",
                mode="no-cors",
            )
        self.images(at + r.uniform(0.8, 2.5), net, r.randint(3, 18), 3.0)
        for _ in range(r.randint(1, 4)):
            self.call(at + r.uniform(0.7, 3.0), net, r.choice(net.api), 20_000)

    def call(self, at: float, net: Net, path: str, size: float, *, method: str = "") -> None:
        """A script asks the platform's own interface."""
        self.send(
            at,
            f"{net.web}{self.fill(path)}?{self.word(5)}={self.word()}",
            "application/json",
            size * self.rng.lognormvariate(0, 0.3),
            page=net.web + net.home,
            method=method or self.rng.choice(("GET", "POST")),
        )

    def images(self, at: float, net: Net, count: int, over: float = 1.2) -> None:
        """New pictures from the platform's CDN."""
        for _ in range(count):
            self.send(
                at + self.rng.uniform(0, over),
                f"{net.image}/v/{self.word(26)}.jpg",
                "image/jpeg",
                self.rng.lognormvariate(10.2, 0.9),
                page=net.web + "/",
                dest="image",
                mode="no-cors",
                site="cross-site",
            )

    def segment(self, at: float, net: Net, seconds: float, rate: float, took: float) -> None:
        """A piece of film that plays for `seconds` at `rate` bytes a second."""
        self.send(
            at,
            f"{net.film}/seg/{self.word(18)}/videoplayback",
            "video/mp4",
            seconds * rate,
            page=net.web + "/",
            site="cross-site",
            dest="empty",
            took=took,
        )

    def socket(self, at: float, host: str, direction: str, size: int) -> None:
        """One WebSocket message."""
        self.events.append(
            {
                "at": at,
                "user": self.user,
                "kind": "websocket",
                "url": f"wss://{host}/ws",
                "direction": direction,
                "bytes": size,
            }
        )

    def tunnel(self, at: float, host: str, seconds: float, up: float, down: float) -> None:
        """A connection that stays closed to us."""
        self.events.append(
            {
                "at": at,
                "user": self.user,
                "kind": "tunnel",
                "host": host,
                "duration": seconds,
                "bytes_up": int(up),
                "bytes_down": int(down),
            }
        )
