"""What an answer most likely was, where the format of a log has no column for its type.

The path says it: its ending where it has one. Without an ending a GET that succeeded is a page,
unless host or path are those of an interface for programs or of a store of files.
"""

from __future__ import annotations

import re

_ENDINGS = {
    "js": "text/javascript",
    "mjs": "text/javascript",
    "css": "text/css",
    "json": "application/json",
    "xml": "application/xml",
    "txt": "text/plain",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "svg": "image/svg+xml",
    "webp": "image/webp",
    "avif": "image/avif",
    "ico": "image/x-icon",
    "woff": "font/woff",
    "woff2": "font/woff2",
    "ttf": "font/ttf",
    "mp4": "video/mp4",
    "m4s": "video/mp4",
    "ts": "video/mp2t",
    "webm": "video/webm",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "aac": "audio/aac",
    "m3u8": "application/vnd.apple.mpegurl",
    "mpd": "application/dash+xml",
}
_PAGES = frozenset({"html", "htm", "xhtml", "php", "asp", "aspx", "jsp", "cgi"})
_ENDING = re.compile(r"\.([a-z0-9]{2,5})$")
_INTERFACE = re.compile(
    r"/(?:api|ajax|graphql|rpc|xhr|rest|async|realtime|socket\.io|youtubei|voyager|_|i/api"
    r"|v\d+(?:\.\d+)?|ajax_\w+|al_\w+\.php|log|logging\w*|stats|track\w*|collect|beacon|ping|pixel"
    r"|heartbeat|sync|poll)(?:/|$)"
)
_STORE = re.compile(
    r"^(?:[\w-]*(?:api|cdn|static|scontent|img|image|media|video|upload|log|edge|graph|chat"
    r"|telemetry|metrics|analytics|pixel|ads?|syndication|gateway|push)[\w-]*|pbs|abs|i\d*|s\d*"
    r"|t|[\w-]*\d+-\d+[\w-]*)\."
)


def guessed(method: str, status: int, host: str, path: str) -> str:
    """A content type, or "" where nothing says what the answer was."""
    lower = path.lower()
    found = _ENDING.search(lower)
    ending = found.group(1) if found else ""
    if ending in _ENDINGS:
        return _ENDINGS[ending]
    shown = method == "GET" and (200 <= status < 300 or status == 304)
    if not shown or _INTERFACE.search(lower):
        return ""
    if ending in _PAGES:
        return "text/html"
    stored = host.count(".") > 1 and _STORE.match(host) is not None
    return "" if ending or stored else "text/html"
