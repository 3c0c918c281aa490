"""Which devices do not trust our certificate, as far as their own connections tell.

In memory only, for a while, and of so many: it is shown to whoever uses such a device, on their own
page, and to nobody else.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

KEPT_SECONDS: Final = 3600.0  # after the last failure
# After a connection that succeeded failures are those of an app that trusts its maker's CA only.
TRUSTED_SECONDS: Final = 600.0
_MOST: Final = 4096  # devices


class Distrust(NamedTuple):
    """A device has not accepted our certificate: for which platform ("" for our own pages), and
    when last."""

    platform: str
    at: float


class DistrustingDevices:
    """For one event loop. A device is an address and the name of who uses it."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` gives the current instant."""
        self._now = now
        self._failed: OrderedDict[tuple[str, str], Distrust] = OrderedDict()
        self._trusted: OrderedDict[tuple[str, str], float] = OrderedDict()

    def failed(self, address: str, name: str, platform: str = "") -> None:
        """A handshake ended because the device did not accept our certificate."""
        key, now = (address, name), self._now()
        if now - self._trusted.get(key, -TRUSTED_SECONDS) < TRUSTED_SECONDS:
            return
        self._failed[key] = Distrust(platform, now)
        self._failed.move_to_end(key)
        if len(self._failed) > _MOST:
            self._failed.popitem(last=False)

    def succeeded(self, address: str, name: str, *, is_newcomer: bool = False) -> None:
        """A handshake with our certificate was completed. That of a newcomer, who may be anybody at
        this address and sign in a moment later, wipes what is known of all of them."""
        key = (address, name)
        self._failed.pop(key, None)
        if is_newcomer:
            for other in [each for each in self._failed if each[0] == address]:
                del self._failed[other]
        self._trusted[key] = self._now()
        self._trusted.move_to_end(key)
        if len(self._trusted) > _MOST:
            self._trusted.popitem(last=False)

    def of(self, address: str, name: str) -> Distrust | None:
        """What is known of a device now; None: nothing speaks against it."""
        found = self._failed.get((address, name))
        if found is None or self._now() - found.at < KEPT_SECONDS:
            return found
        del self._failed[address, name]
        return None
