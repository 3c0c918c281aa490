"""Requests: decided before the site is contacted, classified by their response, metered while they
run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from mitmproxy import http
from mitmproxy.addons import asgiapp

from proxy_addon.core.catalogue import Hit
from proxy_addon.core.hosts import normalise
from proxy_addon.core.types import Decision, Person, Reason, Target, Verdict
from proxy_addon.identity.identification import Identity
from proxy_addon.metering.flight import Asked, Flight
from proxy_addon.presentation.languages import marked
from proxy_addon.proxy import flow_input as reading
from proxy_addon.proxy import open_requests
from proxy_addon.proxy import page_context as pages
from proxy_addon.proxy.credentials import Credentials
from proxy_addon.proxy.decision_recorder import DecisionRecorder
from proxy_addon.proxy.failures import Failures, unavailable
from proxy_addon.proxy.in_flight import InFlight
from proxy_addon.proxy.layers import flow_output as writing
from proxy_addon.proxy.layers.addon_manager import DONE
from proxy_addon.proxy.layers.connections import ClientState, Connections
from proxy_addon.proxy.layers.flow_output import request_id
from proxy_addon.proxy.layers.tunnel_choice import PAGE_HOST
from proxy_addon.proxy.notice_pages import gate_answer
from proxy_addon.proxy.responses import responses
from proxy_addon.proxy.services import Services
from proxy_addon.proxy.tunnels import Tunnels

_LAST = "allowance_last"  # in a flow's metadata: no other request follows on its connection
_UNIDENTIFIED_ROLES = ("nobody",)  # the role under which refused, unidentified requests are counted


class Requests:
    """One for the add-on."""

    def __init__(
        self,
        services: Services,
        connections: Connections,
        credentials: Credentials,
        in_flight: InFlight,
        tunnels: Tunnels,
        failures: Failures,
        recorder: DecisionRecorder,
    ) -> None:
        self._recorder = recorder
        self._services = services
        self._connections = connections
        self._credentials = credentials
        self._in_flight = in_flight
        self._tunnels = tunnels
        self._failures = failures

    def head(self, flow: http.HTTPFlow) -> Awaitable[None]:
        """Decide. The body has not been received yet, and nothing has been sent to the site.

        It is decided when this has been awaited; at once (DONE) where it is known who asks.
        """
        conn = self._connections.of(flow.client_conn)
        if not conn.hosts or conn.who is None:
            return self._identify_and_decide(flow, conn)
        named = reading.RequestHosts((), True)
        try:
            named = reading.RequestHosts.of(flow.request, conn)
            self._credentials.strip(flow)
            self._decide(flow, named, conn.who)
        except Exception:
            self._failures.note("requestheaders", flow)
            self._apply_failure(flow, named, conn.who)
        return DONE

    async def _identify_and_decide(self, flow: http.HTTPFlow, conn: ClientState) -> None:
        named, who = reading.RequestHosts((), bool(conn.hosts)), None
        try:
            named = reading.RequestHosts.of(flow.request, conn)
            who = await self._credentials.who(flow)
            conn.asker.name = who.name
            if not named.tunnelled and self._may_be_followed(flow, who):
                flow.metadata[_LAST] = True
            self._decide(flow, named, who)
        except Exception:
            self._failures.note("requestheaders", flow)
            self._apply_failure(flow, named, who)

    def _may_be_followed(self, flow: http.HTTPFlow, who: Identity) -> bool:
        """Whether the next request on this connection could be somebody's whose worker is another
        one: a front proxy sends those of different people, and who is asked to sign in is known
        only then."""
        services = self._services
        if not services.place.shared:
            return False
        return who.challenge or services.identifier.is_front_proxy(flow.client_conn.peername[0])

    def _decide(self, flow: http.HTTPFlow, named: reading.RequestHosts, who: Identity) -> None:
        if not named.tunnelled and open_requests.is_direct(flow):
            self._direct(flow)
            return
        is_newcomer = who.challenge and PAGE_HOST in named.hosts
        if not (named.tunnelled or is_newcomer or self._services.place.serves(who.name)):
            self._not_here(flow, named)
            return
        if PAGE_HOST in named.hosts:
            self._page(flow, named, who)
            return
        limited = {
            host: platform
            for host in named.hosts
            if (platform := self._services.enforcer.limited(host))
        }
        if not limited:
            self._unlimited(flow, named)
        elif who.challenge and not named.tunnelled:
            writing.answer_with(flow, self._credentials.sign_in(flow))
        elif len(set(limited.values())) > 1:
            writing.answer_with(flow, self._misdirected(flow))
        else:
            self._limited(flow, who, next(iter(limited)))

    def _not_here(self, flow: http.HTTPFlow, named: reading.RequestHosts) -> None:
        """The person is served by another worker, to which the next connection goes."""
        limited = any(self._services.enforcer.limited(host) for host in named.hosts)
        if limited or PAGE_HOST in named.hosts:
            writing.answer_with(flow, unavailable())
        else:
            self._unlimited(flow, named)

    def _page(self, flow: http.HTTPFlow, named: reading.RequestHosts, who: Identity) -> None:
        if who.challenge:
            self._newcomer(flow, named, who)
            return
        self._show(flow, self._credentials.person(who).name, who)

    def _newcomer(self, flow: http.HTTPFlow, named: reading.RequestHosts, who: Identity) -> None:
        """Who has to sign in and has not: see `LightPageServer`."""
        if named.tunnelled and flow.request.is_http11:
            flow.metadata[_LAST] = True  # the next connection can be somebody's
        if set(named.hosts) == {PAGE_HOST} and open_requests.is_allowed(flow.request):
            self._show(flow, who.name, who)
        elif named.tunnelled:
            offered = self._services.enforcer.rules.office.languages
            writing.answer_with(flow, open_requests.refusal(flow.request, offered))
        else:
            writing.answer_with(flow, self._credentials.sign_in(flow))

    def _direct(self, flow: http.HTTPFlow) -> None:
        """The device does not use the proxy yet."""
        if open_requests.leads_to_the_page(flow):
            writing.answer_with(flow, open_requests.to_the_page())
            return
        address = f"ip:{flow.client_conn.peername[0]}"
        self._show(flow, address, Identity(address, False, "none", challenge=True))
        flow.metadata["allowance_direct"] = True

    def _show(self, flow: http.HTTPFlow, name: str, who: Identity) -> None:
        writing.mark(flow, writing.PAGE)
        flow.metadata["allowance_person"] = name
        flow.metadata["allowance_identified"] = who.identified
        flow.metadata["allowance_signed_in"] = who.signed_in
        flow.metadata["allowance_newcomer"] = who.challenge

    def _unlimited(self, flow: http.HTTPFlow, named: reading.RequestHosts) -> None:
        request = flow.request
        problem = (
            None
            if named.tunnelled
            else self._tunnels.target_refusal(normalise(request.host), request.port)
        )
        if problem is not None:
            title = marked("Not through this proxy")
            writing.answer_with(flow, self._refused(flow, 403, title, problem))
            return
        request.stream = True

    def _refused(
        self, flow: http.HTTPFlow, status: int, title: str, detail: str
    ) -> responses.Answer:
        office = self._services.enforcer.rules.office
        languages = flow.request.headers.get("accept-language")
        return responses.refused(status, title, detail, office, languages)

    def _misdirected(self, flow: http.HTTPFlow) -> responses.Answer:
        """Two limited platforms in one request: a browser that took the wrong connection asks
        again."""
        title = marked("This request names two sites")
        detail = marked("It was sent to one site but names another. Load the page again.")
        return self._refused(flow, 421, title, detail)

    def _limited(self, flow: http.HTTPFlow, who: Identity, host: str) -> None:
        services, request = self._services, flow.request
        hit = services.enforcer.catalogue.lookup(host, request.path)
        if hit is None:  # the host was limited a moment ago: the rules changed in between
            request.stream = True
            return
        read = reading.fields(request)
        ask = reading.request_info(flow, host, read)
        if who.refused or who.challenge:
            self._refuse_unidentified(flow, who, ask, hit)
            return
        if not ask.upgrade and "upgrade" in request.headers:
            del request.headers["upgrade"]  # we could not meter another protocol
        x = reading.exchange(request, host, read)
        person, now = self._credentials.person(who), services.clock.now()
        asked = services.enforcer.ask(person, x, hit, now, signed_in=who.signed_in)
        if asked.flight is not None:
            self._in_flight.begin(
                flow,
                asked.flight,
                lambda later: responses.block(ask, later, pages.context(services, who, later)),
            )
            self._recorder.hold(flow, person, asked.decision, now)
            request.stream = self._feed(asked.flight, self._sent)
            return
        self._recorder.record(ask.request_id, person, asked.decision, now)
        try:
            answer = self._own_answer(who, person, ask, asked)
        except Exception:
            if not asked.decision.blocks:
                raise
            # What was refused stays refused, also where its page cannot be made.
            self._failures.note("requestheaders", flow)
            answer = self._failures.answer(flow, host, who, asked.decision)
        writing.answer_with(flow, answer)

    def _own_answer(
        self, who: Identity, person: Person, ask: responses.RequestInfo, asked: Asked
    ) -> responses.Answer:
        """The page in place of what the site would answer."""
        services = self._services
        context = pages.context(services, who, asked.decision, ask)
        if asked.gated is not None:
            return gate_answer(services, ask, person, asked.gated, context)
        if asked.notice is not None:
            services.traffic.notice(asked.notice.allowance)
            return responses.heads_up(ask, asked.decision, asked.notice, context)
        return responses.block(ask, asked.decision, context)

    def _refuse_unidentified(
        self, flow: http.HTTPFlow, who: Identity, ask: responses.RequestInfo, hit: Hit
    ) -> None:
        decision = Decision(Verdict.BLOCK, Reason.UNIDENTIFIED, hit.platform, hit.section)
        observed = self._services.enforcer.rules.observes and not who.challenge
        if observed:
            decision = decision.tried_out(Verdict.ALLOW)
        person = Person(who.name, _UNIDENTIFIED_ROLES)
        self._services.metrics.decided(person, decision, 0.0)
        self._recorder.record(ask.request_id, person, decision, self._services.clock.now())
        if observed:
            flow.request.stream = True
            return
        try:
            answer = responses.block(ask, decision, pages.context(self._services, who, decision))
        except Exception:
            self._failures.note("requestheaders", flow)
            answer = self._failures.answer(flow, ask.host, who, decision)
        writing.answer_with(flow, answer)

    # -- failure

    def _apply_failure(
        self, flow: http.HTTPFlow, named: reading.RequestHosts, who: Identity | None
    ) -> None:
        """A failure of ours lets nothing limited pass: the verdict of `on_failure` applies."""
        if PAGE_HOST in named.hosts:
            writing.answer_with(flow, unavailable())
            return
        try:
            target = self._target(flow.request, named)
            person = self._credentials.person(who) if who is not None else None
        except Exception:
            self._failures.note("requestheaders", flow)
            target, person = Target(""), None
        if target is None:
            flow.request.stream = True
            return
        decision = self._failures.verdict(person, target)
        self._record_failure(flow, person, decision)
        if not decision.blocks:
            flow.request.stream = True
            return
        host = named.hosts[0] if named.hosts else ""
        writing.answer_with(flow, self._failures.answer(flow, host, who, decision))

    def _record_failure(
        self, flow: http.HTTPFlow, person: Person | None, decision: Decision
    ) -> None:
        try:
            if person is not None:
                self._recorder.record(
                    request_id(flow), person, decision, self._services.clock.now()
                )
        except Exception:
            self._failures.note("requestheaders", flow)

    def _target(self, request: http.Request, named: reading.RequestHosts) -> Target | None:
        """What a request is for, as far as that is known; None when it is certainly not limited."""
        for host in named.hosts:
            platform = self._services.enforcer.limited(host)
            if platform is not None:
                hit = self._services.enforcer.catalogue.lookup(host, request.path)
                return Target(hit.platform, hit.section) if hit is not None else Target(platform)
        return None if named.hosts else Target("")

    # -- the employee page

    async def body(self, flow: http.HTTPFlow) -> None:
        """The employee's page is answered when the body of a form is complete."""
        if writing.marked(flow) != writing.PAGE or flow.response is not None or not flow.live:
            return
        try:
            await asgiapp.serve(pages.for_person(self._services.page, flow), flow)
            if flow.response is not None:
                flow.response.headers[writing.REQUEST_HEADER] = request_id(flow)
        except Exception:
            self._failures.note("request", flow)
            writing.answer_with(flow, unavailable())

    # -- the answer

    def answered(self, flow: http.HTTPFlow) -> None:
        """The head of the response has arrived: stream everything, and classify what is limited."""
        response = flow.response
        if response is None or response.status_code == 101:
            return
        if _LAST in flow.metadata:
            response.headers["Connection"] = "close"
        if writing.marked(flow) is not None:
            return
        response.stream = True
        flight = self._in_flight.flight(flow)
        if flight is None:
            return
        response.stream = self._feed(flight, self._received)
        kind, told = response.headers.get("content-type", "").lower(), reading.told_length(response)
        flight.when_judged = self._judged
        enforcer, now = self._services.enforcer, self._services.clock.now()
        enforcer.answered(flight, response.status_code, kind, told, now)
        if flight.refused:
            response.stream = _dropped
            self._in_flight.end_refused()

    def _judged(self, flight: Flight) -> None:
        if flight.judgement is not None and isinstance(flight.handle, http.HTTPFlow):
            self._recorder.judged(flight.handle, flight.judgement.activity)

    def _sent(self, flight: Flight, size: int, now: float) -> None:
        self._services.enforcer.upload(flight, size, now)

    def _received(self, flight: Flight, size: int, now: float) -> None:
        self._services.enforcer.body(flight, size, now)

    def _feed(
        self, flight: Flight, count: Callable[[Flight, int, float], None]
    ) -> Callable[[bytes], bytes]:
        """Counts the bytes of a body, of a request or of an answer. Must never raise: the
        connection would end."""

        def feed(chunk: bytes) -> bytes:
            if chunk:
                try:
                    count(flight, len(chunk), self._services.clock.now())
                except Exception:
                    self._failures.note("body")
            return chunk

        return feed

    # -- WebSockets

    def upgraded(self, flow: http.HTTPFlow) -> None:
        """The request became a WebSocket."""
        flight = self._in_flight.flight(flow)
        if flight is not None:
            self._services.enforcer.upgraded(flight)

    def message(self, flow: http.HTTPFlow) -> None:
        """One message of a WebSocket: counted and dropped."""
        if flow.websocket is None:
            return
        try:
            flight = self._in_flight.flight(flow)
            if flight is not None:
                message = flow.websocket.messages[-1]
                now = self._services.clock.now()
                size = len(message.content)
                self._services.enforcer.message(flight, size, now, from_client=message.from_client)
        finally:
            del flow.websocket.messages[:-1]


def _dropped(chunk: bytes) -> list[bytes]:
    """A body of which nothing is passed on: its exchange is being ended."""
    return []
