"""Connections to Postgres: one host after the other, all in a bounded time, and with the SQLSTATE
of a server that refuses one.

libpq tells the SQLSTATE of an error only once a connection is open. Before that there are words, in
the language of the server. But it can write down what passes between both sides (`PQtrace`), and
there the code stands. So where a server refuses a connection with words that were not seen yet,
a second attempt is written down; what that says is kept with the words.

Whether a pooler stands in between is seen from the number of the server process: a pooler gives
its clients a number of its own.
"""

from __future__ import annotations

import os
import random
import re
import select
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Final

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo
from psycopg.pq.abc import PGconn
from sqlalchemy.dialects import postgresql

from db.address import Address
from db.hosts import PORT, attempts
from db.session import CONNECT_SECONDS, arguments, session_settings

MOST_WORDS: Final = 64  # of refusals that are kept with their SQLSTATE
READ_ONLY: Final = "25006"
_STATE: Final = re.compile(rb'\tErrorResponse\t S "[^"]*"(?: V "[^"]*")? C "([0-9A-Z]{5})"')
_TAKES_NO_WRITES: Final = re.compile(
    rb'\tParameterStatus\t "(?:in_hot_standby|default_transaction_read_only)" "on"'
)
_ASK_PID: Final = b"SELECT pg_backend_pid()"


class PostgresSession(psycopg.Connection[Any]):
    """A connection. `is_pooled`: a pooler stands in between. Then `transaction_settings` is to be
    run at the beginning of each transaction; otherwise the session has these settings."""

    is_pooled = False
    transaction_settings = ""


class ConnectError(psycopg.OperationalError):
    """No host of the URL gave a connection; `sqlstate` is the code of a server that refused one."""

    at_connect = True

    def __init__(self, message: str, state: str | None) -> None:
        super().__init__(message)
        self.sqlstate = state


class PostgresConnector:
    """Makes connections. `arguments` are those of libpq, `settings` those of the session, `seconds`
    the time for all hosts together; a `connect_timeout` of the URL is the time for each of them.

    Safe to call from several threads.
    """

    def __init__(
        self, arguments: Mapping[str, Any], settings: Mapping[str, str], seconds: float
    ) -> None:
        self._arguments, self._settings, self._seconds = dict(arguments), settings, seconds
        self._states: dict[str, str | None] = {}  # words of a refusal -> its SQLSTATE

    @classmethod
    def of(cls, address: Address, node: str) -> PostgresConnector:
        """The connector of a database URL; `node` shows up in the list of sessions."""
        dialect: Any = postgresql.psycopg.dialect  # it has no types
        stated = dialect().create_connect_args(address.url)[1]
        settings = session_settings(address)
        return cls({**stated, **arguments(address, node)}, settings, CONNECT_SECONDS)

    def connect(self, *, autocommit: bool = False) -> PostgresSession:
        """A connection to the first host that gives one. Raises ConnectError."""
        each = self._arguments.get("connect_timeout")
        give_up = time.monotonic() + self._seconds
        todo = list(self._resolved())
        problem: ConnectError | None = None
        for number, wanted in enumerate(todo):
            now = time.monotonic()
            share = float(each) if each else (give_up - now) / (len(todo) - number)
            try:
                if isinstance(wanted, ConnectError):
                    raise wanted
                return self._session(self._attempt(wanted, now + share), now + share, autocommit)
            except ConnectError as error:
                problem = _worse(problem, error)
        raise problem or ConnectError("the URL names no host", None)

    def _resolved(self) -> Iterator[dict[str, Any] | ConnectError]:
        """What to try, with addresses instead of names: libpq would wait for a name without
        end, and go through several addresses of one without looking at the time."""
        hosts = attempts(self._arguments)
        if self._arguments.get("load_balance_hosts") == "random":
            random.shuffle(hosts)
        for wanted in hosts:
            host = wanted.get("host")
            if not host or wanted.get("hostaddr") or host.startswith(("/", "@")):
                yield wanted
                continue
            found = _addresses(host, self._seconds / len(hosts))
            if isinstance(found, str):
                yield ConnectError(f"{host}: {found}", None)
            else:
                yield from ({**wanted, "hostaddr": address} for address in found)

    def _attempt(self, wanted: Mapping[str, Any], until: float) -> PGconn:
        """One host: again, and written down, where it refuses with words that are new."""
        stated = {name: value for name, value in wanted.items() if name != "connect_timeout"}
        conninfo = make_conninfo("", **stated).encode()
        for traced in (False, True):
            connection = pq.PGconn.connect_start(conninfo)
            with _Trace(connection, on=traced) as trace:
                if _opened(connection, until):
                    return connection
                words = _words(connection)
            connection.finish()
            if time.monotonic() >= until:
                raise ConnectError(f"{_name(wanted)}: timeout expired", None)
            if traced:
                self._keep(words, trace.state)
            if words in self._states:
                break
        raise ConnectError(words, self._states[words])

    def _keep(self, words: str, state: str | None) -> None:
        if len(self._states) >= MOST_WORDS:
            self._states.clear()
        self._states[words] = state

    def _session(self, connection: PGconn, until: float, autocommit: bool) -> PostgresSession:
        try:
            is_pooled = int(_ask(connection, _ASK_PID, until)) != connection.backend_pid
            if not is_pooled and self._settings:
                _ask(connection, _statement("SET", self._settings).encode(), until)
        except ConnectError:
            connection.finish()
            raise
        connection.nonblocking = 1  # as psycopg wants it
        session = PostgresSession(connection)
        session.autocommit = autocommit
        session.is_pooled = is_pooled
        if is_pooled:
            # Another client's session has other prepared statements, or others of the same name.
            session.prepare_threshold = None
            session.transaction_settings = _statement("SET LOCAL", self._settings)
        return session


