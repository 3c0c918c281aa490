"""A film on another site's page runs until the time is up; the button beside it passes."""

from __future__ import annotations

import re

import pytest

from tests.e2e.client import Client, Reply, fresh_address
from tests.e2e.office import CUT_WITHIN, SHORT, SLACK, spend_all
from tests.e2e.process import OfficeProxy

FILM = "https://www.facebook.com/stream?seconds=30&rate=100000&type=video/mp4"
NEWS = {"Referer": "https://news.example/today", "Sec-Fetch-Site": "cross-site"}


def part(client: Client, source: str, path: str, dest: str, *, http2: bool = False) -> Reply:
    """Something of Facebook that a page of news.example loads."""
    headers = NEWS | {"Sec-Fetch-Dest": dest, "Sec-Fetch-Mode": "no-cors"}
    url = f"https://www.facebook.com{path}"
    return client.get(url, source=source, headers=headers, http2=http2)


@pytest.mark.parametrize("http2", [False, True])
def test_a_film_in_an_embed_is_cut_and_the_button_passes(
    running_office: OfficeProxy, client: Client, http2: bool
) -> None:
    """The film is charged and breaks off; afterwards the player is refused with a page that says
    why, and the button and its picture are there."""
    source = fresh_address()
    headers = NEWS | {"Sec-Fetch-Dest": "video", "Sec-Fetch-Mode": "no-cors"}
    film = client.start([FILM], source=source, headers=headers, http2=http2)
    (cut,) = film.finish()
    assert cut.status == 200
    assert cut.exit_code != 0
    assert SHORT - 1.5 < cut.seconds < SHORT + CUT_WITHIN + SLACK
    again = client.get(FILM, source=source, headers=headers)
    assert (again.status, again.reason) == (403, "exhausted")
    player = part(client, source, "/plugins/video.php?href=a", "iframe")
    assert (player.status, player.reason) == (403, "exhausted")
    for path, dest in (("/plugins/like.php?href=a", "iframe"), ("/image/1.png", "image")):
        button = part(client, source, path, dest, http2=http2)
        assert (button.status, button.exit_code, button.reason) == (200, 0, None), path
        assert button.body
    told = running_office.cli("usage", f"ip:{source}", "--explain")
    assert "playing a video on another site's page" in " ".join(
        re.findall(r"[\w']+", told.stdout)
    ), told.stdout


@pytest.mark.parametrize("http2", [False, True])
def test_nothing_of_the_platform_comes_under_the_name_of_a_button(
    client: Client, http2: bool
) -> None:
    """With a forged page, pages and calls are refused; data, a page or a film that was asked for as
    a picture or under a button's address brings not one byte of content."""
    source = fresh_address()
    spend_all(client, source=source)
    for path, dest in (("/", "document"), ("/", "iframe"), ("/api/feed", "empty")):
        reply = part(client, source, path, dest, http2=http2)
        assert (reply.status, reply.reason) == (403, "exhausted"), path
    bare = client.get("https://www.facebook.com/api/feed", source=source, headers=NEWS)
    assert bare.status == 403
    for path in ("/api/feed", "/", "/stream?seconds=1&rate=90000&type=video/mp4"):
        reply = part(client, source, path, "image", http2=http2)
        assert reply.body in (b"", None), (path, len(reply.body))


def test_buttons_cost_nothing(running_office: OfficeProxy, client: Client) -> None:
    """A page with sixteen like buttons leaves the allowance as it was."""
    source = fresh_address()
    for number in range(16):
        assert part(client, source, f"/plugins/like.php?href={number}", "iframe").status == 200
        assert part(client, source, f"/image/{number}.png", "image").status == 200
    assert running_office.usage(f"ip:{source}")["visits"] == []
