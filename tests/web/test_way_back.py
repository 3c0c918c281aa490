"""`proxy_addon/web/way_back.py`: back to where somebody was going, and nowhere else."""

from __future__ import annotations

import pytest

from proxy_addon.web.way_back import WayBack, way_back
from tests.web.notice_setup import NoticeSetup
from tests.web.office import NOW

URL = "https://www.facebook.com/messages?t=1"


def test_back_to_a_limited_platform() -> None:
    """The address, and what people call its platform."""
    setup = NoticeSetup()
    sealed = setup.seal.seal(URL, "dora", NOW)
    assert way_back(setup.service, "dora", sealed) == WayBack(URL, "Facebook", sealed)


@pytest.mark.parametrize(
    ("url", "person", "at"),
    [
        ("https://evil.example/", "dora", NOW),
        ("javascript:alert(1)//facebook.com", "dora", NOW),
        (URL, "emil", NOW),
        (URL, "dora", NOW - 7200.0),
    ],
)
def test_nowhere(url: str, person: str, at: float) -> None:
    """Another site, no web address, somebody else's, too old."""
    setup = NoticeSetup()
    assert way_back(setup.service, "dora", setup.seal.seal(url, person, at)) == WayBack()


def test_without_a_seal() -> None:
    """Nothing that was typed leads anywhere, and without the service nothing does."""
    setup = NoticeSetup()
    for sealed in ("", "x", URL):
        assert way_back(setup.service, "dora", sealed) == WayBack()
    assert way_back(None, "dora", setup.seal.seal(URL, "dora", NOW)) == WayBack()
