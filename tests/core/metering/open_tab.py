"""An open tab for the tests of proxy_addon/core/metering/polling.py, told in words."""

from __future__ import annotations

from proxy_addon.core.metering import polling
from proxy_addon.core.metering.polling import PollingJudgement, PollingState

POLL, FEED = "x.com/poll", "x.com/feed"


class Tab:
    """What it asks and brings, and all that was taken back for it."""

    def __init__(self) -> None:
        self.state: PollingState = polling.EMPTY
        self.withdrawn: set[polling.Root] = set()

    def asks(self, at: float, key: str = POLL) -> PollingJudgement:
        """A script asks for `key`."""
        return self._note(*polling.observe(self.state, key, at, leads=True))

    def brings(self, at: float) -> PollingJudgement:
        """A picture comes."""
        return self._note(*polling.observe(self.state, "img/*", at, leads=False))

    def polls(self, at: float, key: str = POLL) -> PollingJudgement:
        """A request that the catalogue knows as a poll is answered with something."""
        return self._note(*polling.observe_poll(self.state, key, at))

    def _note(self, after: PollingState, judgement: PollingJudgement) -> PollingJudgement:
        self.state = after
        self.withdrawn |= judgement.withdrawn
        return judgement
