"""Types that a format does not tell."""

from __future__ import annotations

import pytest

from proxy_addon.trace.content_types import guessed


@pytest.mark.parametrize(
    ("host", "path", "kind"),
    [
        ("www.facebook.com", "/some.person", "text/html"),
        ("x.com", "/home", "text/html"),
        ("www.youtube.com", "/watch", "text/html"),
        ("www.facebook.com", "/story.php", "text/html"),
        ("t.co", "/abc", "text/html"),
        ("scontent-lhr8-1.xx.fbcdn.net", "/v/t39/1_n.jpg", "image/jpeg"),
        ("static.xx.fbcdn.net", "/rsrc.php/v3/a.js", "text/javascript"),
        ("video.twimg.com", "/a/b.M4S", "video/mp4"),
        ("scontent-lhr8-1.xx.fbcdn.net", "/v/12", ""),
        ("pbs.twimg.com", "/media/abc", ""),
        ("graph.facebook.com", "/me", ""),
        ("api.x.com", "/home", ""),
        ("x.com", "/i/api/graphql/abc/HomeTimeline", ""),
        ("www.facebook.com", "/api/graphql/", ""),
        ("www.linkedin.com", "/voyager/api/feed", ""),
        ("www.youtube.com", "/youtubei/v1/next", ""),
        ("www.youtube.com", "/file.zip", ""),
    ],
)
def test_paths(host: str, path: str, kind: str) -> None:
    """By the ending, else a page where neither host nor path is for programs."""
    assert guessed("GET", 200, host, path) == kind


def test_what_was_not_shown_is_no_page() -> None:
    """A POST, or an answer that failed or led elsewhere."""
    assert guessed("POST", 200, "x.com", "/home") == ""
    assert guessed("GET", 302, "x.com", "/home") == ""
    assert guessed("GET", 404, "x.com", "/home") == ""
    assert guessed("GET", 304, "x.com", "/home") == "text/html"
