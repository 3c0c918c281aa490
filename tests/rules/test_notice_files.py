"""The Markdown files of written policies, as people save them."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.core.rules.documents import NoticeDocument
from proxy_addon.core.rules.problems import Code
from proxy_addon.rules import notice_files


def document(content: bytes) -> NoticeDocument:
    """A file about which nothing is said."""
    found = notice_files.document("rules/n.md", content)
    assert isinstance(found, NoticeDocument)
    return found


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_front_matter(end: str, mark: str) -> None:
    """Between two lines of `---`, with the line ends and the mark that editors write; places are
    those of the file."""
    content = (mark + end.join(["---", "version: 3", "owner: us ", "---", "# Title", ""])).encode()
    found = document(content)
    assert found.front is not None
    assert found.front.data == {"version": 3, "owner": "us"}
    assert found.front.place(("owner",)).line == 3
    assert (found.body.strip(), found.first_line) == ("# Title", 5)
    assert found.digest == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("text", ["# Title\n", "", "\n---\nversion: 3\n---\n", "--- a\nb\n---\n"])
def test_without_front_matter(text: str) -> None:
    """All of it is the text."""
    found = document(text.encode())
    assert (found.front, found.body, found.first_line) == (None, text, 1)


def test_a_rule_across_the_page_ends_no_front_matter() -> None:
    """Only what begins the file is front matter, up to the first line that ends it."""
    found = document(b"---\nversion: 1\n---\nabove\n\n---\nbelow\n")
    assert found.body == "above\n\n---\nbelow\n"


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"---\nversion: 1\n---\n\xff", Code.NOT_UTF8, 4),
        ("---\nversion: 1\n---\n".encode("utf-16"), Code.NOT_UTF8, 1),
        (b"# a\n\x00", Code.BAD_CHARACTER, 2),
        (b"---\nversion: [1\n---\n", Code.YAML_SYNTAX, 3),
        (b"---\nversion: 1\nversion: 2\n---\n", Code.DUPLICATE_KEY, 3),
        (b"---\nversion: &a 1\n---\n", Code.YAML_ANCHOR, 2),
        (b"#" * 300_000, Code.TOO_LARGE, 1),
        ((Code.TOO_LARGE, "the file is larger than 1,024 KiB", ""), Code.TOO_LARGE, 1),
    ],
)
def test_what_cannot_be_read(content: notice_files.Content, code: Code, line: int) -> None:
    """It is a problem with its place, and never an exception."""
    found = notice_files.document("rules/n.md", content)
    assert isinstance(found, list)
    assert [(each.code, each.line) for each in found] == [(code, line)]


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_file(content: bytes) -> None:
    """Nothing that lies in the folder stops us."""
    notice_files.document("rules/n.md", b"---\n" + content)
    notice_files.document("rules/n.md", content)
