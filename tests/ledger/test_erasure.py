"""Twin of proxy_addon/ledger/erasure.py; what an erasure does is in test_erasure_contract.py."""

from __future__ import annotations

from proxy_addon.ledger.erasure import Erasure


def test_only_who_knows_the_name_can_match_it() -> None:
    """A marker fits its name and no other, does not hold it, and two of one name differ."""
    one, other = Erasure.of("ana", 5.0), Erasure.of("ana", 5.0)
    assert one.names("ana")
    assert not one.names("an")
    assert "ana" not in repr(one)
    assert (one.id, one.salt, one.digest) != (other.id, other.salt, other.digest)
    assert Erasure.of("\ud800", 5.0).names("\ud800")  # what cannot be encoded is a name as well
