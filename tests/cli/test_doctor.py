"""`proxy_addon/cli/doctor.py`: what is right, what is not, and what to do."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest

from proxy_addon.cli.doctor import doctor
from proxy_addon.cli.run import run as run_command
from tests.cli.command_setup import office, run
from tests.e2e.waiting import free_port


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An office whose sites are a port of loopback where nobody is."""
    made = office(tmp_path, monkeypatch)
    (made / "allowance.toml").write_text(
        f'listen = "127.0.0.1:{free_port()}"\nweb = "127.0.0.1:{free_port()}"\n'
        f'resolve = ["*:443=127.0.0.1:{free_port()}"]\n'
    )
    monkeypatch.setenv("HOME", str(made))
    return made


def test_same_options_as_run() -> None:
    """Each option of `run` is one of `doctor`, by construction; --json and --probe come on top."""
    ours, theirs = (set(inspect.signature(each).parameters) for each in (doctor, run_command))
    assert ours - theirs == {"as_json", "probe"}
    assert theirs <= ours


def test_json() -> None:
    """The form that programs read: ok, and a list with four texts each."""
    code, out, _ = run("doctor", "--json", "--probe", "x.com")
    answer = json.loads(out)
    assert (code, answer["ok"]) == (0, True)
    for check in answer["checks"]:
        assert list(check) == ["name", "state", "fact", "remedy"]
        assert check["state"] in ("ok", "warning", "error", "not checked")
        assert check["state"] == "ok" or check["remedy"] or check["state"] == "not checked"
    upstream = next(check for check in answer["checks"] if check["name"] == "upstream")
    assert (upstream["state"], upstream["fact"].startswith("x.com:443")) == ("warning", True)


def test_for_people() -> None:
    """A line each when piped, with the remedy below, and a sum at the end."""
    code, out, _ = run("doctor")
    assert code == 0, out
    lines = out.splitlines()
    assert any(line.startswith("ok           python: Python 3.") for line in lines)
    assert any(line.startswith("             -> ") for line in lines)
    assert lines[-1].endswith("The proxy can run.")


def test_errors_and_exit_code(folder: Path) -> None:
    """One error is exit code 1, also with --json."""
    (folder / "rules" / "policy.yaml").write_text("{")
    code, out, _ = run("doctor")
    assert code == 1
    assert out.splitlines()[-1].endswith("Start with the errors.")
    code, out, _ = run("doctor", "--json")
    assert (code, json.loads(out)["ok"]) == (1, False)


@pytest.mark.parametrize(
    "words",
    [("--flush", "never"), ("--probe", "a:b:c"), ("--probe", ":1")],
    ids=["flush", "no port", "no host"],
)
def test_wrong_settings(words: tuple[str, ...]) -> None:
    """A check of its own instead of an exception; the rest needs settings and is left out."""
    code, out, _ = run("doctor", "--json", *words)
    (check,) = json.loads(out)["checks"]
    assert (code, check["name"], check["state"]) == (1, "settings", "error")
    assert words[0] in check["fact"]


def test_variables_that_are_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt variable is told: it would be left out silently."""
    monkeypatch.setenv("ALLOWANCE_LISSEN", ":1")
    code, out, _ = run("doctor", "--json")
    first = json.loads(out)["checks"][0]
    assert (code, first["name"], first["state"]) == (0, "settings", "warning")
    assert "ALLOWANCE_LISSEN" in first["fact"]


def test_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """There it is a table, with nothing cut off."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    code, out, _ = run("doctor")
    assert code == 0
    assert "Found, and what to do" in out
    assert "…" not in out.replace("Checking …", "")
