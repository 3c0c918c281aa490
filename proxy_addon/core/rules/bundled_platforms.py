"""The platforms that we ship. Rules need not name them all: which of them to limit is the office's choice."""

from __future__ import annotations

PLATFORMS = frozenset(
    (
        "9gag", "bereal", "bilibili", "bluesky", "clubhouse", "dailymotion", "discord", "douyin",
        "facebook", "flickr", "gab", "imgur", "instagram", "kakaotalk", "kick", "kuaishou", "lemon8",
        "line", "linkedin", "mastodon", "medium", "messenger", "nextdoor", "ok", "pinterest", "quora",
        "reddit", "rumble", "signal", "snapchat", "substack", "telegram", "threads", "tiktok",
        "truthsocial", "tumblr", "twitch", "viber", "vimeo", "vk", "wechat", "weibo", "whatsapp", "x",
        "xiaohongshu", "xing", "youtube", "zalo", "zhihu",
    )
)  # fmt: skip
