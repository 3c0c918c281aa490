"""Twin of db/hosts.py: several hosts in one URL, in every form in which they are written."""

from __future__ import annotations

import pytest

from db.address import parse
from db.hosts import attempts, several
from proxy_addon.ledger.interface import LedgerUnusable


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("postgresql://u:p@a:1,b:2/d", ("a:1", "b:2")),
        ("postgresql://u:p@a,b/d?target_session_attrs=read-write", ("a:5432", "b:5432")),
        ("postgres://a:1,b", ("a:1", "b:5432")),
        ("postgresql+psycopg://u:p%2Cq@a:1,[::1]:2,b:3/d", ("a:1", "[::1]:2", "b:3")),
        ("postgresql://u@/d?host=a:1&host=b:2", ("a:1", "b:2")),
        ("postgresql://u@/d?host=a,b&port=1,2", ("a:1", "b:2")),
        ("postgresql://u@/d?host=a,b&port=7", ("a:7", "b:7")),
        ("postgresql://u@/d?host=/run/a,/run/b", ("/run/a:5432", "/run/b:5432")),
        ("postgresql://u@a:1/d", ()),
        ("postgresql://u@/d?host=/run/a", ()),
        ("postgresql:///d", ()),
        ("postgresql://u:a,b@h/d", ()),
    ],
)
def test_forms(text: str, found: tuple[str, ...]) -> None:
    """Each form gives the same hosts, which the name of the place shows, in their order."""
    address = parse(text)
    assert several(address.url) == found
    assert ",".join(found) in address.place


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u:s3cret@a:x,b/d",
        "postgresql://u:s3cret@a,/d",
        "postgresql://u:s3cret@a,b/d?host=c",
        "postgresql://u:s3cret@a:1,b:2/d?port=3",
        "postgresql://u:s3cret@/d?host=a,b,c&port=1,2",
        "postgresql://u:s3cret@/d?host=a:1&host=b:2&port=3",
        "postgresql://u:s3cret@h/d?host=a,b",
        "postgresql://u:1@s3cret@a,b/d",
        "postgresql://u:1@s3cret@a/d",
    ],
)
def test_what_cannot_be_read(text: str) -> None:
    """Hosts that do not fit their ports, or stand in two places: one line, without the password."""
    with pytest.raises(LedgerUnusable, match="cannot be read") as caught:
        parse(text)
    assert "s3cret" not in str(caught.value)


def test_the_order_does_not_identify() -> None:
    """A database with two hosts is the same in either order, and not that of one of them."""
    one, other = parse("postgresql://v@b,a/d").identity, parse("postgresql://u@a,b/d").identity
    assert one == other == "a:5432,b:5432/d"
    assert parse("postgresql://u@a/d").identity == "a:5432/d"


@pytest.mark.parametrize("wanted", ["standby", "read-only", "prefer-standby", "nonsense"])
def test_a_ledger_is_written_to(wanted: str) -> None:
    """Attributes by which no server is found that takes writes are refused at once."""
    with pytest.raises(LedgerUnusable, match="use read-write"):
        parse(f"postgresql://a,b/d?target_session_attrs={wanted}")


def test_one_attempt_for_each() -> None:
    """Each host has its port and its address, and all else is the same."""
    assert attempts({"dbname": "d"}) == [{"dbname": "d"}]
    assert attempts({"host": "a", "port": "1"}) == [{"host": "a", "port": "1"}]
    assert attempts({"host": "a,b", "port": "1,2", "hostaddr": "::1,::2", "user": "u"}) == [
        {"host": "a", "port": "1", "hostaddr": "::1", "user": "u"},
        {"host": "b", "port": "2", "hostaddr": "::2", "user": "u"},
    ]
    assert [each["port"] for each in attempts({"host": "a,b", "port": "7"})] == ["7", "7"]
