"""The pages of the documentation, read: headings, links, blocks, words in code."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SHELLS = ("sh", "console")
_MARKDOWN = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True)
class Block:
    """A fenced block. `info` is what stands behind the opening fence, `line` where that fence
    is."""

    page: Path
    line: int
    info: str
    text: str
    elsewhere: str = ""  # the test file that executes this section, where it is not ours

    @property
    def language(self) -> str:
        """The first word of `info`."""
        return self.info.partition(" ")[0]

    @property
    def place(self) -> str:
        """For messages."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def no_run(self) -> str | None:
        """Why this block is not executed; None when it is."""
        _, marked, reason = self.info.partition("no-run:")
        return reason.strip() if marked else None

    @property
    def marks(self) -> dict[str, str]:
        """The words behind the language: `exit=1` is {"exit": "1"}, `server` is {"server": ""}."""
        words = self.info.partition("no-run:")[0].split()[1:]
        return {name: value for name, _, value in (word.partition("=") for word in words)}

    @property
    def commands(self) -> str:
        """What is typed: everything of `sh`; of `console` what stands behind `$ `, with continued
        lines."""
        if self.language == "sh":
            return self.text
        typed, goes_on = [], False
        for line in self.text.splitlines():
            if goes_on or line.startswith("$ "):
                typed.append(line if goes_on else line.removeprefix("$ "))
                goes_on = line.endswith("\\")
        return "\n".join(typed) + "\n"

    @property
    def shown(self) -> list[str]:
        """What a `console` block says is answered."""
        typed = set(self.commands.splitlines())
        return [
            line
            for line in self.text.splitlines()
            if not line.startswith("$ ") and line not in typed
        ]


@dataclass(frozen=True)
class Page:
    """One file."""

    path: Path

    @cached_property
    def text(self) -> str:
        """As it is."""
        return self.path.read_text("utf-8")

    @cached_property
    def tokens(self) -> list[Token]:
        """As markdown-it reads it."""
        return _MARKDOWN.parse(self.text)

    @cached_property
    def inline(self) -> list[Token]:
        """Every part of every line: text, code, links, pictures."""
        return [child for token in self.tokens for child in token.children or ()]

    @cached_property
    def blocks(self) -> list[Block]:
        """Fenced blocks and hidden steps (`<!-- run: … -->`) in order; a hidden step is a block of
        `sh`.

        `<!-- executed by: FILE -->` holds to the end of its section (a heading of the second
        level).
        """
        found, elsewhere = [], ""
        for token in self.tokens:
            line = token.map[0] + 1 if token.map else 0
            if token.type == "heading_open" and token.tag in ("h1", "h2"):
                elsewhere = ""
            if token.type == "fence":
                found.append(Block(self.path, line, token.info.strip(), token.content, elsewhere))
            if told := re.match(r"<!-- executed by: (\S+) -->", token.content):
                elsewhere = told[1]
            hidden = re.match(r"<!-- run( [^:]*)?: (.*?)\s*-->", token.content, re.S)
            if token.type == "html_block" and hidden:
                found.append(Block(self.path, line, f"sh{hidden[1] or ''}", f"{hidden[2]}\n"))
        return found

    @cached_property
    def anchors(self) -> set[str]:
        """Of the headings, as GitHub makes them."""
        seen: Counter[str] = Counter()
        found = set()
        for token, inside in zip(self.tokens, self.tokens[1:], strict=False):
            if token.type == "heading_open":
                words = "".join(child.content for child in inside.children or ())
                slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
                found.add(slug if not seen[slug] else f"{slug}-{seen[slug]}")
                seen[slug] += 1
        return found

    @cached_property
    def links(self) -> list[str]:
        """Targets of links and pictures."""
        found = [token.attrs.get("href") or token.attrs.get("src") for token in self.inline]
        return [str(target) for target in found if target]

    @cached_property
    def code(self) -> list[str]:
        """What stands between backticks in running text, on one line each."""
        return [
            " ".join(token.content.split()) for token in self.inline if token.type == "code_inline"
        ]

    @cached_property
    def code_text(self) -> str:
        """All code of the page: blocks and running text."""
        return "\n".join([*self.code, *(block.text for block in self.blocks)])


READ = {path: Page(path) for path in PAGES}


def page(name: str) -> Page:
    """A page by its path from the root, such as `docs/rules.md`."""
    return READ[ROOT / name]
