"""`proxy_addon/cli/ledger_access.py`: what the commands on the ledger share."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from proxy_addon.cli.ledger_access import ledger_name, open_ledger
from tests.cli.command_setup import ledger, line, office, run, used


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An office to work in."""
    return office(tmp_path, monkeypatch)


def test_open_ledger() -> None:
    """Rules and ledger, and of one person what a balance can need; what others did is not read."""
    with ledger() as opened:
        opened.write_visits([used("ana"), used("bob"), used("ana", ago=90 * 86_400.0)])
    with open_ledger(None, None, None) as context:
        assert [visit.person for visit in context.usage("ana").visits.values()] == ["ana"]
        assert "daily" in context.engine.rule_set.allowances


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
    """Settings, rules and ledger that cannot be used: their message and exit code 1, no
    traceback."""
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


def test_a_mistyped_ledger_is_not_made(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever looks into a file that is not there is told so, and no empty ledger answers in its
    place."""
    with pytest.raises(typer.Exit), open_ledger(None, "sqlite:///typo/nope.db", None):
        pass
    assert capsys.readouterr().err == (
        "SQLite file typo/nope.db: there is no such file; check --database, put it back if it was moved, "
        "or make it with `allowance run` or `allowance db upgrade`\n"
    )
    assert not Path("typo").exists()


READING = (
    ("usage", "ana"),
    ("usage", "not a name"),
    ("grant", "ana", "daily", "much", "--reason", "r"),
    ("reset", "ana", "daily", "--reason", ""),
    ("requests", "list"),
    ("requests", "refuse", "1", "--note", ""),
    ("audit",),
    ("report",),
    ("people", "list"),
    ("people", "export", "ana"),
    ("people", "erase", "not a name", "--yes"),
    ("people", "unmask", "p:x", "--reason", "r"),
    ("db", "check"),
    ("db", "prune"),
    ("rules", "check"),
    ("rules", "test"),
    ("rules", "diff", "rules"),
    ("rules", "explain", "--user", "ana", "--url", "not a url"),
    ("rules", "explain", "--user", "not: a name", "--url", "https://x.com/"),
    ("rules", "explain", "--user", "ana", "--url", "https://x.com/", "--at", "noon"),
    ("rules", "explain", "--user", "ana", "--url", "https://x.com/"),
    ("simulate", "nothing.log"),
)


@pytest.mark.parametrize("words", READING, ids=" ".join)
@pytest.mark.parametrize("empty", [False, True], ids=["no file", "an empty file"])
def test_no_command_that_reads_makes_a_ledger(
    words: tuple[str, ...], empty: bool, folder: Path
) -> None:
    """Whether its input is good or not: a ledger is made by the proxy and by `db upgrade` only."""
    if empty:
        (folder / "var").mkdir()
        (folder / "var" / "allowance.db").touch()
    before = {path: path.stat().st_size for path in folder.rglob("*")}
    run(*words)
    assert {path: path.stat().st_size for path in folder.rglob("*")} == before
    assert "allowance db upgrade" in line("usage", "ana")


REASON = "because\nof \x1b[31mthis"


@pytest.mark.parametrize(
    "words",
    [
        ("grant", "ana", "daily", "10m"),
        ("reset", "ana", "daily"),
        ("people", "erase", "ana", "--now", "--yes"),
    ],
    ids=" ".join,
)
def test_reasons_are_those_of_the_form(words: tuple[str, ...]) -> None:
    """One line without control characters goes into the audit; what is too long is refused."""
    with ledger() as opened:
        opened.write_visits([used("ana")])
    long = line(*words, "--reason", "a" * 5000)
    assert long == "--reason: 'aaaaaaaaaaaaaaaaaaaa'… has 5,000 characters; write at most 240\n"
    assert run(*words, "--reason", REASON)[0] == 0
    with ledger() as opened:
        details = [entry.detail for entry in opened.audit_log()]
    assert any("because of [31mthis" in detail for detail in details)
    assert "".join(details).isprintable()
