"""How pages are read: headings, blocks and their marks."""

from __future__ import annotations

from pathlib import Path

from tests.docs.pages import Block, Page

TEXT = """# One & two: `code`

## Again
## Again

1. Step

   ```console exit=1
   $ first \\
       goes on
   answer
   $ second
   ```

<!-- run server: hidden -->

```sh no-run: needs root
sudo it
```

## Elsewhere
<!-- executed by: tests/other.py -->

```console
$ one
```

## Here

```sh
two
```

[a](b.md#c) ![d](e.png) `--flag`
"""


def read(tmp_path: Path) -> Page:
    """The page above."""
    path = tmp_path / "page.md"
    path.write_text(TEXT)
    return Page(path)


def test_anchors_are_those_of_github(tmp_path: Path) -> None:
    """Signs go, blanks become hyphens, a second heading of one name is numbered."""
    assert read(tmp_path).anchors == {"one--two-code", "again", "again-1", "elsewhere", "here"}


def test_blocks_are_found_where_they_stand(tmp_path: Path) -> None:
    """Inside lists and in comments as well, in order."""
    blocks = read(tmp_path).blocks
    assert [(block.language, block.marks, block.no_run) for block in blocks] == [
        ("console", {"exit": "1"}, None),
        ("sh", {"server": ""}, None),
        ("sh", {}, "needs root"),
        ("console", {}, None),
        ("sh", {}, None),
    ]
    assert blocks[0].commands == "first \\\n    goes on\nsecond\n"
    assert blocks[0].shown == ["answer"]
    assert blocks[1].commands == "hidden\n"
    assert [block.elsewhere for block in blocks] == ["", "", "", "tests/other.py", ""]


def test_links_and_code_are_found(tmp_path: Path) -> None:
    """Of links and pictures the targets; of code the words."""
    found = read(tmp_path)
    assert found.links == ["b.md#c", "e.png"]
    assert found.code == ["code", "--flag"]


def test_a_block_of_sh_is_typed_whole() -> None:
    """It has no prompts."""
    assert Block(Path("x"), 1, "sh", "a\nb\n").commands == "a\nb\n"
