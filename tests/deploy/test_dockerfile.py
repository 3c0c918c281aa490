"""`Dockerfile` and `.dockerignore`, as `deploy/dockerfile.py` reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.dockerfile import Context, parse
from proxy_addon.config.settings import load_settings
from tests.deploy.compose import ROOT

STAGES = parse((ROOT / "Dockerfile").read_text("utf-8"))
LAST = STAGES[-1].instructions


def rest(word: str) -> str:
    """What stands behind a word that occurs once in the last stage."""
    [found] = [each.rest for each in LAST if each.word == word]
    return found


def test_two_stages_on_one_pinned_base() -> None:
    """The stage that installs stays behind; both begin with the same version and name no registry's
    host."""
    assert [(stage.base, stage.name) for stage in STAGES] == [
        ("python:3.13-slim-trixie", "build"),
        ("python:3.13-slim-trixie", ""),
    ]
    assert [each.rest for each in LAST if each.options.get("from") == "build"] == [
        "/opt/allowance /opt/allowance"
    ]


def test_dependencies_are_checked_by_hash() -> None:
    """Everything is installed by the one script, which takes from the lock only what has its
    hash."""
    runs = [each.rest for each in STAGES[0].instructions if each.word == "RUN"]
    assert runs == [
        f"deploy/install-into /opt/allowance {part}" for part in ("dependencies", "program")
    ]
    script = (ROOT / "deploy" / "install-into").read_text("utf-8")
    assert "--require-hashes" in script
    assert script.count("pip install") == 2
    assert "--no-index" in script


def test_what_is_copied_is_sent() -> None:
    """Each file that is copied lies in the context; secrets, tests and what git keeps do not."""
    context = Context(ROOT)
    for stage in STAGES:
        for each in stage.instructions:
            if each.word == "COPY" and "from" not in each.options:
                assert [context.path(name) for name in each.rest.split()[:-1]]
    for name in ("var", "tests", ".git", "deploy/make-secrets"):
        with pytest.raises(FileNotFoundError):
            context.path(name)
    assert context.left_out("", ["core", "__pycache__", "a.pyc", "a.py"]) == [
        "__pycache__",
        "a.pyc",
    ]


def test_nobody_is_root() -> None:
    """It runs as a fixed number that owns the data folder, and that the secrets are given to."""
    assert rest("USER") == "10001:10001"
    [made] = [each.rest for each in LAST if each.word == "RUN"]
    assert "useradd --uid 10001 --gid 10001" in made
    assert f"install -d -o 10001 -g 10001 -m 0700 {rest('VOLUME')}" in made
    assert "10001:10001" in (ROOT / "deploy" / "make-secrets").read_text("utf-8")


def test_health_and_end() -> None:
    """Health is being alive, at the web port and asked without a shell; the proxy gets the signal
    itself."""
    [health] = [each for each in LAST if each.word == "HEALTHCHECK"]
    web = load_settings({}, ROOT / "deploy" / "allowance.toml").web
    assert f"http://{web}/livez" in health.command[-1]
    assert health.command[0] == "python"
    assert {"interval", "timeout", "start-period", "retries"} <= set(health.options)
    [start] = [each for each in LAST if each.word == "CMD"]
    assert start.command == ["allowance", "run"]


@pytest.mark.parametrize(
    ("text", "problem"), [("FROM a\nADD b c", "ADD"), ('FROM a\nSHELL ["x"]', "SHELL")]
)
def test_other_words_are_an_error(text: str, problem: str) -> None:
    """What the reader does not know is not passed over in silence."""
    with pytest.raises(ValueError, match=problem):
        parse(text)


def test_instructions_are_read_whole() -> None:
    """Continued lines, comments between them, options and pairs."""
    [stage] = parse(
        "# top\nFROM a:1 AS b\nENV X=1 \\\n    # why\n    Y='2 3'\nCOPY --from=c --chown=1:1 d e\n"
    )
    assert (stage.base, stage.name) == ("a:1", "b")
    environment, copy = stage.instructions
    assert environment.pairs == {"X": "1", "Y": "2 3"}
    assert (copy.options, copy.rest) == ({"from": "c", "chown": "1:1"}, "d e")


def test_another_ignore_file_is_an_error(tmp_path: Path) -> None:
    """A list that lets in what it does not name could let in secrets."""
    (tmp_path / ".dockerignore").write_text("var\n")
    with pytest.raises(ValueError, match="begin with"):
        Context(tmp_path)
