"""Who has to read a written policy before going on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.core.notices.gate import (
    Confirmation,
    Meeting,
    Need,
    due_by,
    in_force,
    put_off,
    standing,
)
from proxy_addon.core.notices.notice import AskWhen, Notice, NoticeText, Version

DAY = 86_400.0
NOTICE = Notice("social", Version(3), {"en": NoticeText("en", "", "")}, "d3", grace=3 * DAY)
NOW = 1_000 * DAY


def confirmed(version: str, at: float = NOW - DAY, name: str = "social") -> Confirmation:
    """Somebody has confirmed this version."""
    major, _, minor = version.partition(".")
    return Confirmation(name, Version(int(major), int(minor or 0)), f"d{version}", at)


def need(
    notice: Notice = NOTICE,
    *confirmations: Confirmation,
    met: Meeting | None = None,
    now: float = NOW,
    signed_in: bool = True,
) -> tuple[Need, float | None]:
    """Where somebody stands."""
    return tuple(standing(notice, confirmations, met, now, signed_in=signed_in))


def test_the_first_meeting() -> None:
    """It is asked for, and can be put off until the grace time ends, which begins now."""
    assert need() == (Need.ASKED, NOW + 3 * DAY)


def test_without_a_grace_time() -> None:
    """It is due at once."""
    assert need(replace(NOTICE, grace=0.0)) == (Need.DUE, None)


def test_the_grace_time_runs_from_the_first_meeting() -> None:
    """For each person from theirs; from its last moment on it is due."""
    met = Meeting("social", 3, NOW - 2 * DAY)
    assert need(met=met) == (Need.ASKED, NOW + DAY)
    assert need(met=met, now=NOW + DAY - 0.001)[0] is Need.ASKED
    assert need(met=met, now=NOW + DAY) == (Need.DUE, None)


def test_later() -> None:
    """Who puts it off is not asked before the next day begins, unless the grace time ends."""
    met = put_off(Meeting("social", 3, NOW), NOW, lambda now: now + 0.5 * DAY)
    assert need(met=met) == (Need.PUT_OFF, NOW + 3 * DAY)
    assert need(met=met, now=NOW + 0.5 * DAY) == (Need.ASKED, NOW + 3 * DAY)
    late = Meeting("social", 3, NOW, NOW + 9 * DAY)
    assert need(met=late, now=NOW + 3 * DAY) == (Need.DUE, None)


@pytest.mark.parametrize(
    ("version", "expected"),
    [("3", Need.NOTHING), ("3.1", Need.NOTHING), ("4", Need.NOTHING), ("2.9", Need.ASKED)],
)
def test_versions_that_count(version: str, expected: Need) -> None:
    """The same number before the dot, or a later one."""
    assert need(NOTICE, confirmed(version))[0] is expected


def test_a_confirmation_of_another_notice() -> None:
    """It says nothing about this one."""
    assert need(NOTICE, confirmed("3", name="guests"))[0] is Need.ASKED


def test_again_after_a_year() -> None:
    """A confirmation lasts to the last moment, and not longer."""
    yearly = replace(NOTICE, again_after=365 * DAY)
    assert need(yearly, confirmed("3", NOW - 365 * DAY + 0.001))[0] is Need.NOTHING
    assert need(yearly, confirmed("3", NOW - 365 * DAY))[0] is Need.ASKED
    assert need(NOTICE, confirmed("3", 0.0))[0] is Need.NOTHING


def test_a_confirmation_that_has_ended() -> None:
    """Whoever has to repeat it gets the grace time again, although they met the version long
    ago."""
    yearly = replace(NOTICE, again_after=365 * DAY)
    met = Meeting("social", 3, NOW - 365 * DAY)
    given_ = confirmed("3", NOW - 365 * DAY)
    assert need(yearly, given_, met=met) == (Need.ASKED, NOW + 3 * DAY)
    assert need(yearly, given_, met=met, now=NOW + 3 * DAY) == (Need.DUE, None)
    older = replace(yearly, version=Version(4))
    assert need(older, given_, met=met._replace(major=4, first=NOW - 3 * DAY))[0] is Need.DUE


def test_when_it_may_be_due() -> None:
    """Who has not met it could do so now; who has confirmed it for ever never has to; a year
    later the grace time is added. What is not asked is never due."""
    yearly = replace(NOTICE, again_after=365 * DAY)
    met = Meeting("social", 3, NOW - DAY)
    assert due_by(NOTICE, [], None, NOW) == NOW + 3 * DAY
    assert due_by(NOTICE, [], met, NOW) == NOW + 2 * DAY
    assert due_by(NOTICE, [confirmed("3")], met, NOW) == float("inf")
    assert due_by(yearly, [confirmed("3", NOW)], met, NOW) == NOW + 368 * DAY
    assert due_by(replace(NOTICE, ask=AskWhen.SHOWN), [], met, NOW) == float("inf")


@pytest.mark.parametrize("ask", [AskWhen.SHOWN, AskWhen.BEFORE_FIRST_USE])
def test_shown_and_not_asked(ask: AskWhen) -> None:
    """Who has not signed in is shown it, like everybody where it is only shown: once."""
    shown = replace(NOTICE, ask=ask, grace=0.0)
    signed_in = ask is AskWhen.SHOWN
    assert need(shown, signed_in=signed_in) == (Need.SHOWN, None)
    seen = Meeting("social", 3, NOW, float("inf"))
    assert need(shown, met=seen, signed_in=signed_in) == (Need.NOTHING, None)


def test_off() -> None:
    """Nobody is asked."""
    assert need(replace(NOTICE, ask=AskWhen.OFF)) == (Need.NOTHING, None)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.floats(0, 2e8)), max_size=4),
    st.floats(0, 4e8),
    st.one_of(st.none(), st.floats(1, 1e8)),
)
def test_one_is_enough(
    given_: list[tuple[int, float]], now: float, again_after: float | None
) -> None:
    """Of several confirmations one that counts is enough, and more never take it away."""
    notice = replace(NOTICE, again_after=again_after)
    confirmations = [Confirmation("social", Version(major), "", at) for major, at in given_]
    alone = [in_force(notice, [each], now) for each in confirmations]
    assert in_force(notice, confirmations, now) == any(alone)
