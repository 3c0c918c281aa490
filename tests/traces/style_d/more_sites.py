"""Sites of long texts and of films, and services as their phone apps ask for them."""

from __future__ import annotations

from tests.traces.style_d.sites import (
    FACEBOOK,
    INSTAGRAM,
    LINKEDIN,
    MASTODON,
    REDDIT,
    Site,
    Timer,
    X,
    graphql,
    script,
)
from tests.traces.style_d.wire import Call, picture

MEDIUM = Site(
    "medium",
    "https://medium.com/",
    "https://medium.com/{w}/{w}-{h}",
    feed=Call("https://medium.com/_/graphql", 20_000, 90_000, method="POST"),
    detail=Call("https://medium.com/_/graphql", 1_500, 20_000, method="POST"),
    act=Call("https://medium.com/_/graphql", 200, 700, method="POST"),
    pictures=(
        picture(
            "https://miro.medium.com/v2/resize:fit:1400/format:webp/1*{s}.png", 20_000, 200_000
        ),
    ),
    assets=(script("https://cdn-client.medium.com/lite/static/js/main.js"),),
    beacon=Call("https://medium.com/_/batch", method="POST"),
    timers=(Timer(Call("https://medium.com/_/activity-status?_={n}", 100, 300), 300),),
    spa=False,
    pictured=0.6,
)
SUBSTACK = Site(
    "substack",
    "https://substack.com/home",
    "https://substack.com/home/post/p-{n}",
    feed=Call("https://substack.com/api/v1/reader/feed/for-you?cursor={h}", 40_000, 200_000),
    detail=Call("https://substack.com/api/v1/posts/by-id/{n}", 15_000, 90_000),
    act=Call("https://substack.com/api/v1/comment/{n}/reaction", 2, 60, method="POST"),
    pictures=(
        picture(
            "https://substackcdn.com/image/fetch/w_848,c_limit,f_webp/{h}.jpeg", 20_000, 180_000
        ),
    ),
    assets=(script("https://substackcdn.com/bundle/static/js/main.js"),),
    beacon=Call("https://substack.com/api/v1/firehose", method="POST"),
    timers=(Timer(Call("https://substack.com/api/v1/activity/unread", 60, 200), 60, "chain"),),
    pictured=0.6,
)
QUORA = Site(
    "quora",
    "https://www.quora.com/",
    "https://www.quora.com/{w}-{w}-{w}",
    feed=Call(
        "https://www.quora.com/graphql/gql_para_POST?q=MultifeedQuery",
        20_000,
        110_000,
        method="POST",
    ),
    detail=Call(
        "https://www.quora.com/graphql/gql_para_POST?q=QuestionPagedListPaginationQuery",
        15_000,
        90_000,
        method="POST",
    ),
    act=Call("https://www.quora.com/graphql/gql_para_POST?q=VoteMutation", 150, 500, method="POST"),
    pictures=(picture("https://qph.cf2.quoracdn.net/main-qimg-{h}-lq", 10_000, 80_000),),
    assets=(script("https://qsf.cf2.quoracdn.net/-4-ans_frontend-relay-main.webpack"),),
    beacon=Call("https://www.quora.com/ajax/log_errors_3RD_PARTY_POST", method="POST"),
    timers=(
        Timer(
            Call(
                "https://www.quora.com/graphql/gql_para_POST?q=unseenCountQuery",
                100,
                300,
                method="POST",
            ),
            60,
        ),
    ),
    spa=False,
    pictured=0.4,
)
READING = (REDDIT, MEDIUM, SUBSTACK, QUORA, LINKEDIN, FACEBOOK, MASTODON)

