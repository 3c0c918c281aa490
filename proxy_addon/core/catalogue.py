"""The catalogue, compiled: which platform a host is of, and what a host and path say about a request.

A pattern in `embeds`, `background` or a section is one of

* a host pattern (`hosts.py`): `platform.linkedin.com`, `=t.co`;
* a path pattern, valid on every host of the platform: `/embed/*`, `*/realtime/*`;
* a host pattern followed by a path pattern: `www.facebook.com/tr`, `=t.co/i/adsct*`.

In a path `*` is any run of characters, everything else stands for itself. A pattern fits the whole path;
`/embed/*` also fits `/embed`, and a slash at the very end of a path makes no difference. Case makes none
either: a platform may serve `/Embed/` as it serves `/embed/`, and nobody gets round a rule by a capital.
For the same reason a path is tidied first as a server would do it: `//`, `/./`, `/../` and `%65`. The
query is looked at only by patterns that contain a `?`.

Of the sections that fit, the one that the file names first wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from proxy_addon.core.hosts import HostTable, normalise
from proxy_addon.core.ruleset import Platform

_HOSTS_KEPT = 8192  # places remembered; a browsing office meets some thousand platform hosts a day
_PATH_READ = 4096  # characters of path and query that patterns see
_ODD = re.compile(r"%|//|/\.")
_NEVER = 1 << 30


class Hit(NamedTuple):
    """What a host and path say. `embed` and `background` are evidence, not a verdict on the request."""

    platform: str
    section: str | None = None
    embed: bool = False
    background: bool = False


type _Fits = Callable[[str], re.Match[str] | None]


class _Place(NamedTuple):
    """What a host alone says, and the path patterns that apply below it."""

    platform: str
    section: int  # index of the first section that the host alone is in; _NEVER = none
    embed: bool
    background: bool
    sections: tuple[_Fits, ...]  # the number of the group that took part is the section's index + 1
    embeds: tuple[_Fits, ...]
    backgrounds: tuple[_Fits, ...]
    names: tuple[str, ...]
    plain: Hit  # the answer when no path pattern fits


class Catalogue:
    """Platforms by host, and sections, embeds and background endpoints by host and path. Compiled once.

    Safe to share between threads. `ValueError` names a pattern that cannot be one.
    """

    def __init__(self, platforms: Mapping[str, Platform]) -> None:
        self._parts = {name: _Parts(platform) for name, platform in platforms.items()}
        excluded = [(pattern, (name, False)) for name, p in platforms.items() for pattern in p.excludes]
        included = [(pattern, (name, True)) for name, p in platforms.items() for pattern in p.hosts]
        self._table = HostTable[tuple[str, bool]]([*excluded, *included])
        self._place = lru_cache(_HOSTS_KEPT)(self._find_place)

    def platform_of(self, host: str) -> str | None:
        """The platform of a host, or None. Any spelling of the host will do."""
        place = self._place(host)
        return None if place is None else place.platform

    def look(self, host: str, path: str) -> Hit | None:
        """What is known about a request from its host and path (with or without query); None: no platform."""
        place = self._place(host)
        if place is None:
            return None
        path = tidy(path)
        section = place.section
        for fits in place.sections:
            found = fits(path)
            if found is not None and found.lastindex is not None:
                section = min(section, found.lastindex - 1)
        embed = place.embed or _any(place.embeds, path)
        background = place.background or _any(place.backgrounds, path)
        if section == place.section and embed is place.embed and background is place.background:
            return place.plain
        name = None if section == _NEVER else place.names[section]
        return Hit(place.platform, name, embed, background)

    def _find_place(self, host: str) -> _Place | None:
        name = normalise(host)
        excluded = set()
        for platform, included in self._table.matches(name):
            if not included:
                excluded.add(platform)
            elif platform not in excluded:
                return self._parts[platform].place(name)
        return None


def _any(patterns: tuple[_Fits, ...], path: str) -> bool:
    for fits in patterns:  # noqa: SIM110 - once a request: a loop costs half of what any() costs
        if fits(path) is not None:
            return True
    return False


def tidy(path: str) -> str:
    """The path as patterns see it: lower case, decoded once, no empty or dotted segments, query kept."""
    path = path[:_PATH_READ].lower()
    end = path.find("?")
    odd = _ODD.search(path, 0, end) if end >= 0 else _ODD.search(path)
    if odd is None and path.startswith("/"):
        return path
    bare, mark, query = path.partition("?")
    kept: list[str] = []
    segments = unquote(bare).lower().replace("?", "%3f").split("/")
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    tail = "/" if kept and segments[-1] in ("", ".", "..") else ""
    return f"/{'/'.join(kept)}{tail}{mark}{query}"


class _Marks:
    """Patterns with an index each: which hosts carry one, and path patterns by the host they are bound to."""

    def __init__(self, patterns: Iterable[tuple[int, str]]) -> None:
        hosts: list[tuple[str, int]] = []
        paths: dict[str, list[tuple[int, str]]] = {}
        for index, pattern in patterns:
            host, path = _split(pattern)
            if path is None:
                hosts.append((host, index))
            else:
                paths.setdefault(host, []).append((index, path))
        self._hosts = HostTable(hosts)
        anywhere = paths.pop("", None)
        self._anywhere: tuple[_Fits, ...] = (_compile(anywhere),) if anywhere else ()
        self._bound = HostTable([(host, _compile(found)) for host, found in paths.items()])

    def at(self, host: str) -> tuple[int, tuple[_Fits, ...]]:
        """The lowest index that the host alone carries (or _NEVER), and the path patterns valid there."""
        lowest = min(self._hosts.matches(host), default=_NEVER)
        return lowest, (*self._anywhere, *self._bound.matches(host))


class _Parts:
    """One platform's patterns, compiled."""

    def __init__(self, platform: Platform) -> None:
        self._name = platform.name
        self._names = tuple(section.name for section in platform.sections)
        self._sections = _Marks(
            (index, pattern)
            for index, section in enumerate(platform.sections)
            for pattern in (*section.hosts, *section.paths)
        )
        self._embeds = _Marks((0, pattern) for pattern in platform.embeds)
        self._backgrounds = _Marks((0, pattern) for pattern in platform.background)

    def place(self, host: str) -> _Place:
        section, sections = self._sections.at(host)
        embed, embeds = self._embeds.at(host)
        background, backgrounds = self._backgrounds.at(host)
        name = None if section == _NEVER else self._names[section]
        return _Place(
            platform=self._name,
            section=section,
            embed=embed != _NEVER,
            background=background != _NEVER,
            sections=sections,
            embeds=embeds,
            backgrounds=backgrounds,
            names=self._names,
            plain=Hit(self._name, name, embed != _NEVER, background != _NEVER),
        )


