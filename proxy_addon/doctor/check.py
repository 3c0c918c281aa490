"""The result of one check: its state, what was found, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from proxy_addon.config.parsers import hide_credentials


class State(StrEnum):
    """The state that a check found."""

    OK = "ok"
    WARNING = "warning"  # it works, but somebody should know
    ERROR = "error"  # the proxy does not start, or does not do its work
    NOT_CHECKED = "not checked"  # there is nothing to check yet, or no tool to check it with


@dataclass(frozen=True, slots=True)
class Check:
    """`remedy` is what to do; empty where there is nothing to do. Neither text holds a password."""

    name: str
    state: State
    fact: str
    remedy: str = ""


AS_THE_PROXY = "run this again as the proxy's own user, with sudo -u or runuser -u"

type CheckFunction = Callable[[], Iterable[Check]]


def ok(name: str, fact: str, remedy: str = "") -> Check:
    """As it should be."""
    return Check(name, State.OK, fact, remedy)


def warning(name: str, fact: str, remedy: str) -> Check:
    """It works, but somebody should know."""
    return Check(name, State.WARNING, fact, remedy)


def error(name: str, fact: str, remedy: str) -> Check:
    """Something is broken."""
    return Check(name, State.ERROR, fact, remedy)


def not_checked(name: str, fact: str, remedy: str = "") -> Check:
    """There is nothing to check yet, or no tool to check it with."""
    return Check(name, State.NOT_CHECKED, fact, remedy)


def run_checks(checks: Iterable[tuple[str, CheckFunction]]) -> Iterator[Check]:
    """Run the checks one after the other. A check that raises becomes an error under its name; the
    others go on."""
    for name, check in checks:
        try:
            yield from check()
        except Exception as problem:  # one broken check must not end the others
            what = " ".join(f"{type(problem).__name__}: {problem}".split())
            yield error(
                name,
                f"this could not be checked: {hide_credentials(what)}",
                "run this again as the proxy's own user; if it still fails, it is a bug in Allowance",
            )


def healthy(checks: Iterable[Check]) -> bool:
    """True when none of them is an error."""
    return all(check.state is not State.ERROR for check in checks)
