"""Both engines for the tests of db/, with the statements that differ."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import Connection

from db.address import parse
from db.engine import open_engine, writing

ENGINES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def new_url(engine: str, request: pytest.FixtureRequest, folder: Path) -> str:
    """The URL of a database with nothing in it; the SQLite file does not exist yet."""
    if engine == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{folder}/var/ledger.db"


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """One transaction on a database that exists; committed at the end."""
    engine = open_engine(parse(url), "test")
    try:
        with writing(engine).begin() as connection:
            yield connection
    finally:
        engine.dispose()
