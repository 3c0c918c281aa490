"""Small pieces of sound: a chime of a chat, or a few seconds of a broadcast at a low rate.

One piece alone says nothing. A chime is very short, or the same file each time; pieces of a
broadcast have a name or a query of their own, and follow each other.
"""

from __future__ import annotations

from typing import Final
from zlib import crc32

from proxy_addon.core.metering.activity import Evidence, Exchange, Judgement, Kind
from proxy_addon.core.metering.media_types import PIECE_MIN_BYTES
from proxy_addon.core.types import Activity

PIECES_KNOWN: Final = 16
PIECES_NEEDED: Final = 3  # in as many bursts, soon after each other, before they count

_PIECE: Final = Judgement(Activity.MEDIA, Evidence.MEDIA_PLAYED, Kind.MEDIA)
_CHIME: Final = Judgement(Activity.BACKGROUND, Evidence.CHIME)

type Pieces = tuple[int, ...]
"""Checksums of the pieces that were loaded last, the newest at the end."""


def judged(known: Pieces, x: Exchange, judgement: Judgement) -> tuple[Pieces, Judgement]:
    """The memory and the judgement after a short sound that the platform's own page loaded."""
    if not judgement.activity.counts:
        return known, judgement
    name = crc32(f"{x.host}{x.path}".encode())
    after = (*(n for n in known if n != name), name)[-PIECES_KNOWN:]
    if name in known or x.bytes < PIECE_MIN_BYTES:
        return after, _CHIME
    return after, _PIECE