class _Trace:
    """What passes between both sides until the end of the block; `state` is the SQLSTATE of an
    error in it. The system closes the file, which has no name and holds a password perhaps."""

    def __init__(self, connection: PGconn, *, on: bool) -> None:
        self._connection, self._on = connection, on
        self.state: str | None = None

    def __enter__(self) -> _Trace:
        if self._on:
            try:
                self._file = os.memfd_create("allowance-trace")
                self._connection.trace(self._file)
            except (psycopg.NotSupportedError, AttributeError, OSError):  # not Linux
                self._on = False
        return self

    def __exit__(self, *_: object) -> None:
        if not self._on:
            return
        self._connection.untrace()
        written = os.pread(self._file, 1 << 20, 0)
        os.close(self._file)
        if found := _STATE.search(written):
            self.state = found[1].decode()
        elif _TAKES_NO_WRITES.search(written):
            self.state = READ_ONLY  # libpq went away, because of target_session_attrs


def _opened(connection: PGconn, until: float) -> bool:
    """Drive the connection until it is open; False when it failed, or it is too late."""
    while connection.status != pq.ConnStatus.BAD:
        match connection.connect_poll():
            case pq.PollingStatus.OK:
                return True
            case pq.PollingStatus.READING:
                is_ready = _wait(connection, select.POLLIN, until)
            case pq.PollingStatus.WRITING:
                is_ready = _wait(connection, select.POLLOUT, until)
            case _:
                return False
        if not is_ready:
            return False
    return False


def _ask(connection: PGconn, statement: bytes, until: float) -> bytes:
    """The first value that a statement of ours gives; empty where it gives none."""
    connection.send_query(statement)
    value = b""
    while True:
        while connection.is_busy():
            if not _wait(connection, select.POLLIN, until):
                raise ConnectError("timeout expired after the sign-in", None)
            try:
                connection.consume_input()
            except psycopg.OperationalError as problem:
                raise ConnectError(_one_line(str(problem)), None) from None
        result = connection.get_result()
        if result is None:
            return value
        if result.status not in {pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK}:
            state = result.error_field(pq.DiagnosticField.SQLSTATE)
            raise ConnectError(_words(connection), state.decode() if state else None)
        if result.ntuples:
            value = result.get_value(0, 0) or b""


def _wait(connection: PGconn, what: int, until: float) -> bool:
    """Wait for the socket; False when it is too late."""
    left = until - time.monotonic()
    if left <= 0:
        return False
    waiting = select.poll()
    waiting.register(connection.socket, what)
    return bool(waiting.poll(left * 1000))


def _words(connection: PGconn) -> str:
    """The message of a connection that failed."""
    return _one_line(connection.error_message.decode(errors="replace"))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _name(wanted: Mapping[str, Any]) -> str:
    return f"{wanted.get('host') or 'local socket'}:{wanted.get('port') or PORT}"


def _worse(one: ConnectError | None, other: ConnectError) -> ConnectError:
    """What to tell of two hosts that failed: a server that answers says more than none."""
    if one is None:
        return other
    return ConnectError(f"{one}; {other}", other.sqlstate or one.sqlstate)


def _statement(verb: str, settings: Mapping[str, str]) -> str:
    return "; ".join(f"{verb} {name} = '{value}'" for name, value in settings.items())


def _addresses(host: str, seconds: float) -> list[str] | str:
    """The addresses of a name, in the order of the resolver, or what is wrong."""
    answers: SimpleQueue[list[str] | str] = SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(str(each[4][0]) for each in found)))
        except (OSError, UnicodeError) as problem:
            answers.put(str(problem))

    threading.Thread(target=ask, name="ledger-name", daemon=True).start()
    with suppress(Empty):
        return answers.get(timeout=seconds)
    return "the name server does not answer"
