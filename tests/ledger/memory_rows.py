"""What the memory ledger asks of its rows."""

from __future__ import annotations

from collections.abc import Callable

from proxy_addon.ledger.interface import LedgerRefused


def ids[Row](stored: dict[str, tuple[int, Row]], is_old: Callable[[Row], bool]) -> list[str]:
    """Keys of the rows that are old."""
    return [key for key, (_, row) in stored.items() if is_old(row)]


def as_actor(person: str) -> frozenset[str]:
    """How a person may be recorded as an actor."""
    return frozenset((person, f"cli:{person}", f"web:{person}"))


def refuse_backwards(key: str, start: float, end: float) -> None:
    """As the databases do."""
    if end < start:
        raise LedgerRefused(
            f"memory will not take these rows ({key} ends before it begins)", kind="refused"
        )
