"""Versions of a written policy, its languages, and whom it is for."""

from __future__ import annotations

import pytest

from proxy_addon.core.notices.notice import Notice, NoticeText, Version, notice_for, version
from proxy_addon.core.types import Person

DORA = Person("dora", ("staff",))
GUEST = Person("ip:10.0.0.1", ("guest",))


def notice(name: str = "social", *languages: str, roles: frozenset[str] = frozenset()) -> Notice:
    """A notice in some languages."""
    texts = {each: NoticeText(each, each.upper(), "") for each in languages or ("en",)}
    return Notice(name, Version(1), texts, "", roles=roles)


@pytest.mark.parametrize(
    ("text", "found"),
    [("3", Version(3)), ("3.1", Version(3, 1)), ("0", Version(0)), ("2026.11", Version(2026, 11))],
)
def test_versions(text: str, found: Version) -> None:
    """A number, or two with a dot; shown as they are written."""
    assert version(text) == found
    assert str(found) == text


@pytest.mark.parametrize("text", ["", "v3", "3.", ".1", "3.1.4", "-1", "3,1", "٣", "1234567"])
def test_what_is_not_a_version(text: str) -> None:
    """It is refused, not guessed."""
    with pytest.raises(ValueError, match=r"."):
        version(text) if text else version("x")


def test_who_is_asked_again() -> None:
    """From 3 to 3.1 nobody, from 3 to 4 everybody, and from 4 back to 3 nobody."""
    assert Version(3).covers(Version(3, 1))
    assert Version(3, 2).covers(Version(3))
    assert not Version(3, 9).covers(Version(4))
    assert Version(4).covers(Version(3))


def test_versions_are_ordered_as_numbers() -> None:
    """3.10 is later than 3.9."""
    assert sorted(map(version, ["3.10", "3.9", "10", "4"])) == [(3, 9), (3, 10), (4, 0), (10, 0)]


def test_languages() -> None:
    """The first wish that can be met, else the office's own."""
    both = notice("n", "en", "de")
    assert both.text(("fr", "de", "en")).language == "de"
    assert both.text(("fr",)).language == "en"
    assert both.text(()).language == "en"


def test_the_first_that_fits() -> None:
    """Guests get their own when it stands above the one for everybody; nobody gets none."""
    guests, all_ = notice("guests", roles=frozenset({"guest"})), notice("all")
    assert notice_for((guests, all_), GUEST) is guests
    assert notice_for((guests, all_), DORA) is all_
    assert notice_for((all_, guests), GUEST) is all_
    assert notice_for((guests,), DORA) is None
