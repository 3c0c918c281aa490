"""Problems in rule files: each with a place, a stable code, a message and a hint.

A problem prints as `file:line:column: code: message; hint`. Lines and columns count from 1; a
problem of a whole file or folder is at 1:1. Codes are part of the outside contract: they are listed
in `docs/rules.md` and never change their meaning.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Code(StrEnum):
    """Every kind of problem, by the name that messages, JSON and documents use."""

    # The folder and its files
    MISSING_FILE = "missing-file"
    NOT_A_FILE = "not-a-file"
    UNREADABLE_FILE = "unreadable-file"
    OUTSIDE_FOLDER = "outside-folder"
    IGNORED_FILE = "ignored-file"  # warning
    TOO_LARGE = "too-large"
    TWO_FILES = "two-files"
    # The text of a file
    NOT_UTF8 = "not-utf8"
    BAD_CHARACTER = "bad-character"
    TAB = "tab"
    YAML_SYNTAX = "yaml-syntax"
    YAML_ANCHOR = "yaml-anchor"
    YAML_MERGE = "yaml-merge"
    YAML_TAG = "yaml-tag"
    YAML_DOCUMENTS = "yaml-documents"
    TOO_DEEP = "too-deep"
    # Keys
    BAD_KEY = "bad-key"
    DUPLICATE_KEY = "duplicate-key"
    UNKNOWN_KEY = "unknown-key"
    MISSING_KEY = "missing-key"
    # Values
    WRONG_TYPE = "wrong-type"
    EMPTY_LIST = "empty-list"
    EMPTY_TEXT = "empty-text"
    BAD_VERSION = "bad-version"
    BAD_ZONE = "bad-zone"
    BAD_TIME = "bad-time"
    BAD_DAYS = "bad-days"
    BAD_DATES = "bad-dates"
    BAD_DURATION = "bad-duration"
    BAD_LIMIT = "bad-limit"
    BAD_NUMBER = "bad-number"
    BAD_CHOICE = "bad-choice"
    BAD_THEN = "bad-then"
    BAD_WHEN = "bad-when"
    BAD_NAME = "bad-name"
    BAD_HOST = "bad-host"
    BAD_PATH = "bad-path"
    BAD_ADDRESS = "bad-address"
    BAD_CALENDAR = "bad-calendar"
    BAD_NOTICE = "bad-notice"
    UNKNOWN_VALUE = "unknown-value"
    RETENTION_TOO_SHORT = "retention-too-short"
    # Names that point at each other
    UNKNOWN_ROLE = "unknown-role"
    UNKNOWN_PLATFORM = "unknown-platform"
    UNKNOWN_SECTION = "unknown-section"
    UNKNOWN_ALLOWANCE = "unknown-allowance"
    UNKNOWN_CALENDAR = "unknown-calendar"
    UNKNOWN_HOLIDAYS = "unknown-holidays"
    DUPLICATE_NAME = "duplicate-name"
    DUPLICATE_HOST = "duplicate-host"
    GROUP_CYCLE = "group-cycle"
    # What probably is not meant: warnings
    UNREACHABLE_RULE = "unreachable-rule"
    BLOCK_AFTER_ALLOW = "block-after-allow"
    NEVER_TRUE = "never-true"
    UNUSED_ALLOWANCE = "unused-allowance"
    UNUSED_ROLE = "unused-role"
    UNUSED_PLATFORM = "unused-platform"
    TWO_OVERRIDES = "two-overrides"
    LIMIT_TOO_LARGE = "limit-too-large"
    MISSING_HEADING = "missing-heading"
    UNHELPFUL_SECTION = "unhelpful-section"
    HTML_IN_NOTICE = "html-in-notice"
    OUTDATED_TRANSLATION = "outdated-translation"
    UNREACHABLE_NOTICE = "unreachable-notice"
    OVERLAPPING_DEVICES = "overlapping-devices"


class Severity(StrEnum):
    """An error keeps the rules from going into force; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


class Place(NamedTuple):
    """A position in a file. Line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class RuleProblem:
    """One mistake. Sorts by place; `hint` says how to fix it, "" where there is none."""

    file: str
    line: int
    column: int
    code: Code
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR

    @classmethod
    def at(
        cls,
        place: Place,
        code: Code,
        message: str,
        hint: str = "",
        severity: Severity = Severity.ERROR,
    ) -> RuleProblem:
        """A problem at a place."""
        return cls(
            place.file, place.line, place.column, code, _line(message), _line(hint), severity
        )

    def __str__(self) -> str:
        text = f"{self.file}:{self.line}:{self.column}: {self.code}: {self.message}"
        return f"{text}; {self.hint}" if self.hint else text


def _line(text: str) -> str:
    """A text on one line, whatever was quoted in it, without control characters."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


class RuleErrors(Exception):
    """The rules cannot go into force. `problems` holds every error found, sorted by place."""

    def __init__(self, problems: Iterable[RuleProblem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__(str(self))

    def __str__(self) -> str:
        """One line a problem, and nothing else: tools and editors find the places by it."""
        return "\n".join(map(str, self.problems))
