"""The version before, with its own code, and this one on one ledger of today's schema, on both
engines."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest

from db.ledger import SqlLedger
from db.upgrade import upgrade
from tests.db.engines import ENGINES, new_url
from tests.ledger.test_ledger_contract import START, grant, visit
from tests.ledger.test_notices_contract import confirmed, met

ROOT = Path(__file__).resolve().parents[2]
# The last one with ledger_0005. Whoever adds a migration names the last commit that was released
# without it, not an older one than the first that reads `schema_compatibility` (db/engine.py):
# versions before that refuse every newer schema.
BEFORE = "a715e20e384d9d4f29ff7c1cf84c4ddb72eed28f"
PROGRAM = """
import sys
from db.ledger import SqlLedger
from proxy_addon.core.types import Visit
url, start = sys.argv[1], float(sys.argv[2])
ledger = SqlLedger(url, "before")
ledger.check()
print(sorted((row.id, row.rev) for row in ledger.visits(0.0)), [row.person for row in ledger.grants(0.0)])
ledger.prune(start - 1.0)
old = Visit("old", "bo", "x", None, "daily", "Fifteen", start, start + 30.0, "before")
ledger.write_visits([old])
print(sorted(row.id for row in ledger.news(0.0).visits))
ledger.close()
"""


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code of the version before, taken from the history."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    command = ["git", "archive", BEFORE, "proxy_addon", "db"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"this checkout does not have commit {BEFORE} (a shallow clone, or no clone)")
    folder = tmp_path_factory.mktemp("before")
    with tarfile.open(fileobj=BytesIO(made.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.mark.parametrize("engine", ENGINES)
def test_both_versions_share_a_ledger(
    before: Path, engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """The version before reads what this one wrote, writes beside it, and is read by this one."""
    url = new_url(engine, request, tmp_path)
    upgrade(url)
    with closing(SqlLedger(url, "a")) as ledger:
        ledger.write_visits([visit(1), visit(2, rev=3)])
        ledger.add_grant(grant(), actor="cli:ada")
        ledger.acknowledge(confirmed())
        ledger.meet(met())
        run = subprocess.run(
            [sys.executable, "-c", PROGRAM, url, str(START)],
            cwd=before,
            env=os.environ | {"PYTHONPATH": str(before)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        assert run.stdout.splitlines() == [
            "[('v1', 1), ('v2', 3)] ['ana']",
            "['old', 'v1', 'v2']",
        ]
        assert [(row.person, row.end) for row in ledger.visits(0.0, person="bo")] == [
            ("bo", START + 30.0)
        ]
        assert (list(ledger.acknowledgements()), list(ledger.meetings())) == (
            [confirmed()],
            [met()],
        )
