"""The machine: Python, packages, open files, clock, time zones, free space on the disks."""

from __future__ import annotations

import os
import platform
import re
import resource
import shutil
import sys
import time
import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

from proxy_addon.doctor.check import Check, error, not_checked, ok, warning
from proxy_addon.presentation.durations import count
from proxy_addon.system.clock import readings

OURS: Final = "social-allowance"
PYTHON: Final = (3, 13)
# The major versions of requirements.lock; a newer one may be allowed by its range and was not
# tested with us.
TESTED: Final = {
    "alembic": 1,
    "argon2-cffi": 25,
    "cryptography": 48,
    "fastapi": 0,
    "mitmproxy": 12,
    "psycopg": 3,
    "pydantic": 2,
    "sqlalchemy": 2,
    "typer": 0,
    "uvicorn": 0,
}
ENOUGH_FILES: Final = (
    8192  # for a process; a browser keeps some ten connections, and each takes two files
)
SPARE_FILES: Final = 64  # what a process needs besides connections
DRIFT: Final = (
    0.02  # seconds in a tenth of one; a clock that is slewed runs at most 0.5 per mille wrong
)
SKEW: Final = 5.0  # seconds between two machines; the ledger follows the database's clock
LOW, VERY_LOW = 1 << 30, 100 << 20  # bytes
_REQUIREMENT: Final = re.compile(r"([\w.-]+)(?:\[[^]]*])?\s*([<>=!~,.\w\s]*)")


def python(version: Sequence[int] = sys.version_info[:3]) -> Iterator[Check]:
    """Whether this Python is one that we run on."""
    shown = ".".join(map(str, version[:3]))
    if tuple(version[:2]) < PYTHON:
        yield error(
            "python", f"Python {shown}", "install Python 3.13 and create the environment again"
        )
    else:
        yield ok("python", f"Python {shown}, {platform.system()} {platform.machine()}")


def packages(
    requirements: Iterable[str] | None = None, version: Callable[[str], str] = metadata.version
) -> Iterator[Check]:
    """Whether the installed packages are those we ask for, and of the major versions that we
    tested."""
    wanted = list(requirements if requirements is not None else metadata.requires(OURS) or ())
    wrong: list[str] = []
    untested: list[str] = []
    found: dict[str, str] = {}
    for text in wanted:
        match = _REQUIREMENT.match(text)
        if match is None or ";" in text:
            continue
        name, spec = match[1].lower(), match[2].strip()
        try:
            found[name] = version(name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{name} is missing")
            continue
        if not fits(found[name], spec):
            wrong.append(f"{name} {found[name]} is not {spec}")
        elif name in TESTED and _numbers(found[name])[:1] != (TESTED[name],):
            untested.append(f"{name} {found[name]}, tested with {TESTED[name]}")
    remedy = (
        "install what requirements.lock says: pip install --require-hashes -r requirements.lock"
    )
    if wrong:
        yield error("packages", "; ".join(wrong), remedy)
    elif untested:
        yield warning("packages", "; ".join(untested), remedy)
    else:
        known = f"mitmproxy {found['mitmproxy']}" if "mitmproxy" in found else ""
        yield ok(
            "packages",
            ", ".join(filter(None, (f"{count(len(found), 'package')} as tested", known))),
        )


def fits(version: str, spec: str) -> bool:
    """Whether a version is in a range of `>=`, `>`, `<`, `<=` and `==` parts, which is all that we
    write."""
    have = _numbers(version)
    for part in filter(None, (each.strip() for each in spec.split(","))):
        sign, bound = part.rstrip("0123456789."), _numbers(part.lstrip("<>=!~ "))
        if sign.strip() not in _OPERATORS or not _OPERATORS[sign.strip()](have, bound):
            return False
    return True


_OPERATORS: Final[dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]]] = {
    ">=": lambda have, bound: have >= bound,
    ">": lambda have, bound: have > bound,
    "<": lambda have, bound: have < bound,
    "<=": lambda have, bound: have <= bound,
    "==": lambda have, bound: have == bound,
}


