"""The marker of an erased person."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Erasure:
    """A person was erased at the instant `at`: a marker that only somebody who knows the name can
    match.

    Salted and hashed, so the name cannot be read from it; it is kept for `ERASURES_KEPT`.
    """

    id: str
    salt: str
    digest: str
    at: float

    @classmethod
    def of(cls, person: str, at: float) -> Erasure:
        """A new marker for a person."""
        salt = secrets.token_hex(16)
        return cls(secrets.token_hex(16), salt, _digest(salt, person), at)

    def names(self, person: str) -> bool:
        """Whether this is the marker of that person."""
        return secrets.compare_digest(self.digest, _digest(self.salt, person))


ERASURES_KEPT = (
    30 * 86_400.0
)  # seconds in which a late journal may still bring visits of an erased person


def _digest(salt: str, person: str) -> str:
    return hashlib.sha256(f"{salt}:{person}".encode(errors="surrogatepass")).hexdigest()
