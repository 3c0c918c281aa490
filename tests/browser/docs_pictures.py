"""Takes the pictures of pages in `docs/pictures/`: what readers of the documentation see of them.

`python -m tests.browser.docs_pictures [FILE...]`; in Chromium, of states in `states.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

from tests.browser.interface import DESKTOP, PHONE, Look, Proxy
from tests.browser.pages_server import SITE, PagesServer
from tests.browser.start import start
from tests.browser.states import states

OUT = Path(__file__).resolve().parents[2] / "docs" / "pictures"
DARK = Look(dark=True)


class Picture(NamedTuple):
    """A page in a state, and how it is looked at."""

    state: str
    look: Look = DESKTOP


PICTURES = {
    "employee.png": Picture("employee-some-used"),
    "employee-dark.png": Picture("employee-used-up", DARK),
    "employee-phone.png": Picture("employee-low", PHONE),
    "day.png": Picture("day"),
    "policy.png": Picture("policy"),
    "policy-changes.png": Picture("policy-changes"),
    "gate.png": Picture("refusal-policy"),
    "heads-up.png": Picture("refusal-heads-up"),
    "block.png": Picture("refusal-block-lunch"),
    "block-dark.png": Picture("refusal-block-lunch-german", DARK),
    "urgent.png": Picture("urgent"),
    "ask.png": Picture("ask"),
    "opens.png": Picture("opens"),
    "why.png": Picture("why-answered"),
    "device.png": Picture("device-newcomer"),
    "device-phone.png": Picture("device-ios", PHONE),
    "managed.png": Picture("setup-managed"),
    "certificate.png": Picture("certificate"),
    "help.png": Picture("help"),
    "admin.png": Picture("admin"),
    "admin-policy.png": Picture("admin-policy"),
    "admin-remind.png": Picture("admin-policy-remind"),
}


def take(names: list[str], out: Path = OUT) -> None:
    """The pictures of these names, or all of them."""
    known = states()
    with PagesServer() as server, start("chromium", Proxy(server.port)) as browser:
        for name, picture in PICTURES.items():
            if names and name not in names:
                continue
            state = known[picture.state]
            server.app = state.app
            browser.look(picture.look)
            browser.open(SITE + state.path)
            browser.screenshot(out / name)


if __name__ == "__main__":
    take(sys.argv[1:])
