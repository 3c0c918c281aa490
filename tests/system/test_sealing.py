"""Sealed text comes back to whom it was given, unchanged, and not for long."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.system.sealing import MAX_BYTES, Sealer

SEALER = Sealer(b"secret", "way back")
URL = "https://www.facebook.com/groups?q=1"


@given(st.text(max_size=100), st.text(max_size=20), st.floats(0, 4e9))
def test_it_comes_back(text: str, person: str, now: float) -> None:
    """Whatever the text and the name; nothing of it can be read, and a URL may hold it."""
    sealed = SEALER.seal(text, person, now)
    assert SEALER.open(sealed, person, now, 60.0) == text
    assert sealed.replace("-", "").replace("_", "").isalnum()


def test_nothing_can_be_read() -> None:
    """Not even that two are the same."""
    sealed = SEALER.seal(URL, "dora", 1.0)
    assert b"facebook" not in base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
    assert sealed != SEALER.seal(URL, "dora", 1.0)


@pytest.mark.parametrize(
    ("person", "now"), [("emil", 100.0), ("dora", 161.0), ("dora", 99.0), ("", 100.0)]
)
def test_it_is_for_one_person_and_a_while(person: str, now: float) -> None:
    """Somebody else, too late, and before it was made."""
    assert SEALER.open(SEALER.seal(URL, "dora", 100.0), person, now, 60.0) is None


def test_it_is_for_one_purpose() -> None:
    """What was sealed for something else, or with another secret, does not open."""
    sealed = Sealer(b"secret", "something else").seal(URL, "dora", 1.0)
    assert SEALER.open(sealed, "dora", 1.0, 60.0) is None
    sealed = Sealer(b"another", "way back").seal(URL, "dora", 1.0)
    assert SEALER.open(sealed, "dora", 1.0, 60.0) is None


@pytest.mark.parametrize(
    "changed", ["", "A", "AAAA", "é", "A" * 100, "A" * (MAX_BYTES + 1), "=", "%2e"]
)
def test_what_somebody_made_up(changed: str) -> None:
    """It opens nothing, and stops nobody."""
    assert SEALER.open(changed, "dora", 1.0, 60.0) is None


def test_what_is_too_long_does_not_go_out() -> None:
    """What goes out comes back: nothing is sealed that would not be opened."""
    sizes = [len(SEALER.seal("x" * length, "dora", 1.0)) for length in (6_000, 7_000, 60_000)]
    assert 0 < sizes[0] <= MAX_BYTES and sizes[1:] == [0, 0]


def test_every_letter_counts() -> None:
    """A changed one opens nothing."""
    sealed = SEALER.seal(URL, "dora", 1.0)
    for place in range(0, len(sealed) - 1, 7):
        other = "A" if sealed[place] != "A" else "B"
        assert SEALER.open(sealed[:place] + other + sealed[place + 1 :], "dora", 1.0, 60.0) is None
