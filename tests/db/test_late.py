"""Twin of db/late.py: what is large is loaded when it is needed, and not before."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from db.upgrade import upgrade


def test_nothing_to_do_does_not_load_alembic(tmp_path: Path) -> None:
    """A start on a database that is up to date does not pay for the import of Alembic or of
    psycopg."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    upgrade(url)
    code = (
        "import sys, json; from db.upgrade import upgrade; from db.ledger import SqlLedger\n"
        f"upgrade({url!r}); SqlLedger({url!r}, 'a').check()\n"
        "print(json.dumps([name for name in ('alembic', 'psycopg') if name in sys.modules]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert json.loads(result.stdout) == []


def test_a_new_database_loads_alembic(tmp_path: Path) -> None:
    """The first start of all pays for it."""
    code = (
        "import sys; from db.upgrade import upgrade; before = 'alembic' in sys.modules\n"
        f"print(upgrade('sqlite:///{tmp_path}/ledger.db'), before, 'alembic' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert result.stdout == "True False True\n"
