"""A written policy as plain Markdown for one reader, such as in a terminal: with the values of the
rules put in, and without the lines that hold only values that say nothing for the reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from proxy_addon.core.notices.placeholders import filled, placeholders
from proxy_addon.presentation.notice_html import Value

_IDENTIFIER: Final = re.compile(r"\s*\{#[a-z0-9-]+\}\s*$")
_NOTHING: Final = " *-+>.,:;"  # what is left of a line whose values say nothing


def markdown(text: str, value: Value) -> str:
    """The text with its values, headings without their identifiers."""
    return "\n".join(_lines(text, value)).strip() + "\n"


def _lines(text: str, value: Value) -> Iterator[str]:
    for line in text.splitlines():
        if line.startswith("#"):
            line = _IDENTIFIER.sub("", line)
        full = filled(line, value)
        if any(placeholders(line)) and not full.strip(_NOTHING):
            continue
        yield full
