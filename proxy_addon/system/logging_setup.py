"""Structured logs: JSON lines, or columns on a terminal. One line for an event that matters.

What libraries log goes through the same pipe, and only from WARNING on (mitmproxy from ERROR on):
their lines about each connection and request would reveal which sites people visit, and nobody
explains the others.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

_OURS = ("allowance", "proxy_addon")
_SILENT = ("mitmproxy",)  # its warnings name the sites of clients that do not trust our certificate


def configure(form: str, level: str) -> None:
    """Send all logs to standard error. `form`: auto, json or console; `level`: debug … error."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    console = form == "console" or (form == "auto" and sys.stderr.isatty())
    # Plain tracebacks: the fancy ones show the values of variables, and so people and passwords.
    last: list[Any] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    if console:
        last = [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    wanted = logging.getLevelNamesMapping()[level.upper()]
    root.setLevel(max(logging.WARNING, wanted))
    for name in _OURS:
        logging.getLogger(name).setLevel(wanted)
    for name in _SILENT:
        logging.getLogger(name).setLevel(logging.ERROR)
