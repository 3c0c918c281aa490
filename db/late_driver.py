"""The driver of Postgres, imported when the first connection is made; see `db/late.py`, which
nothing may import that a migration needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.address import Address

if TYPE_CHECKING:
    from db.connector import PostgresConnector


def connector(address: Address, node: str) -> PostgresConnector:
    """A `db.connector.PostgresConnector`. Loads psycopg."""
    from db.connector import PostgresConnector

    return PostgresConnector.of(address, node)
