"""Hosts: one spelling for each, and a table that finds what a host belongs to.

Patterns, most specific first where several fit:

* `=x.com`: that name alone;
* `x.com` (or `*.x.com`): the name and all below it, on label boundaries: `netflix.com` is not below it;
* `scontent*.cdninstagram.com`: a star stands for any run of characters inside one label, also with `=`.

More labels beat fewer; with as many labels a plain name beats a star, and `=` beats the name with all
below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote

import idna

_LONGEST = 512  # characters; DNS names end at 253, an attacker's do not
_CLEAN = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_RUBBISH = re.compile(r"[\x00-\x20\x7f%/\\?#@<>\"`{}|^]")
_PORT = re.compile(r":[0-9]*$")


def normalise(host: str) -> str:
    """The one spelling of a host: lower case, A-labels, no userinfo, port, brackets or trailing dot.

    Never raises. A label that IDNA refuses stays as it is, in lower case; what cannot be a host is "".
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
    """An IPv6 address in lower case without its zone; "" for what has no such shape."""
    text = text.partition("%")[0].lower()
    return text if ":" in text and re.fullmatch(r"[0-9a-f:.]+", text) else ""


def _a_labels(name: str) -> str:
    """Each label mapped as browsers map it, then encoded; refused ones are kept."""
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


class _Wild(NamedTuple):
    """A pattern with stars: `labels` are matched against as many last labels of the host."""

    labels: tuple[re.Pattern[str], ...]
    alone: bool
    letters: int  # characters that are no star: more of them is more specific

    def fits(self, labels: list[str]) -> bool:
        size = len(self.labels)
        if len(labels) < size or (self.alone and len(labels) != size):
            return False
        return all(
            pattern.fullmatch(label) for pattern, label in zip(self.labels, labels[-size:], strict=True)
        )


class HostTable[T]:
    """Host patterns with a value each, compiled once. Several values may stand under one pattern."""

    def __init__(self, entries: Iterable[tuple[str, T]]) -> None:
        self._alone: dict[str, list[T]] = {}
        self._below: dict[str, list[T]] = {}
        self._wild: dict[str, list[tuple[_Wild, T]]] = {}  # by the plain labels at the end
        for pattern, value in entries:
            self._add(pattern, value)

    def find(self, host: str) -> T | None:
        """The value of the most specific pattern that fits a normalised host, or None."""
        values = self.matches(host)
        return values[0] if values else None

    def matches(self, host: str) -> list[T]:
        """The values of all patterns that fit a normalised host, most specific first."""
        values = list(self._alone.get(host, ()))
        wild = self._wild_matches(host) if self._wild else []
        size, name = host.count(".") + 1, host
        while name:
            while wild and wild[0][0] > size:
                values.append(wild.pop(0)[1])
            if name in self._below:
                values += self._below[name]
            size, name = size - 1, name.partition(".")[2]
        values.extend(value for _, value in wild)
        return values

    def _wild_matches(self, host: str) -> list[tuple[int, T]]:
        """(number of labels, value) of the patterns with stars that fit, most specific first."""
        candidates: list[tuple[_Wild, T]] = []
        name = host
        while name:
            name = name.partition(".")[2]
            if name in self._wild:
                candidates += self._wild[name]
        if not candidates:
            return []
        labels = host.split(".")
        found = [(wild, value) for wild, value in candidates if wild.fits(labels)]
        found.sort(key=lambda item: (len(item[0].labels), item[0].alone, item[0].letters), reverse=True)
        return [(len(wild.labels), value) for wild, value in found]

    def _add(self, pattern: str, value: T) -> None:
        alone = pattern.startswith("=")
        name = normalise(pattern.removeprefix("=").removeprefix("*."))
        if not name:
            raise ValueError(f"{pattern!r} is not a host pattern")
        if "*" not in name:
            (self._alone if alone else self._below).setdefault(name, []).append(value)
            return
        labels = name.split(".")
        fixed = len(labels)
        while fixed and "*" not in labels[fixed - 1]:
            fixed -= 1
        wild = _Wild(tuple(_star(label) for label in labels), alone, len(name.replace("*", "")))
        self._wild.setdefault(".".join(labels[fixed:]), []).append((wild, value))


def _star(label: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in label.split("*")))
