"""`deploy/release.py`: a release is tagged only when everything about it fits."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from deploy.release import main, problems

PROJECT = """[project]
name = "sample"
version = "1.2.3"
dependencies = ["First_Thing>=2,<3", "other[extra]>=1.5"]

[dependency-groups]
build = ["maker>=7"]
dev = ["tester"]
"""
CHANGELOG = """# Changelog

## Unreleased

## 1.2.3 - 2026-11-30

### Added
- Something.

## 1.2.2 - 2026-11-01

- Something else.
"""
HASH = " \\\n    --hash=sha256:abc \\\n    --hash=sha256:def\n"
LOCK = f"first-thing==2.9.1{HASH}other==1.5{HASH}deeper==1.0{HASH}"
FILES = {
    "pyproject.toml": PROJECT,
    "CHANGELOG.md": CHANGELOG,
    "requirements.lock": LOCK,
    "requirements-dev.lock": f"{LOCK}maker==80.1{HASH}tester==8.0{HASH}",
}


def git(folder: Path, *words: str) -> str:
    """What git says there, without the settings of whoever runs this."""
    who = [
        "-c",
        "user.name=Tester",
        "-c",
        "user.email=tester@example.org",
        "-c",
        "commit.gpgsign=false",
    ]
    return subprocess.run(
        ["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that is ready for release 1.2.3."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Tester")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "tester@example.org")
    git(tmp_path, "init", "--quiet")
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "Start")
    return tmp_path


def test_a_release_that_fits_is_tagged(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The tag is annotated, and the way to publish it is told."""
    assert main(["1.2.3"], project) == 0
    assert git(project, "cat-file", "-t", "v1.2.3").strip() == "tag"
    assert "git push origin v1.2.3" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        (
            "pyproject.toml",
            '"1.2.3"',
            '"1.2.2"',
            "pyproject.toml has version 1.2.2: set it to 1.2.3",
        ),
        (
            "CHANGELOG.md",
            "1.2.3 - 2026-11-30",
            "1.2.3",
            "no section for this release: add '## 1.2.3 -",
        ),
        ("CHANGELOG.md", "- Something.\n", "", "list what changed under '## 1.2.3 - 2026-11-30'"),
        ("CHANGELOG.md", "## Unreleased\n", "", "no section '## Unreleased': add an empty one"),
        (
            "CHANGELOG.md",
            "## Unreleased\n",
            "## Unreleased\n- New.\n",
            "move them to the section of 1.2.3",
        ),
        ("requirements.lock", "first-thing", "last-thing", "does not name First_Thing"),
        (
            "requirements.lock",
            "==2.9.1",
            "==3.0",
            "has first-thing 3.0, pyproject.toml wants <3,>=2",
        ),
        (
            "requirements-dev.lock",
            "tester",
            "toaster",
            "requirements-dev.lock does not name tester",
        ),
        ("requirements.lock", f"deeper==1.0{HASH}", "deeper==1.0\n", "no hash for deeper"),
    ],
)
def test_what_does_not_fit_is_reported(
    project: Path, file: str, old: str, new: str, told: str
) -> None:
    """One line for one mistake, with what to do about it."""
    (project / file).write_text(FILES[file].replace(old, new))
    git(project, "commit", "--quiet", "--all", "--message", "Change")
    (line,) = problems(project, "1.2.3")
    assert told in line
    assert "\n" not in line


def test_changes_that_are_not_committed_stop_it(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also a new file; and no tag is made."""
    (project / "new.txt").write_text("new")
    assert main(["1.2.3"], project) == 1
    assert "not committed" in capsys.readouterr().err
    assert git(project, "tag", "--list") == ""


def test_a_tag_is_never_moved(project: Path) -> None:
    """A version is released once."""
    git(project, "tag", "v1.2.3")
    assert list(problems(project, "1.2.3")) == [
        "The tag v1.2.3 exists already: choose the next version"
    ]


@pytest.mark.parametrize("words", [[], ["v1.2.3"], ["1.2"]])
def test_a_version_has_three_numbers(project: Path, words: list[str]) -> None:
    """Anything else is answered with how to call it."""
    (line,) = problems(project, "".join(words))
    assert line.endswith("call it as make release VERSION=1.2.3")
    assert main(words, project) == 1


def test_where_git_cannot_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Outside a repository, git's own words are in the line."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    assert main(["1.2.3"], tmp_path) == 1
    assert "not a git repository" in capsys.readouterr().err
