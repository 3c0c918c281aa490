"""What the ledger knows of confirmations, in memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.core.notices.gate import Confirmation, Meeting, Need
from proxy_addon.core.notices.notice import Notice, NoticeText, Version
from proxy_addon.metering.notice_book import NoticeBook, Overtaken

NOTICE = Notice("social", Version(3), {"en": NoticeText("en", "", "")}, "d3", grace=100.0)


def confirmation(major: int, at: float, digest: str = "") -> Confirmation:
    """Somebody confirms a version."""
    return Confirmation("social", Version(major), digest or f"d{major}", at)


def test_a_confirmation_counts_at_once() -> None:
    """And is listed, oldest first."""
    book = NoticeBook()
    book.confirm("dora", confirmation(3, 20.0))
    book.load([("dora", confirmation(2, 10.0))], [])
    assert [each.version.major for each in book.confirmations("dora")] == [2, 3]
    assert book.standing("dora", NOTICE, 30.0, signed_in=True).need is Need.NOTHING
    assert book.standing("emil", NOTICE, 30.0, signed_in=True).need is Need.ASKED


def test_the_same_again() -> None:
    """News come twice: nothing is doubled, and a confirmation that was renewed keeps the later
    time."""
    book = NoticeBook()
    for at in (10.0, 30.0, 20.0, 30.0):
        book.load([("dora", confirmation(3, at))], [])
    assert max(each.at for each in book.confirmations("dora")) == 30.0
    assert len(book.confirmations("dora")) == 1


def test_names_are_those_of_the_ledger() -> None:
    """Pseudonyms come from it, and who asks has a name."""
    book = NoticeBook(mask=lambda name: f"p:{name}")
    book.load([("p:dora", confirmation(3, 10.0))], [("p:dora", Meeting("social", 3, 5.0))])
    assert book.confirmations("dora")
    assert book.met("dora", NOTICE) == Meeting("social", 3, 5.0)
    assert list(book.everybody()) == ["p:dora"]


@given(st.permutations([(5.0, 0.0), (3.0, 9.0), (7.0, 20.0), (4.0, 12.0)]))
def test_meetings_in_any_order(meetings: list[tuple[float, float]]) -> None:
    """The earliest beginning and the latest "later" count, on whichever proxy they were."""
    book = NoticeBook()
    for first, later in meetings:
        book.meet("dora", Meeting("social", 3, first, later))
    assert book.met("dora", NOTICE) == Meeting("social", 3, 3.0, 20.0)


def test_somebody_who_was_erased() -> None:
    """Nothing of theirs is left; others keep theirs."""
    book = NoticeBook()
    for name in ("dora", "emil"):
        book.confirm(name, confirmation(3, 10.0))
        book.meet(name, Meeting("social", 3, 5.0))
    book.drop("dora")
    assert (book.confirmations("dora"), book.met("dora", NOTICE)) == ((), None)
    assert book.confirmations("emil") and book.met("emil", NOTICE)


def test_a_version_that_is_older_than_one_that_was_confirmed() -> None:
    """It is named with the latest confirmed one and with how many people confirmed a later one;
    what others confirmed of other notices says nothing."""
    book = NoticeBook()
    for person, major in (("dora", 4), ("dora", 2), ("emil", 5), ("finn", 3)):
        book.confirm(person, confirmation(major, 10.0))
    book.confirm("gina", Confirmation("guests", Version(9), "g", 10.0))
    assert book.overtaken([NOTICE]) == [Overtaken("social", Version(3), Version(5), 2)]
    assert book.overtaken([]) == []


def test_somebody_who_was_erased_elsewhere() -> None:
    """The erasure names people as the ledger does; a meeting alone is forgotten as well."""
    book = NoticeBook(mask=lambda name: f"p:{name}")
    book.confirm("dora", confirmation(3, 10.0))
    book.meet("emil", Meeting("social", 3, 5.0))
    book.meet("finn", Meeting("social", 3, 5.0))
    assert book.drop_known(lambda name: name in ("p:dora", "p:emil", "p:nobody")) == 2
    assert not book.confirmations("dora") and book.met("emil", NOTICE) is None
    assert book.met("finn", NOTICE) is not None
