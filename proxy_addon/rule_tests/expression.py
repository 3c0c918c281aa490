"""Which tests are meant: `-k` of `allowance rules test`, in the manner of pytest.

Words are parts of a test's name, upper or lower case; `and`, `or`, `not` and brackets join them.
Words that stand side by side are one text: `-k "lunch break and not care"`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

type Wanted = Callable[[str], bool]

_TOKEN = re.compile(r"[()]|[^\s()]+")
_JOINS = frozenset({"and", "or", "not", "(", ")"})


class BadExpressionError(ValueError):
    """An expression that means nothing; the message names the word that cannot be understood."""


def wanted(expression: str) -> Wanted:
    """A test of names. Raises BadExpressionError."""
    reader = _Reader(_TOKEN.findall(expression))
    found = reader.either()
    if reader.tokens:
        raise BadExpressionError(f"{reader.tokens[0]!r} is too much")
    return found


class _Reader:
    """Reads an expression from the left; what is left of it is in `tokens`."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens

    def _took(self, token: str) -> bool:
        if self.tokens[:1] == [token]:
            del self.tokens[0]
            return True
        return False

    def either(self) -> Wanted:
        parts = [self._both()]
        while self._took("or"):
            parts.append(self._both())
        return lambda name: any(part(name) for part in parts)

    def _both(self) -> Wanted:
        parts = [self._one()]
        while self._took("and"):
            parts.append(self._one())
        return lambda name: all(part(name) for part in parts)

    def _one(self) -> Wanted:
        if self._took("not"):
            inner = self._one()
            return lambda name: not inner(name)
        if self._took("("):
            inner = self.either()
            if not self._took(")"):
                raise BadExpressionError("a bracket is not closed")
            return inner
        words = []
        while self.tokens and self.tokens[0] not in _JOINS:
            words.append(self.tokens.pop(0).casefold())
        if not words:
            raise BadExpressionError("a word is missing: write a part of a test's name")
        text = " ".join(words)
        return lambda name: text in name.casefold()
