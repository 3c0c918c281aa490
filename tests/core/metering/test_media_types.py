"""Twin of proxy_addon/core/metering/media_types.py: sound and films by type, by name and by what is
left."""

from __future__ import annotations

import pytest

from proxy_addon.core.metering.media_types import (
    LARGE_BODY,
    OPAQUE_MIN_BYTES,
    by_size,
    is_sound,
    is_sound_or_film,
)


@pytest.mark.parametrize(
    ("content_type", "path", "dest", "found"),
    [
        ("video/mp4", "/a", None, True),
        ("audio/mpeg", "/a", "empty", True),
        ("application/vnd.yt-ump", "/videoplayback", "empty", True),
        ("application/vnd.yt-ump", "/anything", "empty", True),
        ("application/mp4", "/a", None, True),
        ("application/octet-stream", "/a/seg-7.m4s", None, True),
        ("application/octet-stream", "/videoplayback?id=1", None, True),
        ("", "/a/seg-7.TS", None, True),
        ("binary/octet-stream", "/a/7.webm?x=.png", None, True),
        ("application/octet-stream", "/a/picture.bin", None, False),
        ("application/vnd.apple.mpegurl", "/list.m3u8", None, False),
        ("application/vnd.api+json", "/a.mp4", None, False),
        ("application/vnd.openxmlformats-officedocument", "/a.mp4", None, False),
        ("image/webp", "/a.mp4", "video", False),
        ("audio/mpegurl", "/list.m3u", None, False),
        ("", "/a", "video", True),
        ("text/vtt", "/a", "video", False),
        ("application/json", "/a.mp4", None, False),
    ],
)
def test_what_says_that_it_is_sound_or_a_film(
    content_type: str, path: str, dest: str | None, found: bool
) -> None:
    """The type, the name of a piece whose type says nothing, or the element that asked."""
    assert is_sound_or_film(content_type, path, dest) is found


@pytest.mark.parametrize(
    ("content_type", "size", "found"),
    [
        ("application/octet-stream", OPAQUE_MIN_BYTES, True),
        ("application/octet-stream", OPAQUE_MIN_BYTES - 1, False),
        ("application/vnd.new-player; v=2", OPAQUE_MIN_BYTES, True),
        ("", OPAQUE_MIN_BYTES, False),
        ("", LARGE_BODY, True),
        ("application/unheard-of", LARGE_BODY, True),
        ("application/unheard-of", LARGE_BODY - 1, False),
        ("application/json; charset=utf-8", LARGE_BODY, False),
        ("application/ld+json", LARGE_BODY, False),
        ("font/woff2", LARGE_BODY, False),
        ("application/wasm", LARGE_BODY, False),
        ("text/html", LARGE_BODY, False),
    ],
)
def test_what_is_large_and_nothing_else(content_type: str, size: int, found: bool) -> None:
    """A type that a player may have tomorrow is known by what its answers weigh."""
    assert by_size(content_type, size) is found


def test_sound_alone() -> None:
    """A film has sound, too, but is not sound alone."""
    assert is_sound("audio/ogg", "empty")
    assert is_sound("", "audio")
    assert not is_sound("video/mp4", "audio")
    assert not is_sound("video/mp4", "video")
