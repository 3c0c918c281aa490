"""Leaves out of mitmproxy what it leaves out itself under `python -O`, and log texts nobody reads.

* Every step of every layer asserts the type of the event that it is given; each message that is
  made has the types of all its fields checked. Both are marked `if __debug__` in mitmproxy: they
  find errors in mitmproxy, not in what comes from outside.
* h2 writes each frame down for a trace, and hpack each header field, whether the log wants it or
  not.
* Header fields are looked up many times for each message. Here that is the same comparison without
  the detour through text for each name.

Assertions that are statements stay, and so does every check of what clients and sites send.

`tests/proxy/layers/test_debug_checks.py` pins the internals of mitmproxy, h2 and hpack that are
used. Where they are not as expected, nothing is changed and one line is logged.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

import h2.connection
import structlog
from mitmproxy import http
from mitmproxy.proxy import utils

log = structlog.get_logger("allowance.proxy")

_LAYERS = "mitmproxy.proxy"
_CHECK = "_check_event_type"  # the function that mitmproxy's decorator `expect` wraps around a step
_ENCODING = ("utf-8", "surrogateescape")


def leave_out() -> bool:
    """From now on, in this process. False: mitmproxy is not as expected, and stays as it is."""
    if not _as_expected():
        log.warning("mitmproxy keeps its debug checks", hint="it works, but costs more")
        return False
    for module in [m for name, m in sys.modules.items() if name.startswith(_LAYERS)]:
        for step in _checked(module):
            setattr(*step)
    http.MessageData.__post_init__ = _nothing  # type: ignore[method-assign]
    http.Headers.get_all = _get_all  # type: ignore[method-assign]
    h2.connection.repr = _no_text  # type: ignore[attr-defined]
    _hpack().log.debug = _nothing
    return True


def _as_expected() -> bool:
    return (
        callable(getattr(utils, "expect", None))
        and hasattr(http.MessageData, "__post_init__")
        and list(inspect.signature(http.Headers.get_all).parameters) == ["self", "name"]
        and hasattr(_hpack(), "log")
    )


def _hpack() -> Any:
    """The module that reads and writes header fields for h2."""
    return inspect.getmodule(vars(h2.connection)["Encoder"])


def _checked(module: ModuleType) -> list[tuple[type, str, Callable[..., Any]]]:
    """Class, name and function of each step of a layer in a module that is wrapped in a check."""
    return [
        (cls, name, inspect.unwrap(step))
        for cls in vars(module).values()
        if isinstance(cls, type) and cls.__module__ == module.__name__
        for name, step in vars(cls).items()
        if isinstance(step, FunctionType) and step.__code__.co_name == _CHECK
    ]


def _nothing(*_: object, **__: object) -> None:
    """In the place of a check or a line of a log."""


def _no_text(_: object) -> str:
    """In the place of `repr`, for h2's trace."""
    return ""


def _get_all(self: http.Headers, name: str | bytes) -> list[str]:
    """As `Headers.get_all`: all values of a field, in whatever case its name is."""
    key = (name if isinstance(name, bytes) else name.encode(*_ENCODING)).lower()
    return [value.decode(*_ENCODING) for each, value in self.fields if each.lower() == key]
