"""What somebody is shown who has to read the written policy first, or of whom nobody knows now
whether they have."""

from __future__ import annotations

from proxy_addon.core.notices.gate import Confirmation
from proxy_addon.core.notices.notice import Notice
from proxy_addon.core.types import Person, Reason
from proxy_addon.metering.notice_gate import Gated
from proxy_addon.presentation import notice_html
from proxy_addon.presentation.languages import chosen, speaking
from proxy_addon.presentation.notice_values import NoticeValues
from proxy_addon.proxy.responses import responses
from proxy_addon.proxy.responses.gate import GateText, gate
from proxy_addon.proxy.responses.messages import PageContext
from proxy_addon.proxy.services import Services


def gate_answer(
    services: Services,
    ask: responses.RequestInfo,
    person: Person,
    gated: Gated,
    context: PageContext,
) -> responses.Answer:
    """A page for a page at the top level; frames, scripts and apps get the refusal of their
    kind."""
    if gated.decision.reason is Reason.UNAVAILABLE:
        return responses.block(ask, gated.decision, context._replace(asks_policy=True))
    if not responses.is_top_level(ask):
        return responses.block(ask, gated.decision, context)
    engine, now = services.enforcer.engine, context.now
    office, notice = engine.rule_set.office, gated.notice
    language = chosen(ask.languages, office.languages)
    text = notice.text((language,))
    with speaking(language):
        value = NoticeValues(engine, person, notice, now, context.page_url)
        summary = tuple(filter(None, (notice_html.line(line, value) for line in text.summary)))
        changes = notice_html.line(text.changes, value)
    read = _last_read(services, person, notice)
    shown = GateText(
        language,
        text.title,
        summary,
        notice_html.minutes_to_read(text),
        gated.standing.need,
        gated.standing.until,
        "" if read is None else str(read.version),
        "" if read is None else changes,
    )
    back = ""
    if services.way_back is not None and ask.method.upper() == "GET":
        back = services.way_back.seal(ask.url, person.name, now)
    return gate(
        ask, gated.decision, context, shown, notice=notice.name, back=back, office=office.name
    )


def _last_read(services: Services, person: Person, notice: Notice) -> Confirmation | None:
    """The latest confirmation of this notice, of whichever version."""
    found = services.enforcer.gate.book.confirmations(person.name)
    return next((each for each in reversed(found) if each.notice == notice.name), None)
