"""What a recorded session may have in it: it is small, names no folder of a machine, and has no
text that somebody typed."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, quote_plus

LARGEST = 400_000  # bytes of a trace, compressed


class NotKeptError(Exception):
    """Something is in a recorded session that must not be there."""


def check(trace: Path, typed: Iterable[str], folders: Iterable[Path]) -> None:
    """Raises NotKeptError. A text of one word is no text: the names of files have such words."""
    size = trace.stat().st_size
    if size > LARGEST:
        raise NotKeptError(f"{trace.name} has {size} bytes, more than {LARGEST}")
    content = gzip.decompress(trace.read_bytes()).decode()
    for text in typed:
        forms = {text, quote(text), quote_plus(text)}
        if " " in text and any(form in content for form in forms):
            raise NotKeptError(f"{trace.name} has what somebody typed: {text!r}")
    for folder in folders:
        if f"{folder}/" in content:
            raise NotKeptError(f"{trace.name} names the folder {folder}")
