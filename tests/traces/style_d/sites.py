"""What sites are made of: pages, calls, pictures, beacons and the timers that they really have."""

from __future__ import annotations

from dataclasses import dataclass

from tests.traces.style_d.wire import SCRIPT, Call, picture


@dataclass(frozen=True, slots=True)
class Timer:
    """A machine's rhythm. `shape`: "exact" (setInterval), "chain" (setTimeout after the answer, so
    it drifts), "uniform" (up to `jitter` of `every` is added), "backoff" (1.5 times longer while
    nothing is new). `hidden`: seconds between two while the tab is hidden, 0 = it stops. `news`:
    chance that an answer is full, which then has `full` bytes and `brings` so many `pictures`."""

    call: Call
    every: float
    shape: str = "exact"
    jitter: float = 0.0
    hidden: float = 0.0
    news: float = 0.0
    full: tuple[int, int] = (0, 0)
    brings: tuple[int, int] = (0, 0)
    pictures: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """A place with a feed. `posts`: posts that one call brings; `pictured`: chance that a post has
    pictures; `spa`: an item opens without a new document; `refreshes`: asks for its feed at once
    when the tab is looked at again."""

    platform: str
    home: str
    item: str
    feed: Call
    detail: Call
    act: Call
    pictures: tuple[Call, ...]
    assets: tuple[Call, ...]
    beacon: Call
    timers: tuple[Timer, ...]
    alias: str = ""
    spa: bool = True
    posts: int = 10
    pictured: float = 0.7
    refreshes: float = 0.4
    clip: Call | None = None


def script(url: str) -> Call:
    """A bundle that caches keep."""
    return Call(url, 30_000, 700_000, SCRIPT)


def graphql(url: str, operation: str, low: int, high: int) -> Call:
    """A query that only a header names."""
    return Call(url, low, high, method="POST", operation=operation)


_X = "https://x.com/i/api"
_FB = "https://www.facebook.com/api/graphql/"
_IG = "https://www.instagram.com/graphql/query"
_LI = "https://www.linkedin.com/voyager/api"
_BSKY = "https://morel.us-east.host.bsky.network/xrpc"

