"""Style A: what a platform looks like to its own pages."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Site:
    """One platform as its own pages see it. URLs are templates."""

    name: str
    home: str
    feeds: tuple[str, ...]
    items: tuple[str, ...]
    api: tuple[str, ...]
    pictures: tuple[str, ...]
    scripts: tuple[str, ...]
    films: tuple[str, ...]
    telemetry: tuple[str, ...]
    pings: tuple[str, ...]
    polls: tuple[str, ...]
    socket: str
    ads: tuple[str, ...]
    embeds: tuple[tuple[str, str], ...]  # (destination, url) on other people's pages
    inside: tuple[tuple[str, str], ...]  # what an embedded frame loads by itself
    app: str
    app_telemetry: str
    tunnels: tuple[str, ...] = field(default=())
