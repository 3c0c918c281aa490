"""Request ids, and the entries about requests and tunnels for the decision log.

A request id is the beginning of the id that mitmproxy has for a flow or a connection: 48 random
bits. It is in log lines about a request, in `X-Allowance-Request` and on the page that is shown, so
that people who report a problem can be helped without saying which site they visited.
"""

from __future__ import annotations

from mitmproxy import http

from proxy_addon.core.types import Activity, Decision, Person
from proxy_addon.observability.decision_log import DecisionEntry, Decisions
from proxy_addon.proxy.layers.flow_output import request_id

_HELD = "allowance_decided"  # the key in a flow's metadata


class DecisionRecorder:
    """Writes to the decision log, where there is one. Nothing here waits."""

    def __init__(self, decisions: Decisions | None) -> None:
        self._decisions = decisions

    def record(self, request: str, person: Person, decision: Decision, at: float) -> None:
        """A decision that is final as it is: a refusal, a heads-up, a tunnel, a cut."""
        if self._decisions is not None and self._decisions.samples(request):
            self._decisions.put(DecisionEntry(at, request, person, decision))

    def hold(self, flow: http.HTTPFlow, person: Person, decision: Decision, at: float) -> None:
        """A request that goes on: recorded once its response is classified, or when it has
        ended."""
        request = request_id(flow)
        if self._decisions is not None and self._decisions.samples(request):
            flow.metadata[_HELD] = DecisionEntry(at, request, person, decision)

    def judged(self, flow: http.HTTPFlow, activity: Activity | None) -> None:
        """The activity is known; None: the request ended without a response. May be called
        twice."""
        entry = flow.metadata.pop(_HELD, None)
        if self._decisions is not None and isinstance(entry, DecisionEntry):
            self._decisions.put(entry._replace(activity=activity))
