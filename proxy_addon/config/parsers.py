"""The values of settings: small types, and one parser for each.

A parser takes what a person wrote (a flag, an environment variable, a TOML value) or a value that
is already of the right type, and gives the typed value. It raises `ValueError` with a sentence that
says what would be right; `settings.py` puts the name and the place in front of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from proxy_addon.core.hosts import normalise

type IpNetwork = IPv4Network | IPv6Network
type IpAddress = IPv4Address | IPv6Address

DAY = 86_400  # seconds
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_FRACTION = re.compile(r"(\d{1,3}(?:\.\d{1,9})?) ?(%)?", re.ASCII)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)?")
_HOST = re.compile(r"(?!-)[\w.-]+")  # \w: names may be written in any script
_CREDENTIALS = re.compile(r"(?<=://).*@", re.DOTALL)
# to ask, not to listen
_LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


class HostPort(NamedTuple):
    """Where to listen. `host == ""` means all addresses, IPv4 and IPv6."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def from_here(self) -> HostPort:
        """Where this machine reaches what listens there: loopback for all addresses."""
        return self._replace(host=_LOOPBACK.get(self.host, self.host))


class Redirect(NamedTuple):
    """A line of the `--resolve` table: `host:port` ("*" = every host) goes to `address:to_port`."""

    host: str
    port: int
    address: str
    to_port: int


class TargetPattern(NamedTuple):
    """A guarded target that may be reached all the same: a host name or a network, on one port or
    on all."""

    host: str | None
    network: IpNetwork | None
    port: int | None