YOUTUBE = Site(
    "youtube",
    "https://www.youtube.com/",
    "https://www.youtube.com/watch?v={s}",
    feed=Call(
        "https://www.youtube.com/youtubei/v1/browse?prettyPrint=false",
        60_000,
        400_000,
        method="POST",
    ),
    detail=Call(
        "https://www.youtube.com/youtubei/v1/next?prettyPrint=false", 60_000, 300_000, method="POST"
    ),
    act=Call(
        "https://www.youtube.com/youtubei/v1/like/like?prettyPrint=false", 800, 3_000, method="POST"
    ),
    pictures=(
        picture("https://i.ytimg.com/vi/{s}/hqdefault.jpg", 8_000, 40_000),
        picture("https://yt3.ggpht.com/{s}=s68-c-k-c0x00ffffff-no-rj", 2_000, 5_000),
    ),
    assets=(script("https://www.youtube.com/s/desktop/d5/jsbin/desktop_polymer.js"),),
    beacon=Call("https://www.youtube.com/youtubei/v1/log_event?alt=json", 20, 60, method="POST"),
    timers=(
        Timer(
            Call("https://www.youtube.com/youtubei/v1/log_event?alt=json", 20, 60, method="POST"),
            10,
            "backoff",
            hidden=60,
        ),
        Timer(
            Call(
                "https://www.youtube.com/youtubei/v1/notification/get_unseen_count",
                200,
                500,
                method="POST",
            ),
            300,
        ),
    ),
    alias="https://youtu.be/{s}",
    posts=24,
    pictured=1.0,
    refreshes=0.05,
)
TWITCH = Site(
    "twitch",
    "https://www.twitch.tv/",
    "https://www.twitch.tv/{w}",
    feed=Call("https://gql.twitch.tv/gql", 20_000, 120_000, method="POST"),
    detail=Call("https://gql.twitch.tv/gql", 4_000, 40_000, method="POST"),
    act=Call("https://gql.twitch.tv/gql", 200, 600, method="POST"),
    pictures=(
        picture(
            "https://static-cdn.jtvnw.net/previews-ttv/live_user_{w}-440x248.jpg", 10_000, 35_000
        ),
    ),
    assets=(script("https://assets.twitch.tv/assets/core.js"),),
    beacon=Call("https://spade.twitch.tv/track", method="POST"),
    timers=(
        Timer(Call("https://gql.twitch.tv/gql", 150, 600, method="POST"), 60, "chain", hidden=60),
        Timer(
            Call("https://spade.twitch.tv/track", 0, 0, method="POST", status=204),
            30,
            "uniform",
            0.5,
            60,
        ),
    ),
    posts=20,
    pictured=1.0,
    refreshes=0.05,
)
VIMEO = Site(
    "vimeo",
    "https://vimeo.com/watch",
    "https://vimeo.com/{n}",
    feed=Call("https://api.vimeo.com/channels/staffpicks/videos?page={w}", 20_000, 90_000),
    detail=Call("https://vimeo.com/{n}/comments", 2_000, 30_000),
    act=Call("https://api.vimeo.com/me/likes/{n}", 0, 60, method="PUT"),
    pictures=(picture("https://i.vimeocdn.com/video/{n}-{h}-d_640", 10_000, 60_000),),
    assets=(script("https://f.vimeocdn.com/js/main.js"),),
    beacon=Call("https://fresnel.vimeocdn.com/add/player-stats?session-id={h}", method="POST"),
    timers=(),
    pictured=1.0,
)
TIKTOK = Site(
    "tiktok",
    "https://www.tiktok.com/foryou",
    "https://www.tiktok.com/@{w}/video/{n}",
    feed=Call(
        "https://www.tiktok.com/api/recommend/item_list/?aid=1988&count=6&msToken={h}",
        40_000,
        160_000,
    ),
    detail=Call("https://www.tiktok.com/api/comment/list/?aweme_id={n}&count=20", 8_000, 60_000),
    act=Call("https://www.tiktok.com/api/commit/item/digg/?aweme_id={n}", 80, 200, method="POST"),
    pictures=(
        picture(
            "https://p16-sign-va.tiktokcdn.com/obj/tos-maliva-p-0068/{h}.image", 15_000, 60_000
        ),
        picture(
            "https://p16-sign-va.tiktokcdn.com/tos-maliva-avt-0068/{h}~100x100.webp", 1_500, 4_000
        ),
    ),
    assets=(script("https://sf16-website-login.neutral.ttwstatic.com/obj/tiktok_web/webapp.js"),),
    beacon=Call("https://mcs-va.tiktok.com/v1/list", 10, 40, method="POST"),
    timers=(
        Timer(Call("https://im-api.tiktok.com/v1/im/heartbeat?aid=1988", 60, 200), 30, "chain"),
        Timer(
            Call("https://mcs-va.tiktok.com/v1/list", 10, 40, method="POST"),
            5,
            "backoff",
            hidden=60,
        ),
    ),
    posts=6,
    pictured=1.0,
    clip=Call(
        "https://v16-webapp-prime.tiktok.com/video/tos/maliva/tos-maliva-ve-0068c799-us/{h}/?a=1988",
        700_000,
        3_500_000,
        "video/mp4",
    ),
)
CLIPS = (TIKTOK, INSTAGRAM, FACEBOOK)
FILMS = (YOUTUBE, YOUTUBE, YOUTUBE, VIMEO)


