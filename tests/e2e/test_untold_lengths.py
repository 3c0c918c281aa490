"""Answers that tell no length, from a real site in chunks of HTTP/1.1 and over HTTP/2: charged by
what they turn out to be."""

from __future__ import annotations

import pytest

from tests.e2e.client import Client, Reply, fresh_address
from tests.e2e.office import SLACK
from tests.e2e.process import OfficeProxy
from tests.e2e.waiting import until

SITE = "https://www.youtube.com"
TAIL, STEP = 1.0, 1.0  # seconds: of the office's policy, and in which streams are charged
CHIME = "/stream?seconds=0.1&rate=200000&type=audio/mpeg"
PIXEL = "/stream?seconds=0.1&rate=430&type=image/gif"
FILM = "/stream?seconds=3&rate=100000&type=video/mp4"


def loaded(client: Client, source: str, path: str, dest: str, *, http2: bool) -> Reply:
    """What a page of the platform loads."""
    headers = {"Referer": f"{SITE}/", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": dest}
    reply = client.get(f"{SITE}{path}", source=source, headers=headers, http2=http2)
    assert (reply.status, reply.exit_code) == (200, 0)
    assert "content-length" not in reply.headers
    return reply


@pytest.mark.parametrize("http2", [False, True])
def test_chimes_and_pixels_are_nothing_and_a_film_is_charged(
    running_office: OfficeProxy, client: Client, http2: bool
) -> None:
    """A sound of 20 kB and a picture of 43 bytes cost nothing; three seconds of a film that
    somebody else watches afterwards cost three seconds."""
    hearer, viewer = fresh_address(), fresh_address()
    assert len(loaded(client, hearer, CHIME, "audio", http2=http2).body) == 20_000
    assert len(loaded(client, hearer, PIXEL, "image", http2=http2).body) == 43
    film = loaded(client, viewer, FILM, "video", http2=http2)

    def charged() -> float:
        return float(running_office.usage(f"ip:{viewer}")["allowances"]["long"]["spent"])

    until(lambda: charged() > film.seconds - STEP, "the film to be charged")
    assert charged() < film.seconds + TAIL + SLACK
    assert running_office.usage(f"ip:{hearer}")["visits"] == []
