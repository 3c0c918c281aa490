"""All pages in one language, whatever their readers ask for and their office offers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from proxy_addon.presentation import languages


class _Fixed:
    """In place of the variable that says which language is spoken."""

    def __init__(self, language: str) -> None:
        self._language = language

    def get(self) -> str:
        return self._language

    def set(self, _: str) -> None:
        return None

    def reset(self, _: object) -> None:
        return None


@contextmanager
def spoken_everywhere(language: str) -> Iterator[None]:
    """In all threads: pages are made in it, also those of offices that do not offer it."""
    with patch.object(languages, "_spoken", _Fixed(language)):
        yield
