"""Style A's picture of the platforms. `{h}` is a hash, `{n}` a number, `{w}` a word, `{k}` kept all
day."""

from __future__ import annotations

from tests.traces.style_a.more_sites import MORE
from tests.traces.style_a.site import Site

_LARGE = (
    Site(
        "facebook",
        "https://www.facebook.com/",
        ("/", "/groups/feed/", "/watch/", "/marketplace/"),
        ("/{w}/posts/pfbid{h}", "/groups/{n}/permalink/{n}/", "/photo/?fbid={n}&set=a.{n}"),
        (
            "POST https://www.facebook.com/api/graphql/",
            "POST https://www.facebook.com/ajax/bulk-route-definitions/",
        ),
        ("https://scontent-lhr8-1.xx.fbcdn.net/v/t39.30808-6/{n}_{n}_n.jpg?_nc_cat=1&oh={h}",),
        (
            "https://static.xx.fbcdn.net/rsrc.php/v4/yA/r/{h}.js",
            "https://static.xx.fbcdn.net/rsrc.php/v4/yB/{h}.css",
        ),
        ("https://video-lhr8-1.xx.fbcdn.net/o1/v/t2/f2/m69/{h}.mp4?bytestart={n}&byteend={n}",),
        ("https://www.facebook.com/ajax/bz?__a=1", "https://www.facebook.com/ajax/bnzai?__a=1"),
        ("https://www.facebook.com/video/unified_cvc/",),
        (
            "POST https://www.facebook.com/api/graphql/",
            "GET https://www.facebook.com/ajax/presence/reconnect.php?r={n}",
        ),
        "wss://edge-chat.facebook.com/chat?region=lla&sid={n}",
        (
            "POST https://www.facebook.com/api/graphql/",
            "GET https://www.facebook.com/ads/rhc/unit/?slot={n}",
        ),
        (
            ("script", "https://connect.facebook.net/en_US/sdk.js"),
            ("image", "https://www.facebook.com/tr/?id={n}&ev=PageView"),
            ("iframe", "https://www.facebook.com/plugins/like.php?href={h}"),
            ("iframe", "https://www.facebook.com/v19.0/plugins/page.php?href={h}"),
        ),
        (
            ("script", "https://static.xx.fbcdn.net/rsrc.php/v4/yC/r/{h}.js"),
            ("image", "https://scontent.xx.fbcdn.net/v/t1.6435-1/{n}_n.jpg"),
        ),
        "https://graph.facebook.com/graphql",
        "https://graph.facebook.com/logging_client_events",
        ("graph.facebook.com", "scontent.xx.fbcdn.net", "edge-mqtt.facebook.com"),
    ),
    Site(
        "instagram",
        "https://www.instagram.com/",
        ("/", "/explore/", "/reels/", "/{w}/"),
        ("/p/{h}/", "/reel/{h}/", "/stories/{w}/{n}/"),
        (
            "POST https://www.instagram.com/graphql/query",
            "GET https://www.instagram.com/api/v1/feed/timeline/?max_id={n}",
        ),
        ("https://scontent-lhr6-2.cdninstagram.com/v/t51.29350-15/{n}_n.jpg?stp=dst-jpg&oh={h}",),
        ("https://static.cdninstagram.com/rsrc.php/v4/yD/r/{h}.js",),
        ("https://scontent-lhr6-1.cdninstagram.com/o1/v/t16/f2/m86/{h}.mp4?bytestart={n}",),
        ("https://www.instagram.com/logging/falco", "https://www.instagram.com/ajax/bz"),
        ("https://www.instagram.com/api/v1/media/seen/",),
        (
            "GET https://www.instagram.com/api/v1/news/inbox_badge/",
            "POST https://www.instagram.com/graphql/query",
        ),
        "wss://edge-chat.instagram.com/chat?sid={n}",
        ("POST https://www.instagram.com/graphql/query",),
        (
            ("script", "https://www.instagram.com/embed.js"),
            ("iframe", "https://www.instagram.com/p/{h}/embed/captioned/"),
            ("image", "https://scontent.cdninstagram.com/v/t51.2885-15/{n}_n.jpg"),
        ),
        (
            ("script", "https://static.cdninstagram.com/rsrc.php/v4/yE/r/{h}.js"),
            ("empty", "https://www.instagram.com/api/v1/oembed/?url={h}"),
        ),
        "https://i.instagram.com/api/v1/feed/timeline/",
        "https://i.instagram.com/logging_client_events",
        ("i.instagram.com", "scontent.cdninstagram.com", "edge-mqtt.instagram.com"),
    ),
    Site(
        "x",
        "https://x.com/",
        ("/home", "/explore", "/notifications", "/{w}"),
        ("/{w}/status/{n}", "/i/lists/{n}"),
        (
            "GET https://x.com/i/api/graphql/{k}/HomeTimeline?variables={h}",
            "GET https://x.com/i/api/graphql/{k}/TweetDetail?variables={h}",
        ),
        (
            "https://pbs.twimg.com/media/{h}?format=jpg&name=small",
            "https://pbs.twimg.com/profile_images/{n}/{h}_bigger.jpg",
        ),
        ("https://abs.twimg.com/responsive-web/client-web/bundle.{h}.js",),
        ("https://video.twimg.com/ext_tw_video/{n}/pu/vid/avc1/0/3000/720x1280/{h}.m4s",),
        ("https://x.com/i/api/1.1/jot/client_event.json",),
        ("https://x.com/i/api/1.1/jot/external/media_metrics.json",),
        (
            "GET https://x.com/i/api/2/badge_count/badge_count.json?supports_ntab_urt=1",
            "GET https://x.com/i/api/graphql/{k}/HomeTimeline?variables={h}",
            "GET https://x.com/i/api/2/notifications/all.json?cursor={h}",
        ),
        "wss://chat-ws.x.com/ws?token={h}",
        (
            "GET https://x.com/i/api/graphql/{k}/HomeTimeline?variables={h}",
            "GET https://x.com/i/api/1.1/promoted_content/slot.json?s={n}",
        ),
        (
            ("script", "https://platform.twitter.com/widgets.js"),
            ("iframe", "https://platform.twitter.com/embed/Tweet.html?id={n}"),
            ("empty", "https://cdn.syndication.twimg.com/tweet-result?id={n}"),
            ("image", "https://t.co/i/adsct?txn_id={h}"),
        ),
        (
            ("script", "https://platform.twitter.com/embed/embed.runtime.{h}.js"),
            ("image", "https://pbs.twimg.com/media/{h}?format=jpg&name=small"),
        ),
        "https://api.x.com/graphql/{k}/HomeTimeline",
        "https://api.x.com/1.1/jot/ces/p2",
        ("api.x.com", "pbs.twimg.com", "video.twimg.com"),
    ),
    Site(
        "linkedin",
        "https://www.linkedin.com/",
        ("/feed/", "/mynetwork/", "/notifications/", "/company/{w}/"),
        ("/feed/update/urn:li:activity:{n}/", "/in/{w}-{n}/", "/pulse/{w}-{w}-{h}/"),
        (
            "GET https://www.linkedin.com/voyager/api/graphql?variables=(start:{n},count:10)&queryId=voyagerFeedDashMainFeed.{h}",
            "GET https://www.linkedin.com/voyager/api/feed/updatesV2?count=10&start={n}",
        ),
        ("https://media.licdn.com/dms/image/v2/{h}/feedshare-shrink_800/0/{n}?e={n}&t={h}",),
        ("https://static.licdn.com/aero-v1/sc/h/{h}", "https://static.licdn.com/sc/h/{h}.js"),
        ("https://dms.licdn.com/playlist/vid/v2/{h}/mp4-720p-30fp/{n}.mp4",),
        (
            "https://www.linkedin.com/li/track",
            "https://www.linkedin.com/sensorCollect/?action=reportMetrics",
        ),
        ("https://www.linkedin.com/voyager/api/mediaPlayer/heartbeat",),
        (
            "POST https://www.linkedin.com/realtime/realtimeFrontendClientConnectivityTracking?action=sendHeartbeat",
            "GET https://www.linkedin.com/voyager/api/voyagerNotificationsDashBadgingItemCounts?q=counts",
            "GET https://www.linkedin.com/voyager/api/graphql?variables=(start:{n},count:10)&queryId=voyagerFeedDashMainFeed.{h}",
        ),
        "wss://www.linkedin.com/realtime/ws?rc=1",
        (
            "GET https://www.linkedin.com/voyager/api/adsRightRail?slot={n}",
            "GET https://www.linkedin.com/voyager/api/graphql?queryId=sponsored.{h}",
        ),
        (
            ("script", "https://platform.linkedin.com/in.js"),
            ("script", "https://snap.licdn.com/li.lms-analytics/insight.min.js"),
            ("image", "https://px.ads.linkedin.com/collect/?v=2&fmt=js&pid={n}"),
            ("iframe", "https://www.linkedin.com/embed/feed/update/urn:li:share:{n}"),
        ),
        (
            ("style", "https://static.licdn.com/sc/h/{h}.css"),
            ("image", "https://media.licdn.com/dms/image/v2/{h}/embed/0/{n}"),
        ),
        "https://www.linkedin.com/voyager/api/feed/dash/feedUpdates",
        "https://www.linkedin.com/li/track",
        ("www.linkedin.com", "media.licdn.com", "realtime.www.linkedin.com"),
    ),
    Site(
        "youtube",
        "https://www.youtube.com/",
        ("/", "/feed/subscriptions", "/@{w}/videos"),
        ("/watch?v={h}", "/shorts/{h}"),
        (
            "POST https://www.youtube.com/youtubei/v1/browse?prettyPrint=false",
            "POST https://www.youtube.com/youtubei/v1/next?prettyPrint=false",
        ),
        (
            "https://i.ytimg.com/vi/{h}/hq720.jpg?sqp={h}",
            "https://yt3.ggpht.com/{h}=s68-c-k-c0x00ffffff-no-rj",
        ),
        (
            "https://www.youtube.com/s/player/{h}/player_ias.vflset/en_GB/base.js",
            "https://www.youtube.com/s/desktop/{h}/jsbin/m.js",
        ),
        ("https://rr3---sn-aigl6nek.googlevideo.com/videoplayback?expire={n}&id={h}&range={n}",),
        (
            "https://www.youtube.com/youtubei/v1/log_event?alt=json",
            "https://www.youtube.com/api/stats/qoe?cpn={h}",
        ),
        (
            "https://www.youtube.com/api/stats/watchtime?cpn={h}",
            "https://www.youtube.com/api/stats/delayplay?cpn={h}",
        ),
        (
            "POST https://www.youtube.com/youtubei/v1/notification/get_unseen_count?prettyPrint=false",
            "POST https://www.youtube.com/youtubei/v1/browse?prettyPrint=false",
            "POST https://www.youtube.com/youtubei/v1/updated_metadata?prettyPrint=false",
        ),
        "wss://signaler-pa.youtube.com/punctual/multi-watch/channel?gsessionid={h}",
        (
            "GET https://www.youtube.com/pagead/adview?ai={h}",
            "POST https://www.youtube.com/youtubei/v1/browse?prettyPrint=false",
        ),
        (
            ("script", "https://www.youtube.com/iframe_api"),
            ("iframe", "https://www.youtube.com/embed/{h}?rel=0"),
            ("iframe", "https://www.youtube-nocookie.com/embed/{h}"),
            ("image", "https://i.ytimg.com/vi/{h}/hqdefault.jpg"),
        ),
        (
            (
                "script",
                "https://www.youtube.com/s/player/{h}/www-embed-player.vflset/www-embed-player.js",
            ),
            ("image", "https://i.ytimg.com/vi_webp/{h}/sddefault.webp"),
            ("film", "https://rr1---sn-aigl6nek.googlevideo.com/videoplayback?expire={n}&id={h}"),
            ("empty", "https://www.youtube.com/youtubei/v1/log_event?alt=json"),
        ),
        "https://youtubei.googleapis.com/youtubei/v1/browse",
        "https://youtubei.googleapis.com/youtubei/v1/log_event",
        ("youtubei.googleapis.com", "rr5---sn-aigzrnsz.googlevideo.com", "i.ytimg.com"),
    ),
    Site(
        "tiktok",
        "https://www.tiktok.com/",
        ("/foryou", "/following", "/@{w}"),
        ("/@{w}/video/{n}", "/tag/{w}"),
        (
            "GET https://www.tiktok.com/api/recommend/item_list/?aid=1988&cursor={n}",
            "GET https://www.tiktok.com/api/comment/list/?aweme_id={n}&cursor={n}",
        ),
        (
            "https://p16-sign-va.tiktokcdn.com/obj/tos-maliva-p-0068/{h}~tplv-photomode-zoomcover.jpeg",
        ),
        ("https://lf16-tiktok-web.tiktokcdn-us.com/obj/tiktok-web-tx/webapp/{h}.js",),
        ("https://v16-webapp-prime.tiktok.com/video/tos/useast2a/{h}/?a=1988&br={n}",),
        (
            "https://mcs-va.tiktokv.com/v1/list",
            "https://mon-va.tiktokv.com/monitor_browser/collect/batch/",
        ),
        ("https://www.tiktok.com/api/video/heartbeat/?item={n}",),
        (
            "GET https://www.tiktok.com/api/inbox/notice_count/?aid=1988",
            "GET https://www.tiktok.com/api/recommend/item_list/?aid=1988&cursor={n}",
        ),
        "wss://im-ws.tiktok.com/ws/v2?aid=1988",
        ("GET https://www.tiktok.com/api/ad/slot/?s={n}",),
        (
            ("script", "https://www.tiktok.com/embed.js"),
            ("iframe", "https://www.tiktok.com/embed/v2/{n}"),
            ("script", "https://analytics.tiktok.com/i18n/pixel/events.js?sdkid={h}"),
        ),
        (
            ("script", "https://lf16-tiktok-web.tiktokcdn-us.com/obj/tiktok-web-tx/embed/{h}.js"),
            ("film", "https://v16-webapp-prime.tiktok.com/video/tos/{h}/"),
        ),
        "https://api16-normal-c-useast1a.tiktokv.com/aweme/v1/feed/",
        "https://log16-normal-useast5.tiktokv.com/service/2/app_log/",
        ("api-eu.tiktokv.com", "v16m.tiktokcdn.com", "api16-normal-c-useast1a.tiktokv.com"),
    ),
)

SITES = {site.name: site for site in (*_LARGE, *MORE)}
