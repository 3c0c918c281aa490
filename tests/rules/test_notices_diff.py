"""Twin of proxy_addon/rules/notices_diff.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy_addon.core.notices.notice import AskWhen, Notice, NoticeText, Office, Version
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.rules import notices_diff
from proxy_addon.rules.settings_diff import differences
from tests.rule_tests.office import machine

DAY = 86_400.0
NOTICE = Notice(
    "social",
    Version(3),
    {"en": NoticeText("en", "", "")},
    "0123456789abcdef",
    grace=3 * DAY,
    again_after=365 * DAY,
)
GUESTS = replace(NOTICE, name="guests", roles=frozenset({"guest"}))


def rules(*notices: Notice) -> RuleSet:
    """An office with these policies."""
    return replace(machine().rules, notices=notices)


def lines(was: Notice, becomes: Notice) -> list[tuple[str, str, str]]:
    """What differs between two states of one."""
    return list(notices_diff.differences(rules(was), rules(becomes)))


@pytest.mark.parametrize(
    ("version", "told"),
    [
        (Version(4), "4 (everybody is asked again)"),
        (Version(3, 1), "3.1 (nobody is asked again)"),
        (Version(2, 9), "2.9 (older: nobody who has confirmed 3 is asked)"),
    ],
)
def test_versions(version: Version, told: str) -> None:
    """The number before the dot decides who is asked again, and the line says it; a new text comes
    with its version."""
    other = replace(NOTICE, version=version, digest="f" * 16)
    assert lines(NOTICE, other) == [("notice social: version", "3", told)]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"roles": frozenset({"care", "admin"})}, "everybody with the role admin or care is asked"),
        ({"ask": AskWhen.SHOWN}, "everybody is shown"),
        ({"ask": AskWhen.OFF}, "nobody is asked"),
    ],
)
def test_who_is_asked_again(changes: dict[str, object], told: str) -> None:
    """Those for whom it is; where it is only shown or switched off, nobody confirms."""
    was = replace(NOTICE, **changes)  # type: ignore[arg-type]
    [(_, _, line)] = lines(was, replace(was, version=Version(4)))
    assert told in line
    [(_, none, added)] = list(notices_diff.differences(rules(), rules(was)))
    assert none == "none" and told in added


def test_another_text_with_the_same_version() -> None:
    """It is named, with the digests, because nobody will be asked."""
    assert lines(NOTICE, replace(NOTICE, digest="f" * 16)) == [
        (
            "notice social: text",
            "0123456789ab",
            "ffffffffffff (the same version: nobody is asked again)",
        )
    ]


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"ask": AskWhen.OFF}, ("ask", "before-first-use", "off")),
        ({"grace": 0.0}, ("grace", "3d", "0m")),
        ({"roles": frozenset({"care"})}, ("roles", "all", "care")),
        ({"again_after": None}, ("again_after", "1y", "never")),
        ({"again_after": 30 * DAY}, ("again_after", "1y", "30d")),
    ],
)
def test_each_setting(changes: dict[str, object], difference: tuple[str, str, str]) -> None:
    """A setting that differs is named with both values as the policy file writes them."""
    key, was, becomes = difference
    other = replace(NOTICE, **changes)  # type: ignore[arg-type]
    assert lines(NOTICE, other) == [(f"notice social: {key}", was, becomes)]


def test_added_and_taken_away() -> None:
    """With everything that it says about who is asked."""
    whole = "version 3, ask before-first-use, grace 3d, roles all, again_after 1y"
    assert list(notices_diff.differences(rules(), rules(NOTICE))) == [
        ("notice social", "none", f"{whole} (everybody is asked)")
    ]
    assert list(notices_diff.differences(rules(NOTICE), rules())) == [
        ("notice social", whole, "none (nobody is asked any more)")
    ]


def test_the_order() -> None:
    """Of several the first that fits holds, so their order is a difference; one more is not."""
    found = notices_diff.differences(rules(GUESTS, NOTICE), rules(NOTICE, GUESTS))
    assert list(found) == [("notice: order", "guests, social", "social, guests")]
    keys = [key for key, _, _ in notices_diff.differences(rules(NOTICE), rules(GUESTS, NOTICE))]
    assert keys == ["notice guests"]


def test_the_office() -> None:
    """Its name, whom to call and its languages."""
    before = replace(rules(), office=Office())
    after = replace(rules(), office=Office("Example Ltd", "ext. 1", ("de", "en")))
    assert list(notices_diff.differences(before, after)) == [
        ("office: name", "none", "Example Ltd"),
        ("office: contact", "none", "ext. 1"),
        ("office: languages", "en", "de, en"),
    ]


def test_they_stand_among_the_settings() -> None:
    """`rules diff` prints them as it does every setting; equal ones give no line."""
    assert list(differences(rules(NOTICE), rules(NOTICE))) == []
    [found] = differences(rules(NOTICE), rules(replace(NOTICE, grace=DAY)))
    assert found == ("notice social: grace", "3d", "1d")
