"""Twin of db/late_driver.py: what it loads, and when, is in test_late.py."""

from __future__ import annotations

from db.address import parse
from db.connector import PostgresConnector
from db.late_driver import connector


def test_a_connector_connects_to_nothing_yet() -> None:
    """It is made without a server."""
    assert isinstance(connector(parse("postgresql://nowhere.invalid/d"), "a"), PostgresConnector)
