"""CONTRIBUTING.md and SECURITY.md send people to files, names and commands that exist."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import READ, ROOT, Page

PAGES = [Page(ROOT / name) for name in ("CONTRIBUTING.md", "SECURITY.md")]
PATH = re.compile(r"(?:tests|proxy_addon|db|deploy|docs|rules)/[\w./-]*")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path.name)
def test_files_exist(page: Page) -> None:
    """Those that are linked, with their headings, and those that are named in running text."""
    named = [word for word in page.code if PATH.fullmatch(word)]
    links = [link.partition("#") for link in page.links if "://" not in link]
    assert [
        name for name in (*named, *(file for file, _, _ in links)) if not (ROOT / name).exists()
    ] == []
    assert [a for file, _, a in links if a and a not in READ[ROOT / file].anchors] == []


def test_names_are_where_the_table_says() -> None:
    """Functions, classes and constants: "`name` in `file`"."""
    found = re.findall(r"`(\w+)` in `([\w./]+\.py)`", PAGES[0].text)
    assert len(found) > 10
    missing = []
    for name, file in found:
        source = (ROOT / file).read_text("utf-8")
        if not re.search(rf"^\s*(?:async )?(?:def|class) {name}\b|^{name}\b.*=", source, re.M):
            missing.append(f"{name} in {file}")
    assert missing == []


def test_targets_of_make_exist() -> None:
    """Each `make …` is one of the Makefile's."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = {word.split()[1] for word in PAGES[0].code if word.startswith("make ")}
    assert [name for name in sorted(targets) if not re.search(rf"^{name}:", makefile, re.M)] == []


def test_the_words_of_the_first_change_are_there() -> None:
    """The example begins with words of the program and of its test, and holds for those who have
    carried it out."""
    files = ("proxy_addon/proxy/responses/messages.py", "tests/proxy/responses/test_messages.py")
    texts = [(ROOT / file).read_text("utf-8") for file in files]
    before, after = "is closed for now", "is closed at the moment"
    assert all(before in text for text in texts) or all(after in text for text in texts)
