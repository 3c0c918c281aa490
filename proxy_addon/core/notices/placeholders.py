"""Values of the rules in a written policy: `{{ allowance }}`, put in for the roles of the reader,
so that text and rules cannot disagree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

_PLACEHOLDER = re.compile(r"\{\{([^{}\n]{0,200})\}\}")
_NAME = re.compile(r"([a-z_]+)(?:\.(.+))?", re.DOTALL)

# What can be put in. `allowance` and `limit` may be followed by a dot and the name of an allowance.
VALUES = {
    "allowance": "the reader's limit, such as 15 minutes a day",
    "platforms": "the platforms that the allowance counts for",
    "free": "when and where the reader is free, such as lunch",
    "never_counted": "sections that never count, such as learning",
    "warning": "how long before the end a warning comes",
    "urgent": "the minutes that the reader may take at once when a customer is waiting",
    "retention": "how long usage is kept",
    "office": "the name of the office",
    "contact": "whom to ask, from the front matter, else from the office",
    "owner": "who looks after the policy",
    "version": "the version of the policy",
    "effective": "the day from which it is in force",
    "roles": "the reader's roles",
    "my_time": "the address of the page that shows what is left",
}
ADDRESS = "my_time"  # becomes a link on a page
WITH_NAME = frozenset({"allowance", "platforms"})


class Placeholder(NamedTuple):
    """One placeholder: its name, what follows the dot ("" for nothing), and its line from 1."""

    name: str
    detail: str
    line: int
    written: str


def placeholders(text: str) -> Iterator[Placeholder]:
    """All of a text, in order, known or not."""
    for found in _PLACEHOLDER.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        name = _NAME.fullmatch(found[1].strip())
        if name is None:
            yield Placeholder(found[1].strip(), "", line, found[0])
        else:
            yield Placeholder(name[1], name[2] or "", line, found[0])


def filled(text: str, value: Callable[[str, str], str]) -> str:
    """The text with `value(name, detail)` in place of each placeholder."""

    def put_in(found: re.Match[str]) -> str:
        name = _NAME.fullmatch(found[1].strip())
        return found[0] if name is None else value(name[1], name[2] or "")

    return _PLACEHOLDER.sub(put_in, text)
