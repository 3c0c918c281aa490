"""Whether each part of the proxy works. `PartHealth.text` is the answer in the words of `/readyz`
and of the pages."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

OK = "ok"  # the word for a part that is well, in every answer


class Level(Enum):
    """Whether a part does its work."""

    OK = auto()
    DEGRADED = auto()  # needs a person, though the proxy does its work
    DOWN = auto()


class PartHealth(NamedTuple):
    """`detail` is what is wrong; `worker` the process that says so, where there are several."""

    level: Level
    detail: str = ""
    worker: int | None = None

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return self.level is Level.OK

    @property
    def works(self) -> bool:
        """Nothing keeps the proxy from its work."""
        return self.level is not Level.DOWN

    @property
    def text(self) -> str:
        """In words."""
        if self.ok:
            return OK
        text = f"degraded: {self.detail}" if self.works else self.detail
        return text if self.worker is None else f"worker {self.worker}: {text}"


FINE = PartHealth(Level.OK)


def degraded(detail: str) -> PartHealth:
    """A part that needs a person."""
    return PartHealth(Level.DEGRADED, detail)


def down(detail: str) -> PartHealth:
    """A part that does not do its work."""
    return PartHealth(Level.DOWN, detail)
