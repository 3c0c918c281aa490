"""One thing that was looked at: how it stands, the fact, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from proxy_addon.config.parsers import hide_credentials


class State(StrEnum):
    """How a thing stands."""

    OK = "ok"
    WARNING = "warning"  # it works, but somebody should know
    ERROR = "error"  # the proxy does not start, or does not do its work
    NOT_CHECKED = "not checked"  # there is nothing to look at yet, or nothing to look with


@dataclass(frozen=True, slots=True)
class Check:
    """`remedy` is what to do; empty where there is nothing to do. Neither text holds a password."""

    name: str
    state: State
    fact: str
    remedy: str = ""


AS_THE_PROXY = "run it again as the proxy's own user, with sudo -u or runuser -u"

type Look = Callable[[], Iterable[Check]]


def ok(name: str, fact: str, remedy: str = "") -> Check:
    """It is as it should be."""
    return Check(name, State.OK, fact, remedy)


def warning(name: str, fact: str, remedy: str) -> Check:
    """It works, but somebody should know."""
    return Check(name, State.WARNING, fact, remedy)


def error(name: str, fact: str, remedy: str) -> Check:
    """Something is broken."""
    return Check(name, State.ERROR, fact, remedy)


def not_checked(name: str, fact: str, remedy: str = "") -> Check:
    """There is nothing to look at yet, or nothing to look with."""
    return Check(name, State.NOT_CHECKED, fact, remedy)


def carried_out(looks: Iterable[tuple[str, Look]]) -> Iterator[Check]:
    """All checks, one look after the other. A look that fails becomes an error of its name; the others go on."""
    for name, look in looks:
        try:
            yield from look()
        except Exception as problem:  # whatever it is: a doctor does not fall ill
            what = " ".join(f"{type(problem).__name__}: {problem}".split())
            yield error(
                name,
                f"this could not be looked at: {hide_credentials(what)}",
                "run it again with the rights of the proxy's own user; if it stays, it is a fault of ours",
            )


def healthy(checks: Iterable[Check]) -> bool:
    """True when none of them is an error."""
    return all(check.state is not State.ERROR for check in checks)


def count(number: int, what: str) -> str:
    """ "1 error", "2 errors"."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
