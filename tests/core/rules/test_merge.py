"""The files at the top as one."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from proxy_addon.core.rules.documents import Document, Documents
from proxy_addon.core.rules.merge import Top, declared, merged, policy_part
from proxy_addon.core.rules.problems import Code, Place
from proxy_addon.core.rules.report import ProblemCollector


def document(file: str, **data: object) -> Document:
    """A file with each key on a line of its own."""
    keys = {(key,): (line, 1) for line, key in enumerate(data, 1)}
    return Document(f"rules/{file}", data, keys, keys)


def top(*documents: Document, complete: bool = True) -> tuple[Top, ProblemCollector]:
    """These files as one, with what is wrong."""
    report = ProblemCollector()
    return merged(Documents("rules", documents, complete=complete), {"x": []}, report), report


def test_keys_come_from_any_file() -> None:
    """And know where they stand."""
    found, report = top(
        document("policy.yaml", version=1), document("extra.yaml", rules=[], devices={})
    )
    assert report.problems == []
    assert found.data == {"version": 1, "rules": [], "devices": {}}
    assert found.find(("devices",), True) == Place("rules/extra.yaml", 2, 1)
    assert found.find(("allowances",)) == Place("rules/policy.yaml")


def test_no_policy_at_all() -> None:
    """What is missing then is missing from the policy, not from the file of people."""
    found, _ = top(document("people.yaml", roles={}))
    assert found.find(("timezone",)) == Place("rules/policy.yaml")
    found, _ = top(document("people.yaml", roles={}), document("office.yaml", rules=[]))
    assert found.find(("timezone",)) != Place("rules/policy.yaml")


def test_the_second_of_two_files_is_the_mistake() -> None:
    """Whatever their order in the folder."""
    _, report = top(document("a.yaml", rules=[]), document("policy.yaml", rules=[]))
    (problem,) = report.problems
    assert (problem.file, problem.code) == ("rules/a.yaml", Code.TWO_FILES)


def test_a_platform_in_the_wrong_file() -> None:
    """The way out names the folder."""
    _, report = top(document("policy.yaml", x={}))
    assert "rules/platforms" in report.problems[0].hint


def test_what_an_unreadable_file_may_hold_is_not_missing() -> None:
    """Version and zone stand somewhere else, perhaps."""
    found, _ = top(document("more.yaml", rules=[]))
    assert policy_part(found, Documents("rules", (), complete=False)) == {
        "version": 1,
        "timezone": "UTC",
        "rules": [],
    }
    assert policy_part(found, Documents("rules", ())) == {"rules": []}


def test_names_are_declared_even_if_their_values_are_wrong() -> None:
    """The admin's role, the default role and the role of guests need not be."""
    names = declared(
        {"roles": {"care": 7}, "calendars": {"bank": None}, "timezone": "UTC"}, {}, None
    )
    assert names.roles == {"care", "admin", "staff", "guest"}
    assert names.calendars == {"bank"}
    assert names.zone == ZoneInfo("UTC")


@pytest.mark.parametrize("wrong", ["a text", ["a", "list"], 7])
def test_what_is_no_block_declares_nothing_and_nothing_is_doubted(wrong: object) -> None:
    """One mistake, one problem."""
    names = declared(
        {"roles": wrong, "allowances": wrong, "calendars": wrong, "timezone": wrong}, {}, None
    )
    assert names.roles is names.allowances is names.calendars is names.zone is None
