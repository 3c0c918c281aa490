"""WebDriver BiDi: commands, their results and events as JSON over one WebSocket."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

from websockets.sync.client import connect

from tests.browser.interface import ANSWER_SECONDS

type Json = dict[str, Any]


class Refused(Exception):
    """The browser answered a command with an error."""


class Connection:
    """A BiDi session. `on_event` gets each event's method and parameters, while a command waits for
    its result."""

    def __init__(self, address: str, on_event: Callable[[str, Json], None]) -> None:
        self._socket = connect(
            f"{address}/session", max_size=None, proxy=None, open_timeout=10, close_timeout=2
        ).__enter__()
        self._numbers = itertools.count(1)
        self._on_event = on_event
        try:
            self.call("session.new", capabilities={"alwaysMatch": {}})
        except BaseException:
            self.close()
            raise

    def send(self, method: str, **parameters: object) -> int:
        """Send a command whose result nobody waits for; its number."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        return number

    def call(self, method: str, **parameters: object) -> Json:
        """The result of a command. Raises Refused, or TimeoutError after `ANSWER_SECONDS`."""
        number = self.send(method, **parameters)
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                message = json.loads(self._socket.recv(timeout=max(0, deadline - time.monotonic())))
            except TimeoutError:
                raise TimeoutError(f"{method} has had no answer for {ANSWER_SECONDS:g} s") from None
            if message["type"] == "event":
                self._on_event(message["method"], message["params"])
            elif message["id"] == number:
                if message["type"] == "error":
                    raise Refused(f"{method}: {message['error']}: {message['message'][:500]}")
                result: Json = message["result"]
                return result

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
