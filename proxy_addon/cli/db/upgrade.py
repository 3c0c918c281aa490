"""`allowance db upgrade`: the tables, made or brought up to date."""

from __future__ import annotations

from db.address import parse
from db.probe import describe_schema, schema_of
from db.upgrade import upgrade
from proxy_addon.cli.common import Config, say
from proxy_addon.cli.db.common import Database, database_errors
from proxy_addon.config.settings import load_settings


def upgrade_command(database: Database = None, config: Config = None) -> None:
    """Create the tables, or bring them up to date. `allowance run` does so by itself."""
    with database_errors():
        settings = load_settings({"database": database}, config)
        changed = upgrade(settings.database)
        place = parse(settings.database).place
        schema = describe_schema(schema_of(settings.database) or "none")
        say(f"{place} {'is now at' if changed else 'was already at'} {schema}.")
