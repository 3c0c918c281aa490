"""A written policy as HTML, for one reader: Markdown with the values of the rules put in.

Everything that is not Markdown is text: HTML in the file, and whatever stands in a value. Pictures
are left out, since pages of ours load nothing. Lines that hold only values that say nothing for the
reader are left out as well.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from markdown_it.token import Token
from markupsafe import Markup

from proxy_addon.core.notices.headings import parser, split_title
from proxy_addon.core.notices.notice import NoticeText
from proxy_addon.core.notices.placeholders import ADDRESS, filled

type Value = Callable[[str, str], str]

WORDS_A_MINUTE: Final = 220  # of an adult who reads a text of this kind
_PARSER: Final = parser().disable("image")
_ADDRESS: Final = re.compile(r"(\{\{\s*" + ADDRESS + r"\s*\}\})")
_BLOCKS: Final = ("list_item", "paragraph", "blockquote", "bullet_list", "ordered_list")


def body(text: NoticeText, value: Value) -> Markup:
    """The whole text without its title."""
    tokens = _PARSER.parse(text.markdown)
    anchors = iter([heading.anchor for heading in text.headings])
    for token, after in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open":
            token.attrSet("id", next(anchors, ""))
            if after is not None:
                _strip_identifier(after)
    for token in tokens:
        _fill(token, value)
    for block in _BLOCKS:
        tokens = _without_empty(tokens, block)
    html = _PARSER.renderer.render(_without_title(tokens), _PARSER.options, {})
    return Markup(html)  # noqa: S704 - made by the renderer, which escapes text and values


def line(text: str, value: Value) -> str:
    """One line of the front matter with its values put in, as plain text."""
    return " ".join(filled(text, value).split())


def minutes_to_read(text: NoticeText) -> int:
    """How long it takes, in whole minutes."""
    return max(1, math.ceil(len(text.markdown.split()) / WORDS_A_MINUTE))


def _fill(token: Token, value: Value) -> None:
    """Put values into text. Between `{{` and `}}` there may be marks that are none here."""
    if token.type in ("fence", "code_block"):
        token.content = filled(token.content, value)
    if token.children:
        token.children = list(_filled(token.children, value))


def _filled(children: Iterable[Token], value: Value) -> Iterator[Token]:
    """The parts of a line with their values; addresses become links where they are in none."""
    in_link = 0
    for child in children:
        in_link += {"link_open": 1, "link_close": -1}.get(child.type, 0)
        if child.type not in ("text", "code_inline", "html_inline"):
            yield child
        elif child.type == "text" and not in_link:
            for part in _ADDRESS.split(child.content):
                yield from _address(value) if _ADDRESS.fullmatch(part) else [_text(part, value)]
        else:
            child.content = filled(child.content, value)
            yield child


def _text(content: str, value: Value) -> Token:
    return Token("text", "", 0, content=filled(content, value))


def _address(value: Value) -> Iterator[Token]:
    """A link to the page that shows what is left, by its address."""
    if not (address := value(ADDRESS, "")):
        return
    yield Token("link_open", "a", 1, attrs={"href": address})
    yield Token("text", "", 0, content=address)
    yield Token("link_close", "a", -1)


def _strip_identifier(inline: Token) -> None:
    for child in reversed(inline.children or []):
        if child.type == "text":
            child.content = split_title(child.content)[0]
            return


def _without_title(tokens: list[Token]) -> list[Token]:
    """Without the heading of the first level that begins it: pages have one of their own."""
    if tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        return tokens[3:]
    return tokens


def _without_empty(tokens: list[Token], block: str) -> list[Token]:
    """Without blocks of one kind in which nothing stands."""
    kept: list[Token] = []
    opened: list[int] = []
    for token in tokens:
        kept.append(token)
        if token.type == f"{block}_open":
            opened.append(len(kept) - 1)
        elif token.type == f"{block}_close" and opened:
            start = opened.pop()
            if not any(map(_says_something, kept[start:])):
                del kept[start:]
    return kept


def _says_something(token: Token) -> bool:
    if token.type in ("fence", "code_block", "hr", "html_block"):
        return True
    return any(child.content.strip(" *.,:;") for child in token.children or ())
