"""The list of platforms that we ship."""

from __future__ import annotations

from pathlib import Path

from proxy_addon.core.rules.bundled_platforms import PLATFORMS

FOLDER = Path(__file__).parents[3] / "rules" / "platforms"


def test_it_names_each_file() -> None:
    """A new platform is added here too, or offices that leave it out are warned about it."""
    assert {file.stem for file in FOLDER.glob("*.yaml")} == PLATFORMS
