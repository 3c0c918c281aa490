"""Lists of people: names and patterns, case-insensitive, one bit a list."""

from __future__ import annotations

from proxy_addon.core.audience import EVERYBODY, AudienceIndex, NameIndex, is_pattern, keep
from proxy_addon.core.types import Person


def test_names_and_patterns_set_the_bits_of_their_lists():
    """A name collects the bits of every list it is in, by name or by pattern, whatever its case."""
    names = NameIndex(
        [(1, ("Maria", "*@brand.example")), (2, ("maria",)), (4, ("m?r*", "*@brand.example"))]
    )
    assert names.bits("MARIA") == 1 | 2 | 4
    assert names.bits("Zed@Brand.Example") == 1 | 4
    assert names.bits("zed") == 0


def test_a_pattern_fits_whole_names_only():
    """`ann` is not `anna`, and `[ab]ob` is bob but not bobby."""
    names = NameIndex([(1, ("ann", "[ab]ob"))])
    assert [names.bits(name) for name in ("ann", "anna", "bob", "bobby", "[ab]ob")] == [
        1,
        0,
        1,
        0,
        0,
    ]
    assert [is_pattern(name) for name in ("ann", "a*", "a?", "[ab]")] == [False, True, True, True]


def test_users_or_roles():
    """One of the users or of the roles is enough; equal lists share a bit; the empty list is
    everybody."""
    care = (("bob",), frozenset({"care"}))
    audiences = AudienceIndex([care, care, ((), frozenset()), ((), frozenset({"staff"}))])
    bit = audiences.bit(("bob",), ("care",))
    assert audiences.bit((), ()) == EVERYBODY
    assert audiences.bits(Person("bob", ("staff",))) == EVERYBODY | bit | audiences.bit(
        (), {"staff"}
    )
    assert audiences.bits(Person("cora", ("care",))) == EVERYBODY | bit
    assert audiences.bits(Person("dora", ("guest",))) == EVERYBODY


def test_what_is_remembered_is_bounded():
    """A full cache starts again."""
    cache: dict[int, int] = {}
    for i in range(10):
        keep(cache, i, i, 4)
        assert len(cache) <= 4
    assert cache[9] == 9
