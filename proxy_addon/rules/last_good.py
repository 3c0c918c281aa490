"""The last valid rules, kept on disk: a restart uses them when the rules folder is broken.

Each rules folder has its own folder below `last-good-rules/`, named by a hash of its path, so that
a mistyped `--rules` does not load another folder's rules. It holds copies of the files, and
`current` names the complete copy: it is written last and replaced atomically, so a crash or a full
disk leaves the previous copy.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from proxy_addon.rules import folder as rules_folder
from proxy_addon.rules.folder import Reading
from proxy_addon.system import private_files

FOLDER = "last-good-rules"
_CURRENT = "current"


class Kept(NamedTuple):
    """A complete copy: its content, and when it was kept (an instant)."""

    reading: Reading
    since: float


class LastGood:
    """The copy of one rules folder. All methods block on the disk."""

    def __init__(self, state: Path, rules: Path) -> None:
        """`state` is where the proxy keeps its own files, `rules` the folder that is copied."""
        path = os.path.abspath(rules)  # noqa: PTH100 (a link that is swapped stays the same folder)
        self._rules = path
        self.place = state / FOLDER / hashlib.sha256(os.fsencode(path)).hexdigest()[:16]

    def keep(self, reading: Reading) -> bool:
        """Keep these files; False when they are kept already. Raises OSError, and the copy before
        stays."""
        content_digest = _content_digest(reading)
        kept = self.find()
        if kept is not None and _content_digest(kept.reading) == content_digest:
            return False
        private_files.make_folder(self.place)  # rule files name people
        fresh = self.place / f".new-{secrets.token_hex(4)}"
        try:
            for name, content in _files(reading):
                private_files.make_folder((fresh / name).parent)
                private_files.write_new(fresh / name, content)
            self._check(fresh, reading)
            shutil.rmtree(self.place / content_digest[:16], ignore_errors=True)
            fresh.rename(self.place / content_digest[:16])
            self._write_pointer(content_digest, reading.digest)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        self._remove_others(content_digest[:16])
        return True

    def _check(self, copy: Path, reading: Reading) -> None:
        """A copy that a start could not use is none. Raises OSError."""
        if rules_folder.read(copy).digest != reading.digest:
            raise OSError(f"{copy}: it is not what was copied")

    def find(self) -> Kept | None:
        """The copy, when there is one and it is what was kept."""
        pointer = self._pointer()
        content_digest = str(pointer.get("seal", ""))
        if not content_digest:
            return None
        reading = rules_folder.read(self.place / content_digest[:16])
        if reading.failed or _content_digest(reading) != content_digest:
            return None
        return Kept(reading, (self.place / _CURRENT).stat().st_mtime)

    def _pointer(self) -> dict[str, object]:
        try:
            found = json.loads((self.place / _CURRENT).read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _write_pointer(self, content_digest: str, digest: str) -> None:
        text = json.dumps(
            {"rules": self._rules, "digest": digest, "seal": content_digest}, indent=1
        )
        private_files.replace(self.place / _CURRENT, text.encode("utf-8", "surrogateescape"))

    def _remove_others(self, kept: str) -> None:
        for each in self.place.iterdir():
            if each.is_dir() and each.name != kept:
                shutil.rmtree(each, ignore_errors=True)


def _files(reading: Reading) -> Iterator[tuple[str, bytes]]:
    """Each file by its path in the folder."""
    for name, content in reading.top:
        yield name.rpartition("/")[2], content
    for name, content in reading.platforms:
        yield f"platforms/{name.rpartition('/')[2]}", content
    for file, found in (*reading.calendars, *reading.notices):
        if isinstance(found, bytes):
            yield file, found


def _content_digest(reading: Reading) -> str:
    digest = hashlib.sha256()
    for name, content in _files(reading):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
