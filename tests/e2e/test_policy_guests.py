"""The written policy of those who are known by an address alone: their own text on every page, and
shown to them where they see it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.client import NAVIGATE
from tests.e2e.office import office, policy
from tests.e2e.origins import Origins
from tests.e2e.policy_readers import FACEBOOK, PAGE, link, write
from tests.e2e.process import OfficeProxy

NOTICES = """notice:
  - {file: notices/guests.md, ask: shown, roles: [guest]}
  - {file: notices/social.md, roles: [staff]}
office: {name: Example Ltd}
"""
GUESTS = "For our guests"


@pytest.fixture(scope="module", params=["light", "engine"])
def house(
    request: pytest.FixtureRequest, origins: Origins, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OfficeProxy]:
    """An office with a text for guests, with the light path and without it."""
    settings = {"light-path": request.param == "light"}
    folder = tmp_path_factory.mktemp(f"guests-{request.param}")
    proxy = office(folder, origins, policy("10m") + NOTICES, settings=settings)
    write(proxy, "3")
    text = (proxy.rules / "notices" / "social.md").read_text()
    file = proxy.rules / "notices" / "guests.md"
    file.write_text(text.replace("Social media at work", GUESTS))
    with proxy:
        yield proxy


def test_the_policy_of_a_guest(house: OfficeProxy) -> None:
    """The page shows the text that the gate speaks of, whichever they open first."""
    page = house.client.open(f"{PAGE}/policy", source="127.0.6.1")
    assert page.status == 200 and GUESTS in page.text and "<form" not in page.text
    gate = house.client.open(FACEBOOK, source="127.0.6.2")
    assert (gate.status, gate.reason) == (403, "acknowledge") and GUESTS in gate.text
    read = house.client.open(link(gate, "Read it"), source="127.0.6.2")
    assert GUESTS in read.text and "You have <strong>10 minutes a day</strong>" in read.text


@pytest.mark.parametrize(
    ("source", "arguments", "headers"),
    [
        ("127.0.6.3", [], {"Sec-Purpose": "prefetch;prerender"}),
        ("127.0.6.4", [], {"Purpose": "prefetch"}),
        ("127.0.6.5", ["-I"], {}),
    ],
)
def test_what_nobody_has_seen(
    house: OfficeProxy, source: str, arguments: list[str], headers: dict[str, str]
) -> None:
    """A page that a browser loads in advance does not use up the one time that it is shown."""
    get = house.client.get
    early = get(FACEBOOK, *arguments, source=source, headers=NAVIGATE | headers)
    assert (early.status, early.reason) == (403, "acknowledge")
    assert get(FACEBOOK, source=source, headers=NAVIGATE).reason == "acknowledge"
    assert get(FACEBOOK, source=source, headers=NAVIGATE).status == 200


def test_a_long_address(house: OfficeProxy) -> None:
    """The link to the policy stays one that can be opened, and the way on is there."""
    url = f"https://www.facebook.com/x?{'q' * 50_000}"
    gate = house.client.open(url, source="127.0.6.6")
    assert link(gate, "Continue to Facebook") == url
    where = link(gate, "Read it")
    assert len(where) < 200
    assert GUESTS in house.client.open(where, source="127.0.6.6").text