_TIKTOK_APP = "https://api16-normal-c-useast1a.tiktokv.com/aweme/v1"
_TIKTOK_LOG = "https://log16-normal-c-useast1a.tiktokv.com/service/2"


def app(site: Site, hosts: tuple[str, str], feed: Call, timer: Timer) -> Site:
    """The same service as its phone app asks for it."""
    base = f"https://{hosts[0]}"
    return Site(
        site.platform,
        f"{base}/{hosts[1]}/config",
        f"{base}/{hosts[1]}/item/{{n}}",
        feed=feed,
        detail=Call(f"{base}/{hosts[1]}/detail/{{n}}", 4_000, 60_000),
        act=Call(f"{base}/{hosts[1]}/like/{{n}}", 60, 300, method="POST"),
        pictures=site.pictures,
        assets=(),
        beacon=site.beacon,
        timers=(timer,),
        posts=site.posts,
        pictured=site.pictured,
        refreshes=0.8,
        clip=site.clip,
    )


APPS = (
    app(
        TIKTOK,
        ("api16-normal-c-useast1a.tiktokv.com", "aweme/v1"),
        Call(f"{_TIKTOK_APP}/feed/?count=6", 50_000, 200_000),
        Timer(Call(f"{_TIKTOK_LOG}/app_log/", 20, 80, method="POST"), 60, "uniform", 0.3),
    ),
    app(
        INSTAGRAM,
        ("i.instagram.com", "api/v1"),
        Call("https://i.instagram.com/api/v1/feed/timeline/", 60_000, 250_000, method="POST"),
        Timer(
            Call("https://i.instagram.com/api/v1/notifications/badge/", 80, 300),
            60,
            "chain",
            hidden=900,
        ),
    ),
    app(
        X,
        ("api.x.com", "1.1"),
        Call("https://api.x.com/graphql/{s}/HomeTimeline?variables={h}", 40_000, 150_000),
        Timer(Call("https://api.x.com/2/badge_count/badge_count.json", 80, 150), 60, hidden=600),
    ),
    app(
        REDDIT,
        ("gql-fed.reddit.com", "v1"),
        Call("https://gql-fed.reddit.com/", 30_000, 140_000, method="POST"),
        Timer(Call("https://w3-reporting.reddit.com/reports", 0, 0, method="POST"), 90),
    ),
    app(
        FACEBOOK,
        ("b-graph.facebook.com", "app"),
        graphql("https://b-graph.facebook.com/graphql", "NewsFeedQueryDepth3", 50_000, 300_000),
        Timer(
            graphql("https://b-graph.facebook.com/graphql", "FetchBadgeCount", 300, 900),
            60,
            "chain",
            hidden=900,
        ),
    ),
)
