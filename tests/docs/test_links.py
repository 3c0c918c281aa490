"""Links lead somewhere."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.docs.pages import PAGES, READ, ROOT, Page


def local(page: Page) -> list[tuple[str, Path, str]]:
    """Links into the project: as written, the file, the anchor."""
    found = []
    for link in page.links:
        if link.partition(":")[0] in ("http", "https", "mailto"):
            continue
        name, _, anchor = link.partition("#")
        found.append(
            (link, (page.path.parent / unquote(name)).resolve() if name else page.path, anchor)
        )
    return found


def leads(file: Path, anchor: str) -> bool:
    """True when the file is one of ours and has that heading."""
    if (
        not file.is_relative_to(ROOT)
        or not file.exists()
        or "artifacts" in file.relative_to(ROOT).parts
    ):
        return False
    return not anchor or (file in READ and anchor in READ[file].anchors)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_resolve(path: Path) -> None:
    """The file is there, inside the project, and has the heading."""
    wrong = [link for link, file, anchor in local(READ[path]) if not leads(file, anchor)]
    assert wrong == []


def test_every_page_is_reached_from_the_readme() -> None:
    """Nothing was written that nobody finds."""
    seen, ahead = {ROOT / "README.md"}, deque([ROOT / "README.md"])
    while ahead:
        for _, file, _ in local(READ[ahead.popleft()]):
            if file in READ and file not in seen:
                seen.add(file)
                ahead.append(file)
    assert sorted(path.name for path in set(PAGES) - seen) == []


def test_the_index_names_every_page() -> None:
    """Who looks for something begins there."""
    index = ROOT / "docs" / "README.md"
    named = {file for _, file, _ in local(READ[index])} | {index, ROOT / "README.md"}
    assert sorted(path.name for path in set(PAGES) - named) == []


def test_every_picture_is_shown() -> None:
    """Pictures that no page shows are dead weight, and those that are shown stay small."""
    shown = {file for page in READ.values() for _, file, _ in local(page)}
    pictures = sorted((ROOT / "docs" / "pictures").iterdir())
    assert [path.name for path in pictures if path not in shown] == []
    assert [
        path.name for path in pictures if path.suffix == ".png" and path.stat().st_size > 120_000
    ] == []
