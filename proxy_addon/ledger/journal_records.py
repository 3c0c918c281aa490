"""The records of a journal: how a visit is written on a line, and how the files are read."""

from __future__ import annotations

import json
import re
import zlib
from pathlib import Path
from typing import Final

from proxy_addon.core.metering.evidence import packed, unpacked
from proxy_addon.core.types import Visit

SUFFIXES: Final = (".a", ".b")

# A record is the visit's fields in this order. `evidence` is packed into text.
_OPTIONAL_TEXT: Final = (str, type(None))
_NUMBER: Final = (float, int)
_SHAPES: Final[dict[str, type | tuple[type, ...]]] = {
    "id": str,
    "person": str,
    "platform": str,
    "section": _OPTIONAL_TEXT,
    "allowance": _OPTIONAL_TEXT,
    "rule": _OPTIONAL_TEXT,
    "start": _NUMBER,
    "end": _NUMBER,
    "node": str,
    "rev": int,
    "evidence": _OPTIONAL_TEXT,
}
_NAMES: Final = tuple(_SHAPES)
_FIELDS: Final = tuple(_SHAPES.values())
_WITHOUT_EVIDENCE: Final = len(_FIELDS) - 1  # as earlier versions wrote them
_BREAKS: Final = re.compile(rb"[\n\0]+")  # zeros: pages that never reached the disk


def read(lock_file: Path) -> tuple[list[Visit], int]:
    """The visits of a journal, newest rev of each, and how many lines were damaged. Changes
    nothing."""
    found: dict[str, Visit] = {}
    torn = 0
    for suffix in SUFFIXES:
        try:
            data = lock_file.with_suffix(suffix).read_bytes()
        except FileNotFoundError:
            continue  # killed before it was made
        for line in filter(None, _BREAKS.split(data)):
            visit = parsed(line)
            if visit is None:
                torn += 1
            elif visit.id not in found or found[visit.id].rev < visit.rev:
                found[visit.id] = visit
    return list(found.values()), torn


def line_of(visit: Visit) -> bytes:
    values = [getattr(visit, name) for name in _NAMES]
    values[-1] = None if visit.evidence is None else packed(visit.evidence)
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode(
        errors="surrogatepass"
    )
    return b"%08x %s\n" % (zlib.crc32(text), text)


def parsed(line: bytes) -> Visit | None:
    """The visit of a line; None when it is not whole."""
    check, _, text = line.partition(b" ")
    if check != b"%08x" % zlib.crc32(text):
        return None
    try:
        values = json.loads(text.decode(errors="surrogatepass"))
    except ValueError:
        return None
    if isinstance(values, list) and len(values) == _WITHOUT_EVIDENCE:
        values.append(None)
    fits = isinstance(values, list) and len(values) == len(_FIELDS)
    if not fits or not all(
        isinstance(value, kind) for value, kind in zip(values, _FIELDS, strict=True)
    ):
        return None
    values[-1] = unpacked(values[-1])
    return Visit(*values)
