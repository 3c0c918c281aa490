"""What tests of rule files share: plain data as documents with real places, and the rules or the
words that follow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from proxy_addon.core.rules.calendars import Feed
from proxy_addon.core.rules.compiler import Compiled, compile_rules
from proxy_addon.core.rules.documents import Document, Documents
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.rules import yaml_reader

HEAD = "version: 1\ntimezone: Europe/London\n"
X = "x: {hosts: [x.com]}\n"


class Sources:
    """A world in which Christmas is the only holiday, and files of shifts are what a test says."""

    def __init__(self, feeds: Mapping[str, Feed] | None = None) -> None:
        self.feeds = feeds or {}

    def holidays(
        self, country: str, region: str | None, years: tuple[int, int]
    ) -> tuple[tuple[date, date], ...]:
        """Christmas Day of each year."""
        days = (date(year, 12, 25) for year in range(years[0], years[1] + 1))
        return tuple((day, day) for day in days)

    def feed(self, file: str, zone: ZoneInfo) -> Feed:
        """The events of a file."""
        return self.feeds[file]


def read(file: str, text: str) -> Document:
    """One file of YAML."""
    document, problems = yaml_reader.parse(text.encode(), file)
    assert document is not None and problems == []
    return document


def compiled(
    policy: str,
    people: str = "",
    platforms: Mapping[str, str] | None = None,
    *,
    feeds: Mapping[str, Feed] | None = None,
    advise: bool = True,
) -> Compiled:
    """The rules of a policy (version and zone are given), people, and files of platforms (x alone
    if none)."""
    files = {"x": X} if platforms is None else platforms
    documents = Documents(
        "rules",
        (
            read("rules/policy.yaml", HEAD + policy),
            read("rules/people.yaml", people or "roles: {}\n"),
        ),
        tuple(read(f"rules/platforms/{name}.yaml", text) for name, text in sorted(files.items())),
    )
    return compile_rules(documents, Sources(feeds), advise=advise)


def problem_lines(*args: Any, **more: Any) -> list[str]:
    """Everything that is said about rules, each line without the name of the folder."""
    return [str(problem).removeprefix("rules/") for problem in compiled(*args, **more).problems]


def right(*args: Any, **more: Any) -> RuleSet:
    """The rule set of rules about which nothing is said."""
    answer = compiled(*args, **more)
    assert answer.problems == ()
    assert answer.rule_set is not None
    return answer.rule_set
