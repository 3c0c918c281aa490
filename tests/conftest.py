"""Fixtures that more than one folder of tests uses."""

from __future__ import annotations

from tests.postgres import own_postgres, postgres_server, postgres_url

__all__ = ["own_postgres", "postgres_server", "postgres_url"]
