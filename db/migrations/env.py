"""Alembic's entry: migrates over the connection it is given, or over the one `-x database=URL`
names."""

from __future__ import annotations

from alembic import context
from sqlalchemy.engine import Connection

from db.address import parse
from db.engine import open_engine, writing
from db.models import Base
from db.sqlite import create_file


def migrate(connection: Connection) -> None:
    """Run what the command asked for, inside the caller's transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        transactional_ddl=True,  # true on both engines, although Alembic doubts it of SQLite
        render_as_batch=True,  # SQLite alters a table by copying it
    )
    context.run_migrations()


def from_command_line() -> None:
    """Open the database that the command line names."""
    address = parse(context.get_x_argument(as_dictionary=True)["database"])
    if address.is_sqlite:
        create_file(address.file)
    engine = open_engine(address, "alembic")
    try:
        with writing(engine).begin() as connection:
            migrate(connection)
    finally:
        engine.dispose()


given = context.config.attributes.get("connection")
if given is None:
    from_command_line()
else:
    migrate(given)
