"""Structured logs: JSON lines, or columns on a terminal. One line for an event that matters.

What libraries log goes through the same pipe, and only from WARNING on (mitmproxy and psycopg from
ERROR on): their lines about each connection and request would reveal which sites people visit, and
nobody explains the others.

Whoever logs never waits (`system/line_writer.py`): a line is made where the event happens, and
written by a thread. Nor does whoever prints, inside `standard_streams`.
"""

from __future__ import annotations

import contextvars
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

import structlog

from proxy_addon.system.line_writer import LineStream, LineWriter, to_stream

_OURS = ("allowance", "proxy_addon")
# Warnings of mitmproxy name the sites of clients that do not trust our certificate. Those of
# psycopg tell that a connection was lost, which `the ledger is away` says in plain words.
_SILENT = ("mitmproxy", "psycopg")

log = structlog.get_logger("allowance.log")


class LineHandler(logging.Handler):
    """Formats a record where it was logged, and hands the line over."""

    def __init__(self, writer: LineWriter) -> None:
        super().__init__()
        self.writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        try:
            line = self.format(record)
        except Exception:
            self.handleError(record)
            return
        self.writer.put(f"{line}\n".encode("utf-8", "backslashreplace"))

    def flush(self) -> None:
        """Wait for a moment until all is written: at the end of the process."""
        self.writer.flush()


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
    handler = LineHandler(_writer_of(sys.stderr))
    handler.setFormatter(formatter)
    context = contextvars.copy_context()  # the number of a worker, for example
    handler.writer.on_flow = lambda lines: context.run(_tell_dropped, lines)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    wanted = logging.getLevelNamesMapping()[level.upper()]
    root.setLevel(max(logging.WARNING, wanted))
    for name in _OURS:
        logging.getLogger(name).setLevel(wanted)
    for name in _SILENT:
        logging.getLogger(name).setLevel(logging.ERROR)


@contextmanager
def standard_streams() -> Iterator[None]:
    """Inside, nothing that is printed to standard output or error waits for whoever reads it; what
    is printed has a moment to be written when this ends."""
    _occupy_closed_descriptors()
    before = sys.stdout, sys.stderr
    writers = []
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if stream is not None:
            with suppress(Exception):
                stream.flush()
            writers.append(_writer_of(stream))
            setattr(sys, name, LineStream(writers[-1], stream))
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        for writer in writers:
            writer.flush()
        sys.stdout, sys.stderr = before


def dropped() -> int:
    """How many lines of this process nobody took: the reader of its log has stopped, or the disk is
    full. Any thread."""
    return sum(each.writer.dropped for each in _handlers())


def is_full() -> bool:
    """Whether lines have been dropped and there is no room yet. Any thread."""
    return any(each.writer.is_full for each in _handlers())


def flush() -> None:
    """Wait for a moment until what was logged is written. A process that ends without leaving the
    interpreter, as workers do, has to say so."""
    for handler in _handlers():
        handler.flush()


def _handlers() -> list[LineHandler]:
    return [each for each in logging.getLogger().handlers if isinstance(each, LineHandler)]


def _writer_of(stream: TextIO | None) -> LineWriter:
    """The writer of a stream; one only for each, so that lines keep their order."""
    if isinstance(stream, LineStream):
        return stream.writer
    return LineWriter((lambda data: len(data)) if stream is None else to_stream(stream))


def _tell_dropped(lines: int) -> None:
    log.warning("log lines were dropped", lines=lines)


def _occupy_closed_descriptors() -> None:
    """A process that was started without standard output would get its number for its next file or
    connection, and what is printed would end up there."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
