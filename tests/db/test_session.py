"""Twin of db/session.py; how sessions behave is in test_postgres.py."""

from __future__ import annotations

import pytest

from db.address import parse
from db.session import SESSION, arguments, session_settings


def test_the_url_has_precedence() -> None:
    """What the URL says of a connection is not said by us, and what its options set is left alone;
    the rest of our limits stays."""
    assert arguments(parse("postgresql://h/d"), "a")["application_name"] == "allowance a"
    assert "keepalives" not in arguments(parse("postgresql://h/d?keepalives=0"), "a")
    assert session_settings(parse("postgresql://h/d")) == SESSION


@pytest.mark.parametrize(
    "options", ["-c%20lock_timeout%3D9s", "--lock_timeout%3D9s", "-cLOCK_TIMEOUT=9s"]
)
def test_options_of_the_url(options: str) -> None:
    """One limit of the administrator's own, in each form that Postgres reads."""
    settings = session_settings(parse(f"postgresql://h/d?options={options}"))
    assert set(SESSION) - set(settings) == {"lock_timeout"}
