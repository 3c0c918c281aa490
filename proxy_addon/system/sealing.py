"""Text that goes out with a link and comes back unread and unchanged: encrypted, for one purpose
and one person, and only for a while."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12
_TIME = struct.Struct("!d")
MAX_BYTES = 8_192  # of what goes out and comes back


class Sealer:
    """Seals text by a key that is derived from a secret, for one purpose."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        key = hashlib.sha256(f"allowance {purpose}\0".encode() + secret).digest()
        self._cipher = AESGCM(key)

    def seal(self, text: str, person: str, now: float) -> str:
        """The text for the person, in letters that a URL may hold; "" for one that is too long to
        come back. `now`: an instant."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        plain = _TIME.pack(now) + text.encode(errors="surrogatepass")
        sealed = self._cipher.encrypt(nonce, plain, _name(person))
        letters = base64.urlsafe_b64encode(nonce + sealed).decode("ascii").rstrip("=")
        return letters if len(letters) <= MAX_BYTES else ""

    def open(self, sealed: str, person: str, now: float, lifetime: float) -> str | None:
        """The text; None for what was not sealed here for this person, or more than `lifetime`
        seconds ago."""
        if len(sealed) > MAX_BYTES:
            return None
        try:
            data = base64.urlsafe_b64decode(sealed.encode("ascii") + b"=" * (-len(sealed) % 4))
            plain = self._cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], _name(person))
        except (InvalidTag, ValueError, UnicodeError, binascii.Error):
            return None
        (at,) = _TIME.unpack_from(plain)
        if not 0 <= now - at <= lifetime:
            return None
        return plain[_TIME.size :].decode(errors="surrogatepass")


def _name(person: str) -> bytes:
    return person.encode(errors="surrogatepass")
