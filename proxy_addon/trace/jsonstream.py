"""Walk through one large JSON document in bounded memory: only one member is held at a time."""

from __future__ import annotations

import json
import re
from codecs import getincrementaldecoder
from collections.abc import Iterator
from typing import Any, Protocol

_CHUNK = 1 << 18
_LARGEST = 64 << 20
_SPACE = re.compile(r"[ \t\r\n]*")
_NEAR_END = (
    24  # an error this close to the end of what was read may only mean that the rest is missing
)


class BrokenJsonError(ValueError):
    """The document cannot be walked any further."""


class _Bytes(Protocol):
    def read1(self, size: int, /) -> bytes: ...


class JsonStream:
    """A cursor over a JSON text. `skip` is the only way past punctuation, `value` past anything
    else."""

    def __init__(self, stream: _Bytes) -> None:
        self._stream = stream
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._json = json.JSONDecoder()
        self._text = ""
        self._at = 0
        self._ended = False

    def peek(self) -> str:
        """The next character that is not white space, or "" at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more(_CHUNK):
                return ""

    def skip(self, character: str) -> None:
        """Go past this character; anything else breaks the document."""
        if self.peek() != character:
            raise BrokenJsonError(f"expected {character!r}")
        self._at += 1

    def value(self) -> Any:
        """Decode one value. Reads as much as it needs, at most 64 MiB."""
        self.peek()
        while True:
            try:
                found, end = self._json.raw_decode(self._text, self._at)
            except RecursionError:
                raise BrokenJsonError("nested too deeply") from None
            except json.JSONDecodeError as error:
                unfinished = error.pos >= len(self._text) - _NEAR_END or error.msg.startswith(
                    "Unterminated"
                )
                if not unfinished or len(self._text) - self._at > _LARGEST:
                    raise BrokenJsonError(error.msg) from None
                if not self._more(max(_CHUNK, len(self._text) - self._at)):
                    raise BrokenJsonError("it ends in the middle") from None
                continue
            taken = end - self._at
            cut = end >= len(self._text) - 2 and not isinstance(found, dict | list | str)
            if cut and self._more(_CHUNK):
                continue  # "1", "1." and "1e-" may be the beginning of a longer number
            self._at += taken
            return found

    def start(self, longest: int = 256) -> None:
        """Go to the first object, past what a program writes before it: `onInputData(` or
        `var har =`."""
        while self.peek() not in ("{", ""):
            if longest <= 0:
                raise BrokenJsonError("expected '{'")
            self._at += 1
            longest -= 1

    def members(self) -> Iterator[str]:
        """The keys of an object; take the `value` of each before asking for the next."""
        self.skip("{")
        while self.peek() != "}":
            key = self.value()
            self.skip(":")
            yield str(key)
            if self.peek() == "}":
                break
            self.skip(",")
        self.skip("}")

    def items(self) -> Iterator[Any]:
        """The decoded members of an array, one at a time."""
        self.skip("[")
        while self.peek() != "]":
            yield self.value()
            if self.peek() == "]":
                break
            self.skip(",")
        self.skip("]")

    def _more(self, wanted: int) -> bool:
        if self._ended:
            return False
        pieces, got = [self._text[self._at :]], 0
        while got < wanted:
            data = self._stream.read1(_CHUNK)
            piece = self._decoder.decode(data, final=not data)
            pieces.append(piece)
            got += len(piece)
            if not data:
                self._ended = True
                break
        self._text, self._at = "".join(pieces), 0
        return got > 0
