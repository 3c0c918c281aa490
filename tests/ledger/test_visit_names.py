"""Twin of proxy_addon/ledger/visit_names.py: visits wait for the key of their pseudonyms."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy_addon.core.types import Visit
from proxy_addon.identity.pseudonyms import Pseudonyms
from proxy_addon.ledger import visit_names
from proxy_addon.ledger.visit_names import VisitNames

KEY = b"k" * 32
VISIT = Visit("v", "dora", "x", None, "short", "rule", 1.0, 2.0, "node")


def test_names_and_pseudonyms() -> None:
    """A ledger of names gets the name, one of pseudonyms the pseudonym, both at once."""
    taken: list[Visit] = []
    VisitNames(None, taken.append).put(VISIT)
    VisitNames(Pseudonyms(KEY), taken.append).put(VISIT)
    assert [each.person for each in taken] == ["dora", Pseudonyms(KEY).of("dora")]


def test_without_a_key_they_wait() -> None:
    """Nothing is passed on, the newest revision is kept, and with the key all of it goes on under
    the right pseudonym, once; what comes later does not wait."""
    taken: list[Visit] = []
    names = Pseudonyms(None)
    visits = VisitNames(names, taken.append)
    visits.put(VISIT)
    visits.put(replace(VISIT, rev=2, end=3.0))
    assert visits.release() == () and taken == []
    assert visits.lost() == 1
    names.take(KEY)
    hidden = replace(VISIT, rev=2, end=3.0, person=Pseudonyms(KEY).of("dora"))
    assert visits.release() == [hidden] == taken
    visits.put(replace(VISIT, id="w"))
    assert [each.id for each in taken] == ["v", "w"]
    assert visits.release() == [] and visits.lost() == 0


def test_no_more_than_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day without a key does not fill the memory; what is given up is counted."""
    monkeypatch.setattr(visit_names, "MOST", 3)
    visits = VisitNames(Pseudonyms(None), lambda visit: None)
    for number in range(5):
        visits.put(replace(VISIT, id=f"v{number}"))
    assert visits.lost() == 5
