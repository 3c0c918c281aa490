"""The Markdown files of written policies, as people save them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.core.rules.documents import NoticeDocument
from proxy_addon.core.rules.problems import Code, RuleErrors
from proxy_addon.presentation import notice_html
from proxy_addon.rules import folder as rules_folder
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


RULES = "version: 1\ntimezone: Europe/London\nnotice: {file: notices/n.md}\n"


def lines(folder: Path) -> list[str]:
    """What is said about a rules folder, without the folder's own name."""
    return [str(each).replace(f"{folder}/", "") for each in rules_folder.check(folder)]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A rules folder whose policy names a written policy that is not there yet."""
    folder = tmp_path / "rules"
    (folder / "notices").mkdir(parents=True)
    (folder / "policy.yaml").write_text(RULES)
    return folder


def test_a_file_that_is_missing(rules: Path) -> None:
    """The place is where the policy names it."""
    assert lines(rules) == [
        'policy.yaml:3:16: missing-file: the rules folder has no file "notices/n.md"'
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"---\nversion: 1\n---\ncaf\xe9\n", "notices/n.md:4:4: not-utf8: byte 0xe9 is not UTF-8"),
        (b"---\nversion: 1\n---\n" + b"x" * 5_000_000, "notices/n.md:1:1: too-large: "),
        (b"", "notices/n.md:1:1: bad-notice: the written policy has no version"),
    ],
)
def test_a_file_that_cannot_be_taken(rules: Path, content: bytes, said: str) -> None:
    """One line with the place, what is wrong and what to do; the rules do not go into force."""
    (rules / "notices" / "n.md").write_bytes(content)
    [line] = lines(rules)
    assert line.startswith(said)
    with pytest.raises(RuleErrors):
        rules_folder.load(rules)


def test_a_link_that_leads_out_of_the_folder(rules: Path, tmp_path: Path) -> None:
    """What lies elsewhere is not read, whoever may read it."""
    (tmp_path / "secret.md").write_text("---\nversion: 1\n---\nSecret.\n")
    (rules / "notices" / "n.md").symlink_to(tmp_path / "secret.md")
    [line] = lines(rules)
    assert "outside-folder" in line and "Secret" not in line


def test_a_folder_in_the_place_of_the_file(rules: Path) -> None:
    """It is no file, and says so."""
    (rules / "notices" / "n.md").mkdir()
    assert [line.split(": ")[1] for line in lines(rules)] in (["not-a-file"], ["missing-file"])


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_as_editors_save_it(rules: Path, end: str) -> None:
    """With a byte order mark and either kind of line end it is in force; HTML in it is a warning,
    and text on the page."""
    text = "---\nversion: 2.1\n---\n# Policy\n\n<script>alert(1)</script>\n"
    (rules / "notices" / "n.md").write_bytes(("\ufeff" + text.replace("\n", end)).encode())
    [notice] = rules_folder.load(rules).notices
    assert str(notice.version) == "2.1"
    assert "notices/n.md:6:1: html-in-notice" in "\n".join(lines(rules))
    shown = notice_html.body(notice.texts["en"], lambda name, detail: "")
    assert "&lt;script&gt;" in shown and "<script" not in shown