def _numbers(version: str) -> tuple[int, ...]:
    match = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, match[0].split("."))) if match else ()


def files(workers: int, limit: int | None = None) -> Iterator[Check]:
    """Whether a process may open enough files for the connections of an office: it raises its limit
    to the hard one."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1] if limit is None else limit
    unlimited = hard in (-1, resource.RLIM_INFINITY)
    room = max(0, hard - SPARE_FILES) // 2
    each = f" in each of {count(workers, 'worker')}" if workers > 1 else ""
    fact = (
        "no limit on open files"
        if unlimited
        else f"{count(hard, 'open file')}: {count(room, 'connection')} at once{each}"
    )
    if unlimited or hard >= ENOUGH_FILES:
        yield ok("open files", fact)
    else:
        yield warning(
            "open files",
            fact,
            "LimitNOFILE=65536 in the systemd unit, or `ulimit -Hn 65536` before the start",
        )


def clock(
    pause: float = 0.1, read: Callable[[], tuple[float, float]] = readings
) -> Iterator[Check]:
    """Whether the wall clock runs at the speed of the monotonic clock."""
    wall, steady = read()
    time.sleep(pause)
    later, further = read()
    gained = (later - wall) - (further - steady)
    if abs(gained) > DRIFT:
        yield warning(
            "clock",
            f"the wall clock moved by {gained * 1000:+.0f} ms against the monotonic clock within {pause:g} s",
            "let one time service set the clock: `timedatectl set-ntp true`",
        )
    else:
        yield ok("clock", "the wall clock and the monotonic clock agree")


def skew(seconds: float | None, whose: str) -> Iterator[Check]:
    """Whether our clock agrees with somebody else's; `seconds` is how far it is ahead, None: not
    known."""
    name = f"clock of {whose}"
    if seconds is None:
        yield not_checked(name, "its time is not known")
    elif abs(seconds) > SKEW:
        yield warning(
            name,
            f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} this machine",
            "let a time service keep both clocks: `timedatectl set-ntp true`",
        )
    else:
        yield ok(name, f"agrees with this machine to {SKEW:g} s")


def zones(wanted: str | None) -> Iterator[Check]:
    """Whether time zones are known here; `wanted` is that of the policy, if it could be read."""
    known = zoneinfo.available_timezones()
    if not known or (wanted is not None and wanted not in known):
        yield error(
            "time zones",
            f"{wanted or 'every zone'} is unknown here",
            "install tzdata: pip install tzdata",
        )
    else:
        yield ok(
            "time zones",
            f"{len(known)} known" + (f"; the policy uses {wanted}" if wanted else ""),
        )


def disks(
    folders: Iterable[tuple[str, Path]],
    usage: Callable[[Path], tuple[int, int, int]] = shutil.disk_usage,
) -> Iterator[Check]:
    """Whether there is free space, once for each disk; `folders` are pairs of what is kept and
    where."""
    seen: dict[int, tuple[list[str], Path]] = {}
    for what, folder in folders:
        place = existing(folder)
        seen.setdefault(place.stat().st_dev, ([], place))[0].append(what)
    for kept, place in seen.values():
        total, _, free = usage(place)
        name, fact = (
            f"disk of {kept[0]}",
            f"{size(free)} of {size(total)} free for {', '.join(kept)}",
        )
        if free < VERY_LOW:
            yield error(
                name,
                fact,
                "free some space: visits wait in the journal, which is on a disk as well",
            )
        elif free < LOW or free < total * 0.02:
            yield warning(
                name, fact, "free some space, or shorten `retention` and run `allowance db prune`"
            )
        else:
            yield ok(name, fact)


def existing(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    return next(each for each in (path, *path.absolute().parents) if each.exists())


def hidden(path: Path) -> Path | None:
    """The folder that this user may not enter to see whether the path exists; None where there is
    none."""
    folder = existing(path)
    return folder if folder.is_dir() and not os.access(folder, os.X_OK) else None


def size(count: float) -> str:
    """A number of bytes, for people."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
