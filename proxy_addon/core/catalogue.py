"""The compiled catalogue: which platform a host belongs to, and what a host and path say about a
request.

A pattern in `embeds`, `players`, `background` or a section is one of

* a host pattern (`hosts.py`): `platform.linkedin.com`, `=t.co`;
* a path pattern, valid on every host of the platform: `/embed/*`, `*/realtime/*`;
* a host pattern followed by a path pattern: `www.facebook.com/tr`, `=t.co/i/adsct*`.

In a path `*` matches any run of characters; everything else is literal. A pattern matches the whole
path; `/embed/*` also matches `/embed`, and a trailing slash makes no difference. Case makes none
either: a platform may serve `/Embed/` as it serves `/embed/`, and a capital letter must not bypass
a rule. For the same reason a path is normalised first, as a server would do it: `//`, `/./`, `/../`
and `%65`. Only patterns that contain a `?` look at the query.

Of the sections that match, one matched by path beats one matched by host, and the longer path
pattern (stars not counted) beats the shorter, so an administrator's own file can take
`/jobs/post/*` out of `/jobs/*`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from proxy_addon.core.hosts import HostTable, normalise
from proxy_addon.core.ruleset import Platform

_HOSTS_KEPT = 8192  # hosts cached; an office visits some thousand platform hosts a day
_PATHS_KEPT = 8192  # answers for short paths cached: of pages, and of what they ask again and again
_SHORT_PATH = 120  # characters
_PATH_READ = 4096  # characters of path and query that patterns are matched against
_UNUSUAL = re.compile(r"%|//|/\.")
_NEVER = 1 << 30


class Hit(NamedTuple):
    """The result of a lookup. `embed` and `background` are evidence, not a verdict on the
    request. A `player` is an embed, too."""

    platform: str
    section: str | None = None
    embed: bool = False
    background: bool = False
    player: bool = False


type _Matcher = Callable[[str], re.Match[str] | None]
type _Ranked = tuple[
    _Matcher, tuple[int, ...]
]  # path patterns compiled, and the rank of each of their groups


class _HostEntry(NamedTuple):
    """What a host alone says, and the path patterns that apply to it."""

    default: Hit  # the answer when no path pattern fits
    sections: tuple[_Ranked, ...]
    by_rank: tuple[str, ...]  # section names; the lowest rank that fits wins
    embeds: tuple[_Matcher, ...]
    backgrounds: tuple[_Matcher, ...]
    players: tuple[_Matcher, ...]


class Catalogue:
    """Platforms by host, and sections, embeds and background endpoints by host and path. Compiled
    once.

    Safe to share between threads. `ValueError` names a pattern that cannot be one.
    """

    def __init__(self, platforms: Mapping[str, Platform]) -> None:
        self._parts = {name: _Parts(platform) for name, platform in platforms.items()}
        excluded = [
            (pattern, (name, False)) for name, p in platforms.items() for pattern in p.excludes
        ]
        included = [(pattern, (name, True)) for name, p in platforms.items() for pattern in p.hosts]
        self._table = HostTable[tuple[str, bool]]([*excluded, *included])
        self._host_entry = lru_cache(_HOSTS_KEPT)(self._find_host_entry)
        self._lookup_short = lru_cache(_PATHS_KEPT)(self._lookup)

    def platform_of(self, host: str) -> str | None:
        """The platform of a host, or None. The host need not be normalised."""
        entry = self._host_entry(host)
        return None if entry is None else entry.default.platform

    def lookup(self, host: str, path: str) -> Hit | None:
        """What is known about a request from its host and path (with or without query); None: not
        on a platform."""
        if len(path) <= _SHORT_PATH:
            return self._lookup_short(host, path)
        return self._lookup(host, path)

    def _lookup(self, host: str, path: str) -> Hit | None:
        entry = self._host_entry(host)
        if entry is None:
            return None
        default, sections, by_rank, embeds, backgrounds, players = entry
        path = normalise_path(path)
        rank = _NEVER
        for fits, ranks in sections:
            match = fits(path)
            if match is not None:
                rank = min(rank, ranks[(match.lastindex or 1) - 1])
        player = default.player or _any(players, path)
        embed = default.embed or player or _any(embeds, path)
        background = default.background or _any(backgrounds, path)
        found = (embed, background, player)
        if rank == _NEVER and found == default[2:]:
            return default
        section = default.section if rank == _NEVER else by_rank[rank]
        return Hit(default.platform, section, *found)

    def _find_host_entry(self, host: str) -> _HostEntry | None:
        name = normalise(host)
        excluded = set()
        for platform, included in self._table.matches(name):
            if not included:
                excluded.add(platform)
            elif platform not in excluded:
                return self._parts[platform].host_entry(name)
        return None


def _any(patterns: tuple[_Matcher, ...], path: str) -> bool:
    for fits in patterns:  # noqa: SIM110 - once a request: a loop costs half of what any() costs
        if fits(path) is not None:
            return True
    return False


def normalise_path(path: str) -> str:
    """The path as patterns are matched against it: lower case, decoded once, without empty or dot
    segments; the query is kept."""
    path = path[:_PATH_READ].lower()
    end = path.find("?")
    unusual = _UNUSUAL.search(path, 0, end) if end >= 0 else _UNUSUAL.search(path)
    if unusual is None and path.startswith("/"):
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


class _Kind(IntEnum):
    """The key that a pattern is written under."""

    SECTION = 0
    EMBED = 1
    BACKGROUND = 2
    PLAYER = 3


class _Parts:
    """One platform's compiled patterns: one table with everything that is written about a host."""

    def __init__(self, platform: Platform) -> None:
        self._name = platform.name
        sections = [(p, s.name) for s in platform.sections for p in (*s.hosts, *s.paths)]
        anywhere: list[tuple[_Kind, _Ranked]] = []
        entries: list[tuple[str, tuple[_Kind, str | _Ranked]]] = []
        self._by_rank = _by_rank(sections)
        for kind, patterns in (
            (_Kind.SECTION, sections),
            (_Kind.EMBED, [(pattern, "embed") for pattern in platform.embeds]),
            (_Kind.BACKGROUND, [(pattern, "background") for pattern in platform.background]),
            (_Kind.PLAYER, [(pattern, "player") for pattern in platform.players]),
        ):
            entries += [
                (host, (kind, value)) for host, path, value in _split_all(patterns) if path is None
            ]
            for host, ranked in _compiled(patterns, kind is _Kind.SECTION):
                if host:
                    entries.append((host, (kind, ranked)))
                else:
                    anywhere.append((kind, ranked))
        self._anywhere = anywhere
        self._hosts = HostTable(entries)

    def host_entry(self, host: str) -> _HostEntry:
        """Everything known from a normalised host, with the path patterns that apply to it."""
        from_host: tuple[list[str], ...] = tuple([] for _ in _Kind)
        paths: tuple[list[_Ranked], ...] = tuple([] for _ in _Kind)
        for kind, ranked in self._anywhere:
            paths[kind].append(ranked)
        for kind, value in self._hosts.matches(host):
            if isinstance(value, str):
                from_host[kind].append(value)
            else:
                paths[kind].append(value)
        section, embed, background, player = from_host
        return _HostEntry(
            default=Hit(
                self._name,
                section[0] if section else None,
                bool(embed or player),
                bool(background),
                bool(player),
            ),
            sections=tuple(paths[_Kind.SECTION]),
            by_rank=self._by_rank,
            embeds=tuple([fits for fits, _ in paths[_Kind.EMBED]]),
            backgrounds=tuple([fits for fits, _ in paths[_Kind.BACKGROUND]]),
            players=tuple([fits for fits, _ in paths[_Kind.PLAYER]]),
        )


