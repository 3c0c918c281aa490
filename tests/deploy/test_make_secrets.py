"""`deploy/make-secrets`: files that only their user reads, made once, and a password that Postgres
takes from one."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from db.ledger import SqlLedger
from db.upgrade import upgrade
from tests.deploy.compose import ROOT, composed, services
from tests.postgres import PASSWORD, PostgresServer

SCRIPT = ROOT / "deploy" / "make-secrets"


def make(folder: Path) -> str:
    """Run it; what it prints."""
    done = subprocess.run(
        [str(SCRIPT), str(folder)], capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout


def test_every_secret_is_made_once(tmp_path: Path) -> None:
    """All secrets of the compose file, mode 0600 each; a second run changes none and says so."""
    folder = tmp_path / "secrets"
    assert make(folder).count("made ") == 3
    files = {file.name: file for file in folder.iterdir()}
    assert set(files) == set(composed()["secrets"])
    assert {stat.S_IMODE(file.stat().st_mode) for file in files.values()} == {0o600}
    before = {name: file.read_text() for name, file in files.items()}
    assert all(len(text) >= 48 for text in before.values())
    assert len(set(before.values())) == 3
    assert make(folder).count("kept ") == 3
    assert {name: file.read_text() for name, file in files.items()} == before


def test_whose_they_are(tmp_path: Path) -> None:
    """Each belongs to the user of the container that reads it."""
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    make(tmp_path)
    owners = {
        file.name: f"{file.stat().st_uid}:{file.stat().st_gid}" for file in tmp_path.iterdir()
    }
    assert owners == {
        "database_password": services()["database"]["user"],
        "database_pgpass": "10001:10001",
        "grafana_password": "472:0",
    }


def test_one_password_in_two_forms(tmp_path: Path) -> None:
    """What Postgres is set up with is what the proxy signs in with; half of the pair alone is an
    error."""
    make(tmp_path)
    password = (tmp_path / "database_password").read_text()
    assert (
        tmp_path / "database_pgpass"
    ).read_text() == f"database:5432:allowance:allowance:{password}\n"
    (tmp_path / "database_password").unlink()
    done = subprocess.run([str(SCRIPT), str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "put it back" in done.stderr
    assert not (tmp_path / "database_password").exists()


def test_a_password_file_opens_the_ledger(
    postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With PGPASSFILE a URL without a password is enough; without the file the server says no."""
    name = postgres_server.new_database()
    file = tmp_path / "pgpass"
    file.write_text(f"127.0.0.1:{postgres_server.port}:{name}:postgres:{PASSWORD}\n")
    file.chmod(0o600)
    url = f"postgresql+psycopg://postgres@127.0.0.1:{postgres_server.port}/{name}"
    monkeypatch.setenv("PGPASSFILE", str(file))
    assert upgrade(url)
    ledger = SqlLedger(url, "test")
    ledger.check()
    ledger.close()
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "nothing"))
    with pytest.raises(Exception, match="password"):
        upgrade(url)
