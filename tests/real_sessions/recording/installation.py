"""What a recording needs on the machine: programs of the system, and packages of others in a folder
outside of the repository, in the versions that `tests/real_sessions/software/` locks.

A part is made once: a stamp remembers what it was made from.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.real_sessions.recording.part_failed import PartFailed
from tests.real_sessions.recording.processes import run

SOFTWARE = Path(__file__).parents[1] / "software"
# Programs, by the Debian package that has them.
PROGRAMS = {
    "chromium": "chromium",
    "ffmpeg": "ffmpeg",
    "nginx": "nginx-light",
    "ngircd": "ngircd",
    "npm": "npm",
    "prosody": "prosody",
    "prosodyctl": "prosody",
}
LEAVE = "see what the message says; remove {folder} to begin again"


@dataclass(frozen=True, slots=True)
class Installation:
    """Where what is installed lies. `modules`: packages of npm; `python`: an interpreter with those
    of Python; `prepared`: what is made from them."""

    modules: Path
    python: Path
    prepared: Path

    @property
    def node(self) -> Path:
        """Node.js in the version that the packages want, which comes with them."""
        return self.modules / ".bin" / "node"

    def script(self, name: str) -> Path:
        """A command of the Python packages."""
        return self.python.with_name(name)


def cache() -> Path:
    """`$XDG_CACHE_HOME/allowance-sessions`, below the home folder where that is not set."""
    base = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(base) / "allowance-sessions"


def install(say: Callable[[str], None]) -> Installation:
    """Make what is missing. Raises PartFailed where programs of the system are missing, with the
    command that brings them."""
    _check_programs()
    folder = cache()
    packages = folder / "npm"
    _once(packages, _digest(SOFTWARE / "npm"), say, "npm packages, some 500 MB", _npm)
    environment = folder / "python"
    _once(environment, _digest(SOFTWARE / "requirements.lock"), say, "Python packages", _pip)
    return Installation(
        packages / "node_modules", environment / "bin" / "python", folder / "prepared"
    )


def _check_programs() -> None:
    where = os.environ.get("PATH", "") + os.pathsep + "/usr/sbin"  # servers are there
    os.environ["PATH"] = where
    missing = sorted({package for name, package in PROGRAMS.items() if not shutil.which(name)})
    if missing:
        raise PartFailed(
            "programs of the system",
            f"{', '.join(missing)} missing",
            f"apt-get install --no-install-recommends {' '.join(missing)}",
        )


def _npm(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOFTWARE / "npm" / name, folder / name)
    # No script of a package is run: what is used here needs none.
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev"]
    run("npm packages", command, folder, LEAVE.format(folder=folder))


def _pip(folder: Path) -> None:
    then = LEAVE.format(folder=folder)
    run("Python packages", [sys.executable, "-m", "venv", folder], folder, then)
    pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    lock = SOFTWARE / "requirements.lock"
    run("Python packages", [*pip, "--require-hashes", "-r", lock], folder, then)


def _once(
    folder: Path,
    made_from: str,
    say: Callable[[str], None],
    what: str,
    make: Callable[[Path], None],
) -> None:
    stamp = folder / "made-from"
    if stamp.is_file() and stamp.read_text() == made_from:
        return
    say(f"installing: {what}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    make(folder)
    stamp.write_text(made_from)


def prepare(
    installation: Installation,
    name: str,
    made_from: str,
    say: Callable[[str], None],
    make: Callable[[Path], None],
) -> Path:
    """A folder of what is made from the packages, once."""
    folder = installation.prepared / name
    _once(folder, made_from, say, name, make)
    return folder


def _digest(path: Path) -> str:
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
