"""Addresses in rule files: networks, hosts, paths, and the two together."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network

from proxy_addon.core.hosts import normalise
from proxy_addon.core.rules.parsers import BadValue, quote, text
from proxy_addon.core.rules.problems import Code

type Network = IPv4Network | IPv6Network
_HOST = re.compile(r"(?:[\w*-]+\.)+[\w-]+")


def network(value: object) -> Network:
    """An address or a network, IPv4 or IPv6."""
    word = str(value).strip()
    try:
        return ip_network(word)
    except ValueError:
        pass
    try:
        right = ip_network(word, strict=False)
    except ValueError:
        raise BadValue(
            Code.BAD_ADDRESS,
            f"{quote(value)} is not an address or a network",
            "write 10.0.7.21 or 10.0.8.0/24",
        ) from None
    raise BadValue(
        Code.BAD_ADDRESS, f"{quote(value)} has bits set after its prefix", f"write {right}"
    )


def host(value: object) -> str:
    """`x.com` (the name and all below it), `=x.com` (that name alone), a star inside a label."""
    word = text(value)
    if not _is_host(word):
        raise BadValue(Code.BAD_HOST, f"{quote(word)} is not a host", _host_hint(word))
    return word


def _is_host(word: str) -> bool:
    if word.startswith("=*."):  # neither one name alone nor all below it
        return False
    bare = word.removeprefix("=").removeprefix("*.").removesuffix(".")
    return bool(_HOST.fullmatch(bare)) and bool(normalise(bare))


def _host_hint(word: str) -> str:
    bare = re.sub(r"^[A-Za-z]+://", "", word).partition("/")[0]
    bare = re.sub(r":\d+$", "", bare)
    if bare != word and _is_host(bare):
        return f"write {bare}"
    return "write example.com for the name and all below it, or =example.com for that name alone"


def path(value: object) -> str:
    """A path pattern such as `/learning/*`, or one behind a host (`mp.weixin.qq.com/s/*`)."""
    word = text(value)
    if not _is_evidence(word) or not ("/" in word or word.startswith("*")):
        raise BadValue(
            Code.BAD_PATH, f"{quote(word)} is not a path", "a path begins with / or *: /learning/*"
        )
    return word


def evidence(value: object) -> str:
    """A host, a path, or a host with a path behind it (`=t.co/i/adsct*`)."""
    word = text(value)
    if not _is_evidence(word):
        raise BadValue(
            Code.BAD_PATH,
            f"{quote(word)} is not a host or a path",
            "write example.com, /embed/* or example.com/embed/*",
        )
    return word


def _is_evidence(word: str) -> bool:
    before, slash, _ = word.partition("/")
    if "://" in word or any(map(str.isspace, word)):
        return False
    if not slash and len(word) > 1 and word.startswith("*") and "." not in word:
        return True
    return _is_host(before) or (bool(slash) and before in ("", "*"))
