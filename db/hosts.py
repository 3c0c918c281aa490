"""Database URLs that name several hosts, and what there is to try for each of them.

SQLAlchemy reads `?host=a:1&host=b:2` and `?host=a,b&port=1,2`; what libpq and every administrator
write, `postgresql://user@a:1,b:2/db`, it does not. All three become the second one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import zip_longest
from typing import Any, Final

from sqlalchemy.engine import URL

PORT: Final = "5432"
_SEVERAL: Final = re.compile(
    r"""(?P<head> postgres[\w+]* :// (?: [^:/@?]* (?: :[^@]* )? @ )? )
        (?P<hosts> [^/?@]* , [^/?@]* )
        (?P<rest> [/?] .* | )""",
    re.VERBOSE | re.DOTALL,
)
_HOST: Final = re.compile(
    r"(?P<host> \[ [^\]]+ \] | [^:\[\]]* ) (?: : (?P<port> \d* ) )?", re.VERBOSE
)


def read(text: str, make_url: Callable[[str], URL]) -> URL:
    """A URL, with several hosts in its query. Raises ValueError for what cannot be read."""
    found = _SEVERAL.fullmatch(text)
    if found is not None:
        url = make_url(f"{found['head']}{found['rest']}")
        if "host" in url.query or "port" in url.query:
            raise ValueError("hosts in two places")
        return _with(url, found["hosts"].split(","))
    url = make_url(text)
    if url.host and set("@,") & set(url.host):
        # A password with an @ in it would be taken for a part of the host, and be shown.
        raise ValueError("not a host")
    stated = url.query.get("host")
    if isinstance(stated, tuple):  # host=a:1&host=b:2
        if "port" in url.query:
            raise ValueError("ports in two places")
        return _with(url, list(stated))
    if url.get_backend_name() == "postgresql" and stated and "," in stated:
        ports = url.query.get("port", "")
        return _with(url, stated.split(","), ports if isinstance(ports, str) else ",".join(ports))
    return url


def several(url: URL) -> tuple[str, ...]:
    """The hosts with their ports, in the order of the URL; empty where it names one host or
    none."""
    stated = url.query.get("host")
    if not isinstance(stated, str) or "," not in stated:
        return ()
    ports = str(url.query["port"]).split(",")
    return tuple(
        f"{f'[{host}]' if ':' in host else host}:{port}"
        for host, port in zip(stated.split(","), ports, strict=True)
    )


def attempts(arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What to try, one host after the other: the arguments of a connection for each of them."""
    columns = {
        name: str(arguments[name]).split(",")
        for name in ("host", "hostaddr", "port")
        if arguments.get(name)
    }
    count = max((len(column) for name, column in columns.items() if name != "port"), default=1)
    if count == 1:
        return [dict(arguments)]
    return [
        {
            **arguments,
            **{name: column[min(each, len(column) - 1)] for name, column in columns.items()},
        }
        for each in range(count)
    ]


def _with(url: URL, written: list[str], ports: str = "") -> URL:
    """The URL with these hosts in its query; `ports` is one for all, one for each, or empty."""
    found = [_HOST.fullmatch(each.strip()) for each in written]
    given = ports.split(",") if ports else []
    if len(given) == 1:
        given *= len(written)
    if len(given) not in {0, len(written)} or url.host:
        raise ValueError("hosts and ports do not match")
    names, numbers = [], []
    for each, port in zip_longest(found, given):
        if each is None or not each["host"] or (port and each["port"]):
            raise ValueError("not a host")
        names.append(each["host"].strip("[]"))
        numbers.append(str(int(port or each["port"] or PORT)))
    return url.update_query_dict({"host": ",".join(names), "port": ",".join(numbers)})
