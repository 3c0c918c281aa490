"""Where the calendars of a rules folder come from: its ICS files, and the public holidays of the
world."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from proxy_addon.core.rules.calendars import Days, Feed
from proxy_addon.core.rules.parsers import BadValue, quote
from proxy_addon.core.rules.problems import Code
from proxy_addon.rules import calendar_libraries


class FolderSources:
    """The `Sources` of one reading of a folder. `files`: the bytes of its ICS files, or why there
    are none."""

    def __init__(self, files: Mapping[str, bytes | tuple[Code, str, str]]) -> None:
        self._files = files
        self._feeds: dict[tuple[str, str], Feed] = {}

    def holidays(self, country: str, region: str | None, years: tuple[int, int]) -> Days:
        """The public holidays of a country or region."""
        return calendar_libraries.public_holidays(country, region, years)

    def feed(self, file: str, zone: ZoneInfo) -> Feed:
        """The events of an ICS file."""
        content = self._files.get(file)
        if content is None:
            names = tuple(self._files)
            message = f"the rules folder has no file {quote(file)}"
            raise BadValue(
                Code.MISSING_FILE, message, "add the file, or correct its name", near=(file, names)
            )
        if not isinstance(content, bytes):
            code, message, hint = content
            raise BadValue(code, f"{quote(file)}: {message}", hint)
        key = (file, zone.key)
        if key not in self._feeds:
            self._feeds[key] = calendar_libraries.ics_events(content, file, zone)
        return self._feeds[key]