@dataclass(frozen=True, slots=True)
class UpstreamProxy:
    """The next proxy. `credentials` is `user:password` or None, and is never shown."""

    scheme: str  # http or https
    host: str
    port: int
    credentials: str | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The URL without the credentials."""
        return f"{self.scheme}://{HostPort(self.host, self.port)}"


@lru_cache(maxsize=8192)
def normal_host(host: str) -> str:
    """A host name or address in the one form that we compare; "" for what cannot be a host."""
    name = normalise(host)
    try:
        return str(ip_address(name))
    except ValueError:
        return name


_SWITCH = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


def hide_credentials(text: str) -> str:
    """The same text, with the part between `://` and `@` replaced by stars."""
    return _CREDENTIALS.sub("***@", text)


def host_port(value: object) -> HostPort:
    """`HOST:PORT`, `[::1]:8080`, `:8080` or `8080` (all addresses)."""
    if isinstance(value, HostPort):
        return value
    host, port = _split_port(
        str(value), "write HOST:PORT, for example 127.0.0.1:8080, [::1]:8080 or :8080"
    )
    return HostPort("" if host == "*" else host, port)


def redirect(value: object) -> Redirect:
    """`HOST:PORT=ADDR:PORT`, IPv6 addresses in brackets."""
    if isinstance(value, Redirect):
        return value
    remedy = "write HOST:PORT=ADDRESS:PORT, for example x.com:443=127.0.0.1:8443"
    left, sign, right = str(value).partition("=")
    if not sign:
        raise ValueError(remedy)
    host, port = _split_port(left, remedy)
    address, to_port = _split_port(right, remedy)
    try:
        numeric = str(ip_address(address))
    except ValueError:
        raise ValueError(f"{address!r} is not an IP address; {remedy}") from None
    name = host if host == "*" else normal_host(host)
    if not name:
        raise ValueError(remedy)
    return Redirect(name, port, numeric, to_port)


def network(value: object) -> IpNetwork:
    """A network such as `10.0.0.0/8`, or one address."""
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    text = str(value).strip()
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        right = str(ip_network(text, strict=False))
    except ValueError:
        raise ValueError(
            "write an IP address or a network such as 10.0.0.0/8 or fd00::/8"
        ) from None
    raise ValueError(f"has bits set behind the prefix; write {right}")


def target(value: object) -> TargetPattern:
    """A host name, an address, a network, or one of the first two with `:PORT`."""
    if isinstance(value, TargetPattern):
        return value
    text = str(value).strip()
    remedy = "write a host name, an address, a network, or HOST:PORT"
    for candidate in (text, text.strip("[]")):
        try:
            return TargetPattern(None, ip_network(candidate), None)
        except ValueError:
            continue
    if "/" in text:
        return TargetPattern(None, network(text), None)
    if ":" not in text:
        return TargetPattern(_host(text, remedy), None, None)
    host, port = _split_port(text, remedy)
    try:
        return TargetPattern(None, ip_network(host), port)
    except ValueError:
        return TargetPattern(_host(host, remedy), None, port)


def upstream_proxy(value: object) -> UpstreamProxy | None:
    """`http://[USER:PASSWORD@]HOST[:PORT]` or https; without a port 8080 for http, 443 for
    https."""
    if value is None or isinstance(value, UpstreamProxy):
        return value
    remedy = "write http://HOST:PORT or https://HOST:PORT, with USER:PASSWORD@ before the host where it asks"
    try:
        parts = urlsplit(str(value).strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(remedy) from None
    if (
        parts.scheme not in ("http", "https")
        or not host
        or parts.path not in ("", "/")
        or parts.query
    ):
        raise ValueError(remedy)
    credentials = None
    if parts.username is not None:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return UpstreamProxy(
        parts.scheme, host, port or (443 if parts.scheme == "https" else 8080), credentials
    )


def duration(low: float, high: float) -> Callable[[object], float]:
    """A parser of durations (`250ms`, `10s`, `2m`, `1h`, or a number) within `[low, high]`
    seconds."""
    remedy = f"write a time such as 500ms, 10s or 2m, from {low:g}s to {high:g}s"

    def parse(value: object) -> float:
        match = _DURATION.fullmatch(str(value).strip().lower())
        if isinstance(value, bool) or match is None:
            raise ValueError(remedy)
        seconds = float(match[1]) * _UNITS[match[2] or "s"]
        if not low <= seconds <= high:
            raise ValueError(remedy)
        return seconds

    return parse


def long_duration(text: str) -> float:
    """The same for commands, which take days as well (`30d`), up to a hundred years."""
    parse = duration(0, 36_500 * DAY)
    days = text.strip().removesuffix("d")
    return parse(int(days) * DAY if days.isdecimal() and text.strip().endswith("d") else text)


def whole_number(low: int, high: int) -> Callable[[object], int]:
    """A parser of whole numbers within `[low, high]`."""
    remedy = f"write a whole number from {low} to {high}"

    def parse(value: object) -> int:
        text = str(value).strip()
        if isinstance(value, bool) or not (text.isascii() and text.isdigit()):
            raise ValueError(remedy)
        if not low <= int(text) <= high:
            raise ValueError(remedy)
        return int(text)

    return parse


def fraction(value: object) -> float:
    """A part of a whole: `0`, `0.1`, `1`, `10%`."""
    match = _FRACTION.fullmatch(str(value).strip())
    part = float(match[1]) / (100.0 if match[2] else 1.0) if match else -1.0
    if isinstance(value, bool) or not 0.0 <= part <= 1.0:
        raise ValueError("write a part of a whole from 0 to 1, such as 0.1 or 10%")
    return part


def one_of(*choices: str) -> Callable[[object], str]:
    """A parser of words, whatever their case."""

    def parse(value: object) -> str:
        word = str(value).strip().lower()
        if isinstance(value, bool) or word not in choices:
            raise ValueError(f"write one of {', '.join(choices)}")
        return word

    return parse


def many[T](item: Callable[[object], T]) -> Callable[[object], tuple[T, ...]]:
    """A parser of lists: a sequence, or one text with commas or spaces between the items."""

    def parse(value: object) -> tuple[T, ...]:
        items: Iterable[object]
        if isinstance(value, str):
            items = re.split(r"[,\s]+", value.strip(", \t\r\n")) if value.strip(", \t\r\n") else ()
        elif isinstance(value, list | tuple | set | frozenset):
            items = value
        else:
            items = (value,)
        return tuple(_item(item, each) for each in items)

    return parse


def yes_or_no(value: object) -> bool:
    """A switch: true or false, also as the words that environments hold."""
    word = str(value).strip().lower()
    if word not in _SWITCH:
        raise ValueError("write true or false")
    return _SWITCH[word]


def path(value: object) -> Path:
    """A file or folder; `~` is the home folder."""
    if not isinstance(value, str | Path) or not str(value).strip() or "\0" in str(value):
        raise ValueError("write the path of a file or folder")
    return Path(value).expanduser()


def path_or_none(value: object) -> Path | None:
    """The same; None where nothing was given."""
    return None if value is None else path(value)


def readable_file(value: object) -> Path | None:
    """A file that is there and can be read."""
    if value is None:
        return None
    file = path(value)
    try:
        with file.open("rb"):
            return file
    except OSError as error:
        raise ValueError(
            f"cannot be read ({error.strerror}); write the path of a file that exists"
        ) from None


def database(value: object) -> str:
    """A database URL; the short forms of Postgres get the driver that we ship."""
    text = str(value).strip()
    for short in ("postgres://", "postgresql://"):
        if text.startswith(short):
            return f"postgresql+psycopg://{text.removeprefix(short)}"
    if not text.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError(
            "write sqlite:///var/allowance.db or postgresql://USER:PASSWORD@HOST/DATABASE"
        )
    return text


def direct_database(value: object) -> str:
    """The URL of a Postgres server itself, behind a pooler; empty = none."""
    text = str(value).strip()
    if text and not database(text).startswith("postgresql"):
        raise ValueError("write postgresql://USER:PASSWORD@HOST/DATABASE, or leave it out")
    return text and database(text)


def header_name(value: object) -> str:
    """The name of an HTTP header; empty = none."""
    text = str(value).strip()
    if text and not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", text):
        raise ValueError("write the name of an HTTP header, for example X-Forwarded-User")
    return text


def _item[T](item: Callable[[object], T], value: object) -> T:
    try:
        return item(value)
    except ValueError as error:
        raise ValueError(f"{value!r}: {error}") from None


def _host(text: str, remedy: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError(remedy)
    return normal_host(text)


def _split_port(text: str, remedy: str) -> tuple[str, int]:
    """Host (without brackets, may be empty) and port of `HOST:PORT` or `PORT`."""
    host, _, port = text.strip().rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if (
        (":" in host and not bracketed)
        or not (port.isascii() and port.isdigit())
        or int(port) > 65_535
    ):
        raise ValueError(remedy)
    host = host.strip("[]")
    if bracketed:
        _ipv6(host, remedy)
    elif host not in ("", "*") and not _HOST.fullmatch(host):
        raise ValueError(remedy)
    return host, int(port)


def _ipv6(host: str, remedy: str) -> None:
    try:
        IPv6Address(host)
    except ValueError:
        raise ValueError(remedy) from None