X = Site(
    "x",
    "https://x.com/home",
    "https://x.com/{w}/status/{n}",
    feed=Call(f"{_X}/graphql/Hc8BkQ3lkHq3/HomeTimeline?variables={{h}}", 40_000, 160_000),
    detail=Call(f"{_X}/graphql/nBS-WpgA6ZG0/TweetDetail?variables={{h}}", 20_000, 110_000),
    act=Call(f"{_X}/graphql/lI07N6Otwv1P/FavoriteTweet", 60, 90, method="POST"),
    pictures=(
        picture("https://pbs.twimg.com/media/{s}?format=jpg&name=small", 15_000, 120_000),
        picture("https://pbs.twimg.com/profile_images/{n}/{s}_normal.jpg", 1_200, 3_500),
    ),
    assets=(
        script("https://abs.twimg.com/responsive-web/client-web/main.js"),
        script("https://abs.twimg.com/responsive-web/client-web/vendor.js"),
    ),
    beacon=Call("https://x.com/i/api/1.1/jot/client_event.json", method="POST"),
    timers=(
        Timer(Call(f"{_X}/2/badge_count/badge_count.json", 90, 160), 30, hidden=60),
        Timer(Call(f"{_X}/1.1/dm/user_updates.json?cursor={{s}}", 250, 900), 30, "chain"),
    ),
    alias="https://twitter.com/home",
    refreshes=0.5,
    clip=Call("https://video.twimg.com/ext_tw_video/{n}/seg.m4s", 150_000, 900_000, "video/mp4"),
)
FACEBOOK = Site(
    "facebook",
    "https://www.facebook.com/",
    "https://www.facebook.com/{w}/posts/{n}",
    feed=graphql(_FB, "CometNewsFeedPaginationQuery", 60_000, 400_000),
    detail=graphql(_FB, "CometSinglePostDialogContentQuery", 20_000, 150_000),
    act=graphql(_FB, "CometUFIFeedbackReactMutation", 600, 2_500),
    pictures=(
        picture("https://scontent-fra3-1.xx.fbcdn.net/v/t39.30808-6/{n}_n.jpg?oh={h}"),
        picture("https://scontent-fra5-2.xx.fbcdn.net/v/t1.6435-1/{n}_n.jpg?oh={h}", 1_500, 6_000),
    ),
    assets=(
        script("https://static.xx.fbcdn.net/rsrc.php/v3/y1/r/a.js"),
        script("https://static.xx.fbcdn.net/rsrc.php/v3/y2/r/b.js"),
    ),
    beacon=Call("https://www.facebook.com/ajax/bnzai?__a=1", method="POST"),
    timers=(
        Timer(graphql(_FB, "CometNotificationsBadgeCountQuery", 400, 1_200), 60, hidden=120),
        Timer(Call("https://www.facebook.com/ajax/qm/?__a=1", 0, 60, method="POST"), 45, "chain"),
    ),
    alias="https://m.facebook.com/",
    posts=4,
    clip=Call(
        "https://video-fra3-1.xx.fbcdn.net/o1/v/t2/f2/{n}.mp4?bytestart=0&byteend=9",
        200_000,
        900_000,
        "video/mp4",
    ),
)
INSTAGRAM = Site(
    "instagram",
    "https://www.instagram.com/",
    "https://www.instagram.com/p/{s}/",
    feed=graphql(_IG, "PolarisFeedTimelineRootV2Query", 50_000, 250_000),
    detail=graphql(_IG, "PolarisPostRootQuery", 10_000, 80_000),
    act=graphql(_IG, "usePolarisLikeMediaLikeMutation", 100, 400),
    pictures=(
        picture(
            "https://scontent-fra3-2.cdninstagram.com/v/t51.29350-15/{n}_n.jpg", 40_000, 250_000
        ),
        picture("https://scontent-fra5-1.cdninstagram.com/v/t51.2885-19/{n}_n.jpg", 2_000, 9_000),
    ),
    assets=(script("https://static.cdninstagram.com/rsrc.php/v4/yA/r/c.js"),),
    beacon=Call("https://www.instagram.com/ajax/bz?__d=dis", method="POST"),
    timers=(
        Timer(graphql(_IG, "PolarisBadgeQuery", 200, 700), 60, "chain"),
        Timer(Call("https://www.instagram.com/api/v1/direct_v2/get_presence/", 300, 900), 90),
    ),
    posts=6,
    pictured=0.97,
    clip=Call(
        "https://scontent-fra3-2.cdninstagram.com/o1/v/t16/{h}.mp4", 300_000, 900_000, "video/mp4"
    ),
)
REDDIT = Site(
    "reddit",
    "https://www.reddit.com/",
    "https://www.reddit.com/r/{w}/comments/{s}/",
    feed=Call(
        "https://www.reddit.com/svc/shreddit/feeds/home-feed?after={s}",
        30_000,
        140_000,
        "text/vnd.reddit.partial+html",
    ),
    detail=Call(
        "https://www.reddit.com/svc/shreddit/comments/r/{w}/t3_{s}",
        15_000,
        120_000,
        "text/vnd.reddit.partial+html",
    ),
    act=Call("https://www.reddit.com/svc/shreddit/graphql", 150, 400, method="POST"),
    pictures=(
        picture("https://preview.redd.it/{s}.jpg?width=640&auto=webp&s={h}", 20_000, 160_000),
        picture("https://styles.redditmedia.com/t5_{w}/styles/communityIcon_{s}.png", 2_000, 8_000),
    ),
    assets=(script("https://www.redditstatic.com/shreddit/en-US/shell.js"),),
    beacon=Call("https://www.reddit.com/svc/shreddit/events", method="POST"),
    timers=(
        Timer(Call("https://www.reddit.com/svc/shreddit/perfMetrics", 0, 0, method="POST"), 60),
        Timer(Call("https://alb.reddit.com/i.gif?z={h}", 42, 42, "image/gif"), 75, "uniform", 0.8),
    ),
    spa=False,
    posts=12,
    pictured=0.5,
    refreshes=0.1,
)
LINKEDIN = Site(
    "linkedin",
    "https://www.linkedin.com/feed/",
    "https://www.linkedin.com/feed/update/urn:li:activity:{n}/",
    feed=Call(
        f"{_LI}/graphql?queryId=voyagerFeedDashMainFeed.923020905727c01516495a0ac90bb475",
        50_000,
        300_000,
    ),
    detail=Call(
        f"{_LI}/graphql?queryId=voyagerSocialDashComments.95ed44bc87596acce7c460c70934d0ff",
        5_000,
        60_000,
    ),
    act=Call(f"{_LI}/voyagerSocialDashReactions?threadUrn={{n}}", 0, 80, method="POST"),
    pictures=(
        picture("https://media.licdn.com/dms/image/v2/{s}/feedshare-shrink_800/0/{n}"),
        picture(
            "https://media.licdn.com/dms/image/v2/{s}/profile-displayphoto-shrink_100_100/0/{n}",
            2_000,
            5_000,
        ),
    ),
    assets=(script("https://static.licdn.com/aero-v1/sc/h/{w}app"),),
    beacon=Call("https://www.linkedin.com/li/track", method="POST"),
    timers=(
        Timer(
            Call(f"{_LI}/graphql?queryId=voyagerNotificationsDashBadge.b06f", 200, 600),
            60,
            hidden=300,
        ),
        Timer(
            Call(
                "https://www.linkedin.com/sensorCollect/?action=reportMetrics", 0, 0, method="POST"
            ),
            30,
            "chain",
        ),
    ),
    posts=8,
)
PINTEREST = Site(
    "pinterest",
    "https://www.pinterest.com/",
    "https://www.pinterest.com/pin/{n}/",
    feed=Call(
        "https://www.pinterest.com/resource/UserHomefeedResource/get/?data={h}", 60_000, 250_000
    ),
    detail=Call("https://www.pinterest.com/resource/PinResource/get/?data={h}", 20_000, 70_000),
    act=Call(
        "https://www.pinterest.com/resource/RepinResource/create/", 1_000, 4_000, method="POST"
    ),
    pictures=(picture("https://i.pinimg.com/236x/{h}.jpg", 8_000, 40_000),),
    assets=(script("https://s.pinimg.com/webapp/app-www-main.js"),),
    beacon=Call("https://www.pinterest.com/_/_/report/?t={w}", method="POST"),
    timers=(
        Timer(Call("https://www.pinterest.com/resource/NewsHubBadgeResource/get/", 300, 900), 60),
    ),
    posts=25,
    pictured=1.0,
    refreshes=0.1,
)
MASTODON = Site(
    "mastodon",
    "https://mastodon.social/home",
    "https://mastodon.social/@{w}/{n}",
    feed=Call("https://mastodon.social/api/v1/timelines/home?max_id={n}", 15_000, 70_000),
    detail=Call("https://mastodon.social/api/v1/statuses/{n}/context", 1_000, 60_000),
    act=Call("https://mastodon.social/api/v1/statuses/{n}/favourite", 2_000, 4_500, method="POST"),
    pictures=(
        picture(
            "https://files.mastodon.social/media_attachments/files/{n}/small/{h}.png",
            15_000,
            180_000,
        ),
        picture("https://files.mastodon.social/accounts/avatars/{n}/static/{h}.png", 4_000, 30_000),
    ),
    assets=(script("https://mastodon.social/packs/js/application.js"),),
    beacon=Call("https://mastodon.social/api/v1/markers", 60, 90, method="POST"),
    timers=(Timer(Call("https://mastodon.social/api/v2/notifications/unread_count", 12, 20), 60),),
    posts=20,
    pictured=0.35,
    refreshes=0.2,
)
BLUESKY = Site(
    "bluesky",
    "https://bsky.app/",
    "https://bsky.app/profile/{w}.bsky.social/post/{s}",
    feed=Call(f"{_BSKY}/app.bsky.feed.getTimeline?cursor={{h}}&limit=30", 30_000, 120_000),
    detail=Call(f"{_BSKY}/app.bsky.feed.getPostThread?uri={{h}}", 4_000, 60_000),
    act=Call(f"{_BSKY}/com.atproto.repo.createRecord", 150, 300, method="POST"),
    pictures=(
        picture("https://cdn.bsky.app/img/feed_thumbnail/plain/did:plc:{h}/{h}", 20_000, 150_000),
        picture("https://cdn.bsky.app/img/avatar_thumbnail/plain/did:plc:{h}/{h}", 2_000, 6_000),
    ),
    assets=(script("https://bsky.app/static/js/main.js"),),
    beacon=Call(f"{_BSKY}/app.bsky.feed.sendInteractions", 2, 2, method="POST"),
    timers=(
        Timer(Call(f"{_BSKY}/app.bsky.notification.getUnreadCount", 11, 14), 30),
        # "Load new posts": asks for one post of the feed that is also scrolled.
        Timer(Call(f"{_BSKY}/app.bsky.feed.getTimeline?limit=1", 1_200, 4_000), 60, hidden=60),
    ),
    posts=20,
    pictured=0.45,
)
SOCIAL = (X, FACEBOOK, INSTAGRAM, REDDIT, LINKEDIN, PINTEREST, MASTODON, BLUESKY)
