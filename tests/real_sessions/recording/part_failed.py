"""What is said when a part of the recording does not work."""

from __future__ import annotations


class PartFailed(Exception):
    """`part` is what failed; `why` what was seen; `then` what to do next."""

    def __init__(self, part: str, why: str, then: str) -> None:
        super().__init__(f"{part}: {why}\n  what to do: {then}")
        self.part = part
