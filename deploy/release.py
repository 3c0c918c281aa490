"""Tags a release once everything about it fits: make release VERSION=x.y.z. It never pushes."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
VERSION = re.compile(r"\d+\.\d+\.\d+")
PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?==([^\s;]+)(.*)$", re.M)
LOCKS = {
    "requirements.lock": (),
    "requirements-dev.lock": ("build", "dev"),
}  # with these dependency groups


def problems(root: Path, version: str) -> Iterator[str]:
    """What keeps this version from being released; each is one line that says what to do."""
    if not VERSION.fullmatch(version):
        yield f"{version!r} is not a version: call it as make release VERSION=1.2.3"
        return
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    if (declared := project["project"]["version"]) != version:
        yield f"pyproject.toml has version {declared}: set it to {version}, or release {declared}"
    yield from _changelog((root / "CHANGELOG.md").read_text("utf-8"), version)
    for name, groups in LOCKS.items():
        wanted = list(project["project"]["dependencies"])
        for group in groups:
            wanted += project["dependency-groups"][group]
        yield from _lock(name, (root / name).read_text("utf-8"), wanted)
    yield from _repository(root, version)


def _changelog(text: str, version: str) -> Iterator[str]:
    """The release has a dated section with entries in it, and nothing is left under Unreleased."""
    parts = re.split(r"^## +(.*?) *$", text, flags=re.M)[1:]
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    dated = re.compile(rf"{re.escape(version)} - \d{{4}}-\d{{2}}-\d{{2}}")
    found = [title for title in sections if dated.fullmatch(title)]
    if not found:
        yield f"CHANGELOG.md has no section for this release: add '## {version} - YYYY-MM-DD'"
    elif not _entries(sections[found[0]]):
        yield f"CHANGELOG.md says nothing about {version}: list what changed under '## {found[0]}'"
    if "Unreleased" not in sections:
        yield "CHANGELOG.md has no section '## Unreleased': add an empty one at the top"
    elif _entries(sections["Unreleased"]):
        yield f"CHANGELOG.md has entries under Unreleased: move them to the section of {version}"


def _entries(section: str) -> bool:
    return any(line.strip() and not line.startswith("#") for line in section.splitlines())


def _lock(name: str, text: str, wanted: list[str]) -> Iterator[str]:
    """Each dependency is pinned to a version that fits, and each pin has hashes."""
    pins = {canonicalize_name(pin[1]): pin for pin in PIN.finditer(text.replace("\\\n", " "))}
    for requirement in map(Requirement, wanted):
        pin = pins.get(canonicalize_name(requirement.name))
        if pin is None:
            yield f"{name} does not name {requirement.name}: make the lock file again from pyproject.toml"
        elif not requirement.specifier.contains(pin[2], prereleases=True):
            wants = f"pyproject.toml wants {requirement.specifier}"
            yield f"{name} has {pin[1]} {pin[2]}, {wants}: make the lock file again"
    for pin in pins.values():
        if "--hash=sha256:" not in pin[3]:
            yield f"{name} has no hash for {pin[1]}: make the lock file again, with hashes"


def _repository(root: Path, version: str) -> Iterator[str]:
    """All is committed, and the tag is free."""
    if _git(root, "status", "--porcelain"):
        yield "There are changes that are not committed: commit or stash them (git status lists them)"
    if _git(root, "tag", "--list", f"v{version}"):
        yield f"The tag v{version} exists already: choose the next version"


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True)  # noqa: S607
    return done.stdout.strip()


def main(words: list[str], root: Path = ROOT) -> int:
    """Check, then tag; the exit code."""
    version = words[0] if len(words) == 1 else ""
    try:
        if found := list(problems(root, version)):
            print("\n".join(f"release: {line}" for line in found), file=sys.stderr)
            return 1
        _git(root, "tag", "--annotate", f"v{version}", "--message", f"Allowance {version}")
    except subprocess.CalledProcessError as error:
        said = (error.stderr.strip().splitlines() or [f"exit code {error.returncode}"])[-1]
        print(f"release: git {error.cmd[1]} failed, put this right first: {said}", file=sys.stderr)
        return 1
    print(f"Tagged v{version}. Nothing was pushed; to publish it: git push origin v{version}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
