"""Twin of proxy_addon/identity/pseudonyms.py: names as keyed hashes, and the key that makes
them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.identity.pseudonyms import PseudonymKeyError, Pseudonyms, is_pseudonym, read_key

NAMES = Pseudonyms(b"k" * 32)


@given(st.text())
def test_mapping_twice_is_mapping_once(name: str) -> None:
    """Every name gives a pseudonym, and a pseudonym gives itself."""
    hidden = NAMES.of(name)
    assert is_pseudonym(hidden)
    assert NAMES.of(hidden) == hidden


def test_pseudonyms_rest_on_the_key() -> None:
    """One name has one pseudonym by one key, another by another, and different names have different
    ones."""
    assert NAMES.of("ana") == Pseudonyms(b"k" * 32).of("ana")
    assert NAMES.of("ana") != Pseudonyms(b"l" * 32).of("ana")
    assert len({NAMES.of(f"p{n}") for n in range(60_000)}) == 60_000


def test_without_a_key() -> None:
    """People are told apart by pseudonyms that nobody else makes; with the key they have those of
    everybody."""
    one, other = Pseudonyms(None), Pseudonyms(None)
    assert not one.has_key and is_pseudonym(one.of("ana"))
    assert len({one.of("ana"), one.of("bo"), other.of("ana"), NAMES.of("ana")}) == 4
    assert one.of("ana") == one.of("ana")
    one.take(b"k" * 32)
    assert one.has_key and one.key_id == NAMES.key_id
    assert one.of("ana") == NAMES.of("ana")


def test_actors_keep_their_prefix() -> None:
    """A person who did something by command stays recognisable as such; nodes and erased people
    have no name."""
    assert NAMES.actor("cli:ada") == f"cli:{NAMES.of('ada')}"
    assert NAMES.actor("ada") == NAMES.of("ada")
    assert NAMES.actor("node:a:1") == "node:a:1"
    assert NAMES.actor("erased:1") == "erased:1"


def test_the_search() -> None:
    """Who has a list of names finds the one; who has not, finds nobody."""
    assert NAMES.search(NAMES.of("ana"), ["bo", "ana"]) == "ana"
    assert NAMES.search(NAMES.of("ana"), ["bo"]) is None


def test_the_key_is_made_once(tmp_path: Path) -> None:
    """Several processes that start together have one key, mode 0600, and leave nothing else
    behind."""
    path = tmp_path / "var" / "key"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: read_key(path, make=True), range(8)))
    assert keys == {read_key(path, make=False)}
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["key"]


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        (None, 0, "there is no pseudonym key"),
        ("abc", 0o600, "is not a pseudonym key"),
        ("0" * 64, 0o644, "chmod 600"),
    ],
)
def test_keys_that_cannot_be_used(
    tmp_path: Path, content: str | None, mode: int, said: str
) -> None:
    """A key that is missing, damaged or open to others is refused in one line with the remedy."""
    path = tmp_path / "key"
    if content is not None:
        path.write_text(content)
        path.chmod(mode)
    with pytest.raises(PseudonymKeyError, match=said):
        read_key(path, make=False)
