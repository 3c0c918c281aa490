"""Request ids, and what the decision log is told of requests and tunnels.

A request id is the beginning of the id that mitmproxy has for a flow or a connection: 48 random bits. It stands in
log lines that concern one request, in `X-Allowance-Request` and on the page that somebody is shown, so that
whoever reports a problem can be helped without saying where they went.
"""

from __future__ import annotations

from mitmproxy import http

from proxy_addon.core.types import Activity, Decision, Person
from proxy_addon.observability.decision_log import Decided, Decisions
from proxy_addon.proxy.layers.flow_output import request_id

_WAITS = "allowance_decided"  # the key in a flow's metadata


class DecisionRecorder:
    """Tells the decision log, where there is one. Nothing here waits."""

    def __init__(self, decisions: Decisions | None) -> None:
        self._decisions = decisions

    def tell(self, request: str, person: Person, decision: Decision, at: float) -> None:
        """A decision that is final as it is: a refusal, a heads-up, a tunnel, a cut."""
        if self._decisions is not None and self._decisions.takes(request):
            self._decisions.put(Decided(at, request, person, decision))

    def wait(self, flow: http.HTTPFlow, person: Person, decision: Decision, at: float) -> None:
        """A request that goes on: told when its answer shows what it is evidence of, or when it is over."""
        request = request_id(flow)
        if self._decisions is not None and self._decisions.takes(request):
            flow.metadata[_WAITS] = Decided(at, request, person, decision)

    def judged(self, flow: http.HTTPFlow, activity: Activity | None) -> None:
        """It is known what the request is evidence of; None: it is over without an answer. Twice is fine."""
        decided = flow.metadata.pop(_WAITS, None)
        if self._decisions is not None and isinstance(decided, Decided):
            self._decisions.put(decided._replace(activity=activity))
