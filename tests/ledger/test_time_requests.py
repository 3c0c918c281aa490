"""`proxy_addon/ledger/time_requests.py`: what may be asked, and what a yes gives."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.types import Grant
from proxy_addon.ledger.interface import TimeRequest
from proxy_addon.ledger.time_requests import (
    LONGEST,
    MOST_MINUTES,
    NotPossible,
    grant_for,
    one_line,
    request_of,
)
from tests.web.office import MIDNIGHT, NOW, rule_set

AMONG = ("daily-social",)


def ask(
    allowance: str = "daily-social", minutes: str = "10", reason: str = "a launch"
) -> TimeRequest:
    """dora types this."""
    return request_of("dora", allowance, minutes, reason, among=AMONG, now=NOW)


def test_a_request() -> None:
    """What was typed becomes an open request of that person; each has an id of its own."""
    made = ask(minutes=" 10 ", reason="  a\r\n launch\x00 ")
    assert made == TimeRequest(made.id, "dora", "daily-social", 600.0, "a launch", "open", NOW)
    assert ask().id != made.id


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ({"allowance": "other"}, "Choose"),
        ({"minutes": ""}, "whole number"),
        ({"minutes": "ten"}, "whole number"),
        ({"minutes": "-5"}, "whole number"),
        ({"minutes": "1.5"}, "whole number"),
        ({"minutes": "٣"}, "whole number"),
        ({"minutes": "0"}, str(MOST_MINUTES)),
        ({"minutes": str(MOST_MINUTES + 1)}, str(MOST_MINUTES)),
        ({"minutes": "9999"}, str(MOST_MINUTES)),
        ({"minutes": "10000"}, "whole number"),
        ({"minutes": "9" * 5000}, "whole number"),
        ({"reason": " \n\t "}, "few words"),
        ({"reason": "x" * (LONGEST + 1)}, str(LONGEST)),
    ],
)
def test_what_cannot_be_asked(typed: dict[str, str], word: str) -> None:
    """An allowance of somebody else, minutes that are none, and words that are none or too many."""
    with pytest.raises(NotPossible, match=word):
        ask(**typed)


@pytest.mark.parametrize("minutes", [1, MOST_MINUTES])
def test_the_least_and_the_most_that_may_be_asked(minutes: int) -> None:
    """One minute is enough to be asked for, and the most that is named may be asked for."""
    assert ask(minutes=str(minutes)).seconds == minutes * 60.0


def test_the_longest_reason() -> None:
    """A reason may be as long as the message says, blanks around it not counted, and no longer."""
    longest = "x" * LONGEST
    assert ask(reason=f"  {longest}\n").reason == longest
    with pytest.raises(NotPossible, match=f"at most {LONGEST} characters"):
        ask(reason=f"{longest}x")


@settings(max_examples=100)
@given(st.text(max_size=LONGEST))
def test_tidy_words_are_on_one_line(text: str) -> None:
    """Tidied words have no control characters and no surrogates, can be stored as UTF-8, and stay
    tidy."""
    words = one_line(text)
    assert one_line(words) == words
    words.encode()
    assert not any(ord(each) < 32 for each in words)


def test_what_a_yes_gives() -> None:
    """The time that was asked for, until the allowance starts again for that person."""
    engine, asked = Engine(rule_set()), ask()
    given_ = grant_for(engine, asked, by="lead", now=NOW, name_of=lambda person: None)
    assert given_ == Grant(
        given_.id, "dora", "daily-social", 600.0, "a launch", "lead", NOW, MIDNIGHT
    )
    gone = TimeRequest("r", "dora", "gone", 60.0, "x", "open", NOW)
    with pytest.raises(NotPossible, match="no allowance gone"):
        grant_for(engine, gone, by="lead", now=NOW, name_of=str)
