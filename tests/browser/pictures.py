"""Takes a picture of each page in each state into `artifacts/pages/`, for people to look at: light,
dark and on a phone.

`python -m tests.browser.pictures [chromium|firefox] [--language=de] [NAME...]`; names are those of
`states.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.browser.interface import DESKTOP, PHONE, Look, Proxy
from tests.browser.pages_server import SITE, PagesServer
from tests.browser.start import KINDS, start
from tests.browser.states import states
from tests.languages.everywhere import spoken_everywhere

OUT = Path(__file__).resolve().parents[2] / "artifacts" / "pages"
OPTION = "--language="
LOOKS = {"light": DESKTOP, "dark": Look(dark=True), "phone": PHONE}


def take(kind: str, names: list[str], out: Path = OUT) -> list[Path]:
    """Pictures of these states, or of all; the files."""
    made = []
    with PagesServer() as server, start(kind, Proxy(server.port)) as browser:
        for name, state in states().items():
            if names and name not in names:
                continue
            server.app = state.app
            for title, look in LOOKS.items():
                browser.look(look)
                browser.open(SITE + state.path)
                made.append(out / kind / f"{name}-{title}.png")
                browser.screenshot(made[-1])
    return made


if __name__ == "__main__":
    given = sys.argv[1:]
    chosen = given.pop(0) if given and given[0] in KINDS else "chromium"
    language = "en"
    if given and given[0].startswith(OPTION):
        language = given.pop(0).removeprefix(OPTION)
    folder = OUT if language == "en" else OUT / language
    with spoken_everywhere(language):
        print(f"{len(take(chosen, given, folder))} pictures in {folder / chosen}")
