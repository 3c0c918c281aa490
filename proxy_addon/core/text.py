"""Text that somebody else wrote, in a form that can be shown."""

from __future__ import annotations

import unicodedata


def printable(text: str, keep: str = "", *, spaces: bool = True) -> str:
    """The text with U+FFFD for each character that is not printable and not in `keep`.

    A control character could move the cursor of a terminal, and XML cannot hold most of them. Every
    kind of space stays, for French has those at which no line ends; without `spaces` only the plain
    one, where somebody has to see which it was.
    """
    return "".join(
        c
        if c.isprintable() or c in keep or (spaces and _is_space(c))
        else "\N{REPLACEMENT CHARACTER}"
        for c in text
    )


def _is_space(character: str) -> bool:
    return unicodedata.category(character) == "Zs"