def _split_all(patterns: Iterable[tuple[str, str]]) -> list[tuple[str, str | None, str]]:
    """(host pattern or "", path pattern or None, value), the longest path first, stars not
    counted."""
    split_patterns = [(*_split(pattern), value) for pattern, value in patterns]
    return sorted(split_patterns, key=lambda item: -len((item[1] or "").replace("*", "")))


def _by_rank(patterns: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The values of the path patterns by rank."""
    return tuple(value for _, path, value in _split_all(patterns) if path is not None)


def _compiled(patterns: Iterable[tuple[str, str]], numbered: bool) -> Iterator[tuple[str, _Ranked]]:
    """The path patterns by the host pattern that they are bound to, "" for any host."""
    bound: dict[str, list[tuple[int, str]]] = {}
    paths = [(host, path) for host, path, _ in _split_all(patterns) if path is not None]
    for rank, (host, path) in enumerate(paths):
        bound.setdefault(host, []).append((rank, path))
    for host, found in bound.items():
        yield (
            host,
            (_compile([path for _, path in found], numbered), tuple(rank for rank, _ in found)),
        )


def _split(pattern: str) -> tuple[str, str | None]:
    """(host pattern or "" for any, path pattern or None for all): the three forms of a pattern."""
    host, slash, rest = pattern.partition("/")
    if not slash:
        if host.startswith("*") and "." not in host:
            return "", host
        return host, None
    return ("" if host == "*" else host), (f"*/{rest}" if host == "*" else f"/{rest}")


def _compile(patterns: list[str], numbered: bool) -> _Matcher:
    """One regular expression for all patterns. Numbered: tried in order, and the matched group says
    which one matched.

    The slash that nearly all begin with is factored out, so that the next letter rules most of them
    out.
    """
    found = [_expression(pattern) for pattern in patterns]
    if numbered:
        slashed = all(each.startswith("/") for each in found)
        body = "|".join(f"({each[slashed:]})" for each in found)
        return re.compile(f"/(?:{body})" if slashed else body, re.DOTALL).match
    branches = [each for each in found if not each.startswith("/")]
    slashed_ones = "|".join(each[1:] for each in found if each.startswith("/"))
    return re.compile("|".join([*branches, f"/(?:{slashed_ones or '(?!)'})"]), re.DOTALL).match


def _expression(pattern: str) -> str:
    """A path pattern as a regular expression without backtracking: each star takes the nearest
    match."""
    text = pattern.lower()
    folder = text.endswith("/*") and len(text) > len("*/*")
    body, mark, query = (text[:-2] if folder else text).partition("?")
    if mark:
        return f"{_stars(body, '[^?]')}[?]{_stars(query, '.')}$"
    expression = _stars(body.rstrip("/"), "[^?]")
    end = "(?:/[^?]*)?" if folder else "/?" if expression else "/"  # "/" is the front page alone
    return f"{expression}{end}(?:[?]|$)"


def _stars(text: str, any_character: str) -> str:
    first, *rest = [re.escape(part) for part in text.split("*")]
    if not rest:
        return first
    *middle, last = rest
    nearest = "".join(f"(?>{any_character}*?{part})" for part in middle)
    return f"{first}{nearest}{any_character}*{last}"
