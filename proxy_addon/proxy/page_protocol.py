"""uvicorn's HTTP/1.1 protocol on a connection that was accepted elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

IDLE_SECONDS: Final = 60  # between two requests
MAX_HEAD_BYTES: Final = 16_384

# What clients send wrongly is not logged; failures of ours are, by whoever made the application.
_SILENT: Final = logging.Logger("uvicorn.error", logging.CRITICAL + 1)


async def _nowhere(scope: Any, receive: Any, send: Any) -> None:
    raise RuntimeError("each connection has an application of its own")


def configuration() -> Config:
    """uvicorn's settings, for all connections. No header says who a client is, or that its
    connection is another one."""
    made = Config(
        _nowhere,
        interface="asgi3",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=IDLE_SECONDS,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
    )
    made.load()
    return made


class AcceptedHttp(H11Protocol):
    """Implements `relay.interface.PageProtocol`."""

    def __init__(
        self, config: Config, state: ServerState, app: Any, bad_request: Callable[[], bytes]
    ) -> None:
        """`bad_request` gives the answer to what is not HTTP."""
        super().__init__(config, state, {})
        self.app = app
        self.logger = _SILENT
        self._bad_request = bad_request

    def send_400_response(self, msg: str) -> None:
        """In our words; nothing where an answer is under way already."""
        if self.transport.is_closing():
            return
        cycle = self.cycle
        if cycle is None or cycle.response_complete or not cycle.response_started:
            self.transport.write(self._bad_request())
        self.transport.close()

    def release(self) -> None:
        """See `relay.interface.PageProtocol`."""
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None
        self.connections.discard(self)


class AcceptedHttpProtocols:
    """Makes them. `answering`: tasks of requests that are being answered."""

    def __init__(self) -> None:
        self._config = configuration()
        self._state = ServerState()
        self.answering = self._state.tasks

    def make(self, app: Any, bad_request: Callable[[], bytes]) -> AcceptedHttp:
        """For one connection."""
        return AcceptedHttp(self._config, self._state, app, bad_request)
