"""What is wrong with test files: the same form as problems of rule files, with codes of their own.

Codes are part of the outside contract: they are listed in `docs/rules-testing.md` and never change
their meaning. What is wrong with the text of a file (no YAML, a tab, …) keeps the code that rule
files have for it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from proxy_addon.core.rules.parsers import quote
from proxy_addon.core.rules.problems import Place, RuleProblem


class TestCode(StrEnum):
    """Every kind of mistake in a test file."""

    __test__ = False  # pytest: not a test

    UNKNOWN_KEY = "test-unknown-key"
    MISSING_KEY = "test-missing-key"
    WRONG_TYPE = "test-wrong-type"
    BAD_TIME = "test-bad-time"
    BAD_LENGTH = "test-bad-length"
    BAD_NAME = "test-bad-name"
    BAD_URL = "test-bad-url"
    BAD_CHOICE = "test-bad-choice"
    NO_ACTION = "test-no-action"
    TWO_ACTIONS = "test-two-actions"
    NO_USER = "test-no-user"
    EXPECTS_NOTHING = "test-expects-nothing"
    WRONG_ORDER = "test-wrong-order"
    DUPLICATE_NAME = "test-duplicate-name"
    UNKNOWN_ROLE = "test-unknown-role"
    UNKNOWN_RULE = "test-unknown-rule"
    UNKNOWN_ALLOWANCE = "test-unknown-allowance"
    UNKNOWN_PLATFORM = "test-unknown-platform"
    UNKNOWN_SECTION = "test-unknown-section"
    WRONG_PLACE = "test-wrong-place"
    NEVER_A_VISIT = "test-never-a-visit"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake; prints as `file:line:column: code: message; hint`. Line and column count from
    1."""

    file: str
    line: int
    column: int
    code: str
    message: str
    hint: str = ""

    @classmethod
    def at(cls, place: Place, code: TestCode, message: str, hint: str = "") -> Problem:
        """A problem at a place."""
        return cls(place.file, place.line, place.column, code, message, hint)

    @classmethod
    def of(cls, problem: RuleProblem) -> Problem:
        """A problem of a file's text, in our form."""
        return cls(
            problem.file, problem.line, problem.column, problem.code, problem.message, problem.hint
        )

    def __str__(self) -> str:
        text = f"{self.file}:{self.line}:{self.column}: {self.code}: {self.message}"
        return f"{text}; {self.hint}" if self.hint else text


class BadTestError(ValueError):
    """A value of a test file that cannot be what was meant. `near`: a misspelt name and the names
    there are."""

    def __init__(
        self,
        code: TestCode,
        message: str,
        hint: str = "",
        *,
        near: tuple[str, Collection[str]] | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message = code, message
        self.hint = (did_you_mean(*near) if near else "") or hint


def nearest(word: str, names: Collection[str]) -> str | None:
    """The name that comes near a misspelt one; upper and lower case do not matter."""
    folded = {name.casefold(): name for name in names}
    close = get_close_matches(word[:100].casefold(), folded, n=1)
    return folded[close[0]] if close else None


def did_you_mean(word: str, names: Collection[str]) -> str:
    """ "did you mean …?", or "" when nothing comes near."""
    close = nearest(word, names)
    return f"did you mean {quote(close)}?" if close else ""
