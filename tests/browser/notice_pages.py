"""The pages of the written policy in every state: the shipped text, as several people see it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from proxy_addon.core.notices.gate import Meeting, Need
from proxy_addon.core.notices.headings import headings, parser, split_title
from proxy_addon.core.notices.notice import Notice, Version
from proxy_addon.core.types import Decision, Reason, Verdict
from proxy_addon.ledger.interface import NoticeVersion
from proxy_addon.proxy.responses.gate import GateText, gate
from proxy_addon.proxy.responses.responses import Answer
from proxy_addon.rules import folder
from tests.browser.state import Form, State
from tests.e2e.process import ROOT
from tests.proxy.responses.samples import ASK, CONTEXT
from tests.web.admin_setup import TOKENS
from tests.web.notice_setup import DAY, NoticeSetup
from tests.web.office import NOW
from tests.web.test_notice_service import FACEBOOK, AwayLedger

MINUTES = "You have 15 minutes a day for social and video platforms."
NEWS = "Images and video are new."
_VALUE = re.compile(r"\{\{.*?\}\}|\. |: |, ")
UNREAD = Decision(Verdict.BLOCK, Reason.ACKNOWLEDGE, "facebook")


@cache
def shipped() -> Notice:
    """The policy that we ship, as version 3."""
    [notice] = folder.load(ROOT / "rules").notices
    return replace(notice, version=Version(3))


@cache
def earlier() -> Notice:
    """Version 2 of it: without one section, and with another sentence."""
    text = shipped().texts["en"]
    markdown = text.markdown.replace("No insults, no threats, nothing", "Nothing")
    before, _, after = markdown.partition("## Images and video")
    markdown = f"{before}## Data{after.partition('## Data')[2]}"
    old = replace(text, markdown=markdown, headings=headings(markdown))
    return replace(shipped(), version=Version(2), digest="2" * 64, texts={"en": old})


def _office(*confirmed: Notice) -> NoticeSetup:
    """dora has confirmed these."""
    setup = NoticeSetup(None, shipped())
    for each in (earlier(), shipped()):
        texts = {language: text.markdown for language, text in each.texts.items()}
        setup.ledger.keep_notice(
            NoticeVersion(each.digest, each.name, str(each.version), NOW - 90 * DAY, texts)
        )
    for number, each in enumerate(confirmed):
        setup.confirmed("dora", each, NOW - (80 - number) * DAY)
    return setup


def policy_states() -> dict[str, State]:
    """`/policy` and what belongs to it."""
    new, done, again = _office(), _office(earlier(), shipped()), _office(earlier())
    due, later, away = _office(), _office(), NoticeSetup(AwayLedger(), shipped())
    due.gate.book.meet("dora", Meeting(shipped().name, 3, NOW - 4 * DAY))
    later.gate.book.meet("dora", Meeting(shipped().name, 3, NOW, NOW + 3_600))
    back = new.seal.seal(FACEBOOK, "dora", NOW)
    form = {
        "token": TOKENS.of("dora", now=NOW),
        "notice": shipped().name,
        "digest": shipped().digest,
        "action": "confirm",
    }
    device = new.person("ip:10.0.7.33", signed_in=False)
    nothing = NoticeSetup()
    nothing.use()
    missed = Form(new.person(), "/policy", form)
    failed = Form(away.person(), "/policy", form | {"read": "yes"})
    other = Form(new.person(), "/policy", form | {"digest": "0", "read": "yes"})
    return {
        "policy": State(new.person(), f"/policy?back={back}"),
        "policy-in-german": State(new.person(), "/policy?lang=de"),
        "policy-with-an-error": State(missed, "/policy", 422),
        "policy-ledger-away": State(failed, "/policy", 503),
        "policy-not-in-force": State(other, "/policy", 409),
        "policy-due": State(due.person(), "/policy"),
        "policy-put-off": State(later.person(), "/policy"),
        "policy-confirmed": State(done.person(), "/policy"),
        "policy-new-version": State(again.person(), "/policy"),
        "policy-old-text": State(again.person(), "/policy?version=2"),
        "policy-changes": State(again.person(), "/policy?changes=1"),
        "policy-nobody-signed-in": State(device, "/policy"),
        "policy-none": State(nothing.person(), "/policy"),
        "policy-done": State(done.person(), "/policy/done"),
        "policy-done-later": State(later.person(), "/policy/done"),
    }


def gates() -> Mapping[str, Answer]:
    """The page before a platform."""
    text = shipped().texts["en"]
    lines = (MINUTES, *text.summary[1:])
    asked = GateText("en", text.title, lines, 4, Need.ASKED, NOW + 3 * DAY)
    return {
        name: gate(ASK, UNREAD, CONTEXT, shown, notice="social-media", back="A" * 80, office="")
        for name, shown in {
            "policy": asked,
            "policy-due": asked._replace(need=Need.DUE, until=None),
            "policy-new-version": asked._replace(read="2", changes=NEWS),
            "policy-shown": asked._replace(need=Need.SHOWN, until=None),
        }.items()
    }


def written() -> set[str]:
    """Everything that stands in the shipped policy: facts of the office, not messages of ours."""
    rewritten = (
        "Nothing",
        "No insults, no threats, nothing",
        "that demeans anybody for who they are",
    )
    found = {"ext. 1", shipped().owner, shipped().contact, *rewritten, MINUTES, NEWS}
    for each in (shipped(), earlier()):
        for text in each.texts.values():
            lines = [text.title, text.changes, *text.summary]
            for token in parser().parse(text.markdown):
                lines += [child.content for child in token.children or ()]
            for line in lines:
                found |= {piece.strip() for piece in _VALUE.split(split_title(line)[0])}
    return {each.rstrip(".") for each in found} - {""}
