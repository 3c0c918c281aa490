"""Hosts: one normal form for each, and a table that finds what a host belongs to.

Patterns, most specific first where several fit:

* `=x.com`: that name alone;
* `x.com` (or `*.x.com`): the name and all below it, on label boundaries: `netflix.com` is not below
  it;
* `scontent*.cdninstagram.com`: a star matches any run of characters inside one label, also with
  `=`.

More labels beat fewer; with as many labels a plain name beats a star, and `=` beats the name with
all below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote

import idna

_LONGEST = 512  # characters; DNS names end at 253, an attacker's do not
_CLEAN = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_RUBBISH = re.compile(r"[\x00-\x20\x7f%/\\?#@<>\"`{}|^[\]]")
_PORT = re.compile(r":[0-9]*$")


def normalise(host: str) -> str:
    """The normal form of a host: lower case, A-labels, no userinfo, port, brackets or trailing dot.

    Never raises. A label that IDNA rejects is kept in lower case; a text that cannot be a host
    gives "".
    """
    if len(host) > _LONGEST:
        return ""
    if _CLEAN.fullmatch(host):
        return host
    name = host.strip().rpartition("@")[2]
    if name.startswith("["):
        inside, bracket, _ = name[1:].partition("]")
        return _address(inside) if bracket else ""
    if name.count(":") > 1:
        return _address(name)
    name = _PORT.sub("", name)
    if "%" in name:
        name = unquote(name)
    name = name.lower() if name.isascii() else _a_labels(name)
    name = name.rstrip(".")
    if not name or ":" in name or ".." in name or name.startswith(".") or _RUBBISH.search(name):
        return ""
    return name


def _address(text: str) -> str:
    """An IPv6 address in lower case without its zone; "" for a text that is not one."""
    text = text.partition("%")[0].lower()
    return text if ":" in text and re.fullmatch(r"[0-9a-f:.]+", text) else ""


def _a_labels(name: str) -> str:
    """Each label mapped as browsers map it, then encoded; rejected ones are kept."""
    try:
        name = idna.uts46_remap(name, std3_rules=False, transitional=False)
    except (idna.IDNAError, UnicodeError):
        name = name.lower()
    return ".".join(_a_label(label) for label in re.split("[.\u3002\uff0e\uff61]", name))


def _a_label(label: str) -> str:
    if label.isascii():
        return label
    try:
        return idna.alabel(label).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return label


class _Rank(NamedTuple):
    """How specific a pattern is; the greater one wins."""

    labels: int
    plain: bool
    alone: bool
    letters: int  # characters that are not a star


class _Wild[T](NamedTuple):
    """A pattern with stars, compiled for whole hosts."""

    rank: _Rank
    pattern: re.Pattern[str]
    value: T


class _Node[T](NamedTuple):
    """The values for a name and all names below it, and the star patterns that end in it."""

    below: list[T]
    wild: list[_Wild[T]]


class HostTable[T]:
    """Host patterns with values, compiled once. A pattern may have several values. ValueError for a
    bad pattern."""

    def __init__(self, entries: Iterable[tuple[str, T]]) -> None:
        self._alone: dict[str, list[T]] = {}
        self._nodes: dict[str, _Node[T]] = {}
        for pattern, value in entries:
            self._add(pattern, value)
        self._root = self._nodes.get("")  # star patterns whose last label has a star

    def find(self, host: str) -> T | None:
        """The value of the most specific pattern that fits a normalised host, or None."""
        values = self.matches(host)
        return values[0] if values else None

    def matches(self, host: str) -> list[T]:
        """The values of all patterns that fit a normalised host, most specific first."""
        values = list(self._alone.get(host, ()))
        nodes = self._nodes
        below: list[tuple[str, list[T]]] = []
        wild: list[_Wild[T]] = []
        name = host
        while name:
            node = nodes.get(name)
            if node is not None:
                below.append((name, node.below))
                wild += [found for found in node.wild if found.pattern.fullmatch(host)]
            name = name.partition(".")[2]
        if self._root is not None and host:
            wild += [found for found in self._root.wild if found.pattern.fullmatch(host)]
        if wild:
            return values + _ranked(below, wild)
        for _, found_below in below:
            values += found_below
        return values

    def _add(self, pattern: str, value: T) -> None:
        alone = pattern.startswith("=")
        name = normalise(pattern.removeprefix("=").removeprefix("*."))
        if not name:
            raise ValueError(f"{pattern!r} is not a host pattern")
        if alone and "*" not in name:
            self._alone.setdefault(name, []).append(value)
            return
        if "*" not in name:
            self._nodes.setdefault(name, _Node([], [])).below.append(value)
            return
        labels = name.split(".")
        fixed = len(labels)
        while "*" not in labels[fixed - 1]:
            fixed -= 1
        rank = _Rank(len(labels), False, alone, len(name.replace("*", "")))
        node = self._nodes.setdefault(".".join(labels[fixed:]), _Node([], []))
        node.wild.append(_Wild(rank, _expression(name, alone), value))


def _ranked[T](below: list[tuple[str, list[T]]], wild: list[_Wild[T]]) -> list[T]:
    """The values of plain and star patterns together, most specific first."""
    found = [
        (_Rank(name.count(".") + 1, True, False, 0), value)
        for name, values in below
        for value in values
    ]
    found += [(each.rank, each.value) for each in wild]
    found.sort(key=lambda item: item[0], reverse=True)
    return [value for _, value in found]


def _expression(name: str, alone: bool) -> re.Pattern[str]:
    """A host pattern with stars as a regular expression; a star never matches a dot."""
    fixed = "[^.]*".join(re.escape(part) for part in name.split("*"))
    return re.compile(fixed if alone else rf"(?:.+\.)?{fixed}")
