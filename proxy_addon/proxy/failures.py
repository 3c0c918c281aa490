"""When our own code fails: counted each time, logged at most once a minute, and the configured
verdict applied."""

from __future__ import annotations

import sys
import traceback

import structlog
from mitmproxy import http

from proxy_addon.core.types import Decision, Person, Reason, Target, Verdict
from proxy_addon.identity.identification import Identity
from proxy_addon.presentation.languages import marked
from proxy_addon.proxy import flow_input as reading
from proxy_addon.proxy import page_context as pages
from proxy_addon.proxy.layers.flow_output import request_id
from proxy_addon.proxy.responses import responses
from proxy_addon.proxy.services import Services
from proxy_addon.system.clock import timer

log = structlog.get_logger("allowance.proxy")

LOG_INTERVAL = 60.0  # seconds in which the same failure is logged once
_CLOSED = Decision(Verdict.BLOCK, Reason.UNAVAILABLE)


class Failures:
    """Failures, and what applies then. Nothing here may raise."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._logged: dict[str, float] = {}

    def note(self, where: str, flow: http.HTTPFlow | None = None, *, by_kind: bool = False) -> None:
        """Count an exception that is being handled, and log it unless the same was logged a moment
        ago: one from the same part, or `by_kind` one that was raised in the same line."""
        self._services.metrics.failed(where)
        now, kind = timer(), f"{where} {_raised_in()}" if by_kind else where
        if now - self._logged.get(kind, -LOG_INTERVAL) >= LOG_INTERVAL:
            self._logged[kind] = now
            about = {} if flow is None else {"request": request_id(flow)}
            log.exception("our own code failed", where=where, **about)

    def verdict(self, person: Person | None, target: Target) -> Decision:
        """The verdict of `on_failure` for a person and a target."""
        try:
            return self._services.enforcer.failure(person, target)
        except Exception:
            self.note("failure")
            return _CLOSED

    def answer(
        self, flow: http.HTTPFlow, host: str, who: Identity | None, decision: Decision
    ) -> responses.Answer:
        """The block answer of a failure verdict; the plainest one when even that fails."""
        try:
            ask = reading.request_info(flow, host, reading.fields(flow.request))
            if decision.reason is Reason.UNAVAILABLE:
                return responses.block(
                    ask, decision, pages.context_without_balance(self._services, who, decision)
                )
            return responses.block(ask, decision, pages.context(self._services, who, decision))
        except Exception:
            self.note("answer", flow)
            return unavailable(flow.request.headers.get("accept-language"))


def _raised_in() -> str:
    """The line that raised the exception that is being handled; lines are few, messages are not."""
    error = sys.exception()
    found = traceback.extract_tb(error.__traceback__) if error is not None else None
    return f"{found[-1].filename}:{found[-1].lineno}" if found else ""


def unavailable(languages: str | None = None) -> responses.Answer:
    """The plainest refusal of all. `languages`: the Accept-Language of the request."""
    plain = responses.refused(
        503,
        marked("We cannot look up your time right now"),
        marked("The fault is ours and costs you no minutes. Please try again."),
        languages=languages,
    )
    return plain._replace(headers=(*plain.headers, ("X-Allowance-Reason", "unavailable")))
