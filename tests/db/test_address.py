"""Twin of db/address.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.address import journal_folder, parse
from proxy_addon.ledger.interface import LedgerUnusable


@pytest.mark.parametrize(
    ("text", "driver", "place"),
    [
        ("sqlite:///var/allowance.db", "sqlite", "SQLite file var/allowance.db"),
        ("sqlite:////srv/a b.db", "sqlite", "SQLite file /srv/a b.db"),
        ("postgresql://u:p@h/d", "postgresql+psycopg", "Postgres database d on u@h"),
        (
            "postgresql+psycopg://u:p@h:6000/d",
            "postgresql+psycopg",
            "Postgres database d on u@h:6000",
        ),
        ("postgres://h/d", "postgresql+psycopg", "Postgres database d on h"),
        (
            "postgresql://u:@/d?host=/run/pg",
            "postgresql+psycopg",
            "Postgres database d on u@/run/pg",
        ),
    ],
)
def test_forms(text: str, driver: str, place: str) -> None:
    """Each documented form is read, and has a name for people."""
    address = parse(text)
    assert (address.url.drivername, address.place) == (driver, place)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u:s3cret@h/d",
        "postgresql://h/d?password=s3cret",
        "postgresql://h/d?user=u&sslpassword=s3cret",
    ],
)
def test_a_password_is_never_shown(text: str) -> None:
    """Neither the password of the URL nor one in its query part is in the name."""
    assert "s3cret" not in parse(text).place


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s3cret",
        "mysql://u:s3cret@h/d",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite://var/x.db",
        "sqlite:///file:x?mode=memory",
        "postgresql+asyncpg://u:s3cret@h/d",
        "postgresql://h:port/d",
    ],
)
def test_what_cannot_hold_a_ledger(text: str) -> None:
    """Other databases, memory and nonsense give one line that shows the right form and no
    password."""
    with pytest.raises(LedgerUnusable) as caught:
        parse(text)
    message = str(caught.value)
    assert "sqlite:///FILE" in message
    assert "s3cret" not in message
    assert "\n" not in message


def test_journal_folder() -> None:
    """As named, beside a SQLite file, or in `var`."""
    assert journal_folder(Path("elsewhere"), "sqlite:///a/b.db") == Path("elsewhere")
    assert journal_folder(None, "sqlite:///a/b.db") == Path("a/journal")
    assert journal_folder(None, "postgresql://db/x") == Path("var/journal")
    assert journal_folder(None, "sqlite://") == Path("var/journal")