def _split(pattern: str) -> tuple[str, str | None]:
    """(host pattern or "" for any, path pattern or None for all): the three forms of a pattern."""
    host, slash, rest = pattern.partition("/")
    if not slash:
        if host.startswith("*") and "." not in host:
            return "", host
        return host, None
    return ("" if host == "*" else host), (f"*/{rest}" if host == "*" else f"/{rest}")


def _compile(patterns: Iterable[tuple[int, str]]) -> _Fits:
    """One expression for all; the group that took part tells the lowest index that fits."""
    by_index: dict[int, list[str]] = {}
    for index, pattern in patterns:
        by_index.setdefault(index, []).append(_expression(pattern))
    top = max(by_index)
    groups = [f"({'|'.join(by_index[i])})" if i in by_index else "((?!))" for i in range(top + 1)]
    return re.compile("|".join(groups), re.DOTALL).match


def _expression(pattern: str) -> str:
    """A path pattern as an expression that never looks back twice: each star takes the nearest fit."""
    text = pattern.lower()
    folder = text.endswith("/*") and len(text) > len("*/*")
    body, mark, query = (text[:-2] if folder else text).partition("?")
    if mark:
        return f"{_stars(body, '[^?]')}[?]{_stars(query, '.')}$"
    expression = _stars(body.rstrip("/"), "[^?]")
    return f"{expression}(?:/[^?]*)?(?:[?]|$)" if folder else f"{expression}/?(?:[?]|$)"


def _stars(text: str, any_character: str) -> str:
    first, *rest = [re.escape(part) for part in text.split("*")]
    if not rest:
        return first
    *middle, last = rest
    nearest = "".join(f"(?>{any_character}*?{part})" for part in middle)
    return f"{first}{nearest}{any_character}*{last}"
