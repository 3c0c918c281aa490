"""Which answers are sound or a film: by their type, by their name, and by what is left.

Players ask for films with scripts, and their answers have types of their own that change over the
years. So a type is looked for in three steps: types that always are sound or a film; types that say
nothing ("some bytes"), with a name of a piece of a film; and whatever else is large and is neither
text, nor a picture, nor a program, a font, a document or an archive.
"""

from __future__ import annotations

from typing import Final

MEDIA_MIN_BYTES: Final = 48_000  # a chime of a chat is sound, but nobody listens to it
PIECE_MIN_BYTES: Final = 8_000  # pieces of sound at a low rate are as small as this
OPAQUE_MIN_BYTES: Final = 200_000  # a body of "some bytes", with a name that says nothing
LARGE_BODY: Final = 1_500_000

_MEDIA: Final = (
    "video/",
    "audio/",
    "application/vnd.yt-ump",
    "application/mp4",
    "application/mp2t",
    "application/x-mpegts",
    "application/vnd.ms-sstr",
    "application/ogg",
)
_LISTS: Final = (
    "audio/mpegurl",
    "audio/x-mpegurl",
    "video/vnd.mpeg.dash.mpd",
)  # they name the pieces of a film
_OPAQUE: Final = (
    "",
    "application/octet-stream",
    "application/x-octet-stream",
    "application/x-protobuf",
    "application/vnd.",
    "binary/",
    "multipart/byteranges",
)
_OTHERS: Final = (
    "text/",
    "image/",
    "font/",
    "application/javascript",
    "application/x-javascript",
    "application/json",
    "application/wasm",
    "application/xml",
    "application/font",
    "application/x-font",
    "application/grpc",
    "application/graphql",
    "application/manifest",
)
_OFFICE: Final = ("application/vnd.openxml", "application/vnd.oasis", "application/vnd.ms-")
_SUFFIXES: Final = ("+json", "+xml")
_NAMES: Final = (
    ".m4s", ".m4v", ".ts", ".mp4", ".webm", ".m4a", ".mp3", ".aac", ".opus", ".cmfv", ".cmfa",
)  # fmt: skip
_DESTS: Final = frozenset({"video", "audio"})


def is_sound_or_film(content_type: str, path: str, dest: str | None) -> bool:
    """Whether the type, the name or the element that asked says so; `content_type` in lower
    case."""
    if content_type.startswith(("image/", *_LISTS)):
        return False
    if dest in _DESTS or content_type.startswith(_MEDIA):
        return not content_type.startswith(("text/", "application/json"))
    if not _says_nothing(content_type):
        return False
    name = path.partition("?")[0].lower()
    return name.endswith(_NAMES) or "videoplayback" in name


def is_sound(content_type: str, dest: str | None) -> bool:
    """Whether it is sound alone, by its type or by the element that asked."""
    return content_type.startswith("audio/") or (dest == "audio" and "video" not in content_type)


def by_size(content_type: str, size: int) -> bool:
    """Whether a body of `size` bytes is taken for a film because it is nothing else that large."""
    if _says_nothing(content_type) and content_type:
        return size >= OPAQUE_MIN_BYTES
    kind = content_type.partition(";")[0].strip()
    return size >= LARGE_BODY and not (kind.startswith(_OTHERS) or kind.endswith(_SUFFIXES))


def _says_nothing(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip()
    if kind.startswith(_OFFICE) or kind.endswith(_SUFFIXES):
        return False
    return not kind or kind.startswith(_OPAQUE[1:])
