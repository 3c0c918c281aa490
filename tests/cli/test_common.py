"""`proxy_addon/cli/common.py`: what the commands on the ledger share."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest
import typer

from proxy_addon.cli.common import ledger_name, open_ledger, operator
from tests.cli.books import ledger, office, used


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An office to work in."""
    return office(tmp_path, monkeypatch)


def test_books() -> None:
    """Rules and ledger, and of one person what a balance can need; what others did is not read."""
    with ledger() as opened:
        opened.write_visits([used("ana"), used("bob"), used("ana", ago=90 * 86_400.0)])
    with open_ledger(None, None, None) as books:
        assert [visit.person for visit in books.usage("ana").visits.values()] == ["ana"]
        assert "daily" in books.engine.rule_set.allowances


@pytest.mark.parametrize(
    ("rules", "database", "config", "says"),
    [
        ("nowhere", None, None, "nowhere"),
        (None, "mysql://x/y", None, "--database:"),
        (None, "sqlite:///nowhere/file/a.db", None, "nowhere"),
        (None, None, "no.toml", "no.toml"),
    ],
)
def test_what_cannot_be_opened(
    rules: str | None,
    database: str | None,
    config: str | None,
    says: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Settings, rules and ledger that cannot be used: their message and exit code 1, no traceback."""
    (folder / "nowhere").write_text("a file") if database else None
    with pytest.raises(typer.Exit) as end:  # noqa: SIM117
        with open_ledger(
            Path(rules) if rules else None, database, Path(config) if config else None
        ):
            pass
    assert end.value.exit_code == 1
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Dora", "dora"),
        ("ip:10.0.0.1", "ip:10.0.0.1"),
        ("ip:FE80::1", "ip:fe80::1"),
        ("ip:unknown", "ip:unknown"),
    ],
)
def test_names(text: str, name: str) -> None:
    """Names are folded as everywhere; addresses stay as they are."""
    assert ledger_name(text) == name


def test_what_is_no_name(capsys: pytest.CaptureFixture[str]) -> None:
    """One line and exit code 1."""
    with pytest.raises(typer.Exit) as end:
        ledger_name("a:b")
    assert end.value.exit_code == 1
    assert capsys.readouterr().err.startswith("USER: 'a:b': ")
    with pytest.raises(typer.Exit):
        ledger_name("ip:banana")
    assert (
        capsys.readouterr().err
        == "USER: 'ip:banana': this is not an address; write it like ip:10.0.7.21\n"
    )


def test_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who types is written into the audit, also in a container in which nobody has a name."""
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    assert operator() == "ada"

    def nobody() -> str:
        raise OSError("no username set in the environment")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert operator().startswith("uid-")


def test_a_mistyped_ledger_is_not_made(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever looks into a file that is not there is told so, and no empty ledger answers in its place."""
    with pytest.raises(typer.Exit), open_ledger(None, "sqlite:///typo/nope.db", None):
        pass
    assert capsys.readouterr().err == (
        "SQLite file typo/nope.db: there is no such file; check --database, or make it with `allowance run` "
        "or `allowance db upgrade`\n"
    )
    assert not Path("typo").exists()
    with open_ledger(None, "sqlite:///fresh.db", None, make=True) as books:
        assert not books.usage("ana").visits
