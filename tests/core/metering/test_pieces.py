"""Twin of proxy_addon/core/metering/pieces.py: a chime is not a broadcast."""

from __future__ import annotations

from proxy_addon.core.metering.activity import Evidence, Exchange, Judgement, Kind
from proxy_addon.core.metering.media_types import PIECE_MIN_BYTES
from proxy_addon.core.metering.pieces import PIECES_KNOWN, judged
from proxy_addon.core.types import Activity

LOADED = Judgement(Activity.VISIT, Evidence.PAGE_ACTION, Kind.INTERACTION)
EMBEDDED = Judgement(Activity.EMBED, Evidence.EMBED_PATH)


def piece(name: str, size: int = PIECE_MIN_BYTES) -> Exchange:
    """A short sound of that name."""
    return Exchange("GET", "cdn.x.com", name, "audio", content_type="audio/mpeg", bytes=size)


def test_pieces_with_names_of_their_own_are_played() -> None:
    """Each segment of a broadcast is a piece of it."""
    known: tuple[int, ...] = ()
    for number in range(5):
        known, found = judged(known, piece(f"/live/{number}.aac"), LOADED)
        assert found == Judgement(Activity.MEDIA, Evidence.MEDIA_PLAYED, Kind.MEDIA)


def test_the_same_sound_again_is_a_chime() -> None:
    """A chat plays one file for each message."""
    known, _ = judged((), piece("/ping.mp3"), LOADED)
    known, found = judged(known, piece("/ping.mp3"), LOADED)
    assert found == Judgement(Activity.BACKGROUND, Evidence.CHIME)


def test_a_very_short_sound_is_a_chime() -> None:
    """Nobody listens to less, and what tells no size may be less."""
    for size in (PIECE_MIN_BYTES - 1, 0):
        assert judged((), piece("/ping.mp3", size), LOADED)[1].evidence is Evidence.CHIME


def test_sound_of_an_embed_stays_an_embed() -> None:
    """What does not count by itself is left alone."""
    assert judged((), piece("/ping.mp3"), EMBEDDED) == ((), EMBEDDED)


def test_few_pieces_are_remembered() -> None:
    """Memory is bounded, whatever is played."""
    known: tuple[int, ...] = ()
    for number in range(100):
        known, _ = judged(known, piece(f"/{number}.aac"), LOADED)
    assert len(known) == PIECES_KNOWN
