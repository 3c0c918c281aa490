"""The message for somebody whose request is blocked: the same on the page, in JSON and in plain
text."""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from proxy_addon.core.types import Balance, Decision, Reason
from proxy_addon.presentation import durations as words

_CODES: Final = {
    Reason.EXHAUSTED: "exhausted",
    Reason.BLOCKED: "blocked",
    Reason.UNIDENTIFIED: "unidentified",
    Reason.ACKNOWLEDGE: "acknowledge",
    Reason.UNAVAILABLE: "unavailable",
}


class PageContext(NamedTuple):
    """Who reads the page, what it is about, and when.

    `platform_title` is what people call the platform ("LinkedIn"), `allowance` a heading for the
    allowance. `now` is an instant. `page_url` is the employee's page and ends in a slash.
    `request_more` is True when that page can take a request for more minutes.
    """

    person: str | None
    roles: tuple[str, ...]
    platform_title: str | None
    balance: Balance | None
    allowance: str | None
    zone: ZoneInfo
    now: float
    page_url: str = "http://allowance.internal/"
    request_more: bool = False

    @property
    def who(self) -> str:
        """The reader's name as shown: "dora", "this device (10.0.7.33)", or nothing."""
        name = self.person or ""
        return f"this device ({name[3:]})" if name.startswith("ip:") else name

    @property
    def what(self) -> str:
        """What was asked for, in the middle of a sentence."""
        return self.platform_title or "this site"

    def ask_url(self, allowance: str | None) -> str | None:
        """Where to ask for more of an allowance, if one can."""
        if not self.request_more or allowance is None:
            return None
        return f"{self.page_url}ask?{urlencode({'allowance': allowance}, errors='replace')}"


class BlockMessage(NamedTuple):
    """Two sentences: what is blocked, and what comes next. `moment` is the part of `next` to
    emphasise, or ""."""

    code: str
    headline: str
    before: str
    moment: str = ""
    after: str = ""

    @property
    def next(self) -> str:
        """The second sentence as plain text."""
        return f"{self.before}{self.moment}{self.after}"

    @property
    def text(self) -> str:
        """Both sentences."""
        return f"{self.headline}. {self.next}"


def code_of(reason: Reason) -> str:
    """The value of `X-Allowance-Reason`. Whatever else blocks (`otherwise: block`) is "blocked"."""
    return _CODES.get(reason, "blocked")


def block_message(decision: Decision, context: PageContext) -> BlockMessage:
    """The message for a decision that blocks."""
    code = code_of(decision.reason)
    what = context.what
    match decision.reason:
        case Reason.EXHAUSTED:
            return _exhausted(decision, context)
        case Reason.UNIDENTIFIED:
            return BlockMessage(
                code,
                "We do not know who you are",
                f"To use {what}, sign in to the proxy with your own name and password, then load this page"
                " again. If you were never asked to sign in, your IT team can help.",
            )
        case Reason.ACKNOWLEDGE:
            return BlockMessage(
                code,
                "Please read our social media policy first",
                f"It takes a few minutes, and you do it once. Then {what} is open to you.",
            )
        case Reason.UNAVAILABLE:
            return BlockMessage(
                code,
                "We cannot look up your time right now",
                f"The fault is ours, not yours, and it costs you no minutes. Until it is fixed, {what} stays"
                " closed. Please try again in a little while.",
            )
        case _:
            return _blocked(decision, context)


def _exhausted(decision: Decision, context: PageContext) -> BlockMessage:
    headline = f"Your time for {context.what} is used up"
    nothing = context.balance is not None and context.balance.limit + context.balance.granted <= 0
    if nothing:
        headline = f"You have no time for {context.what}"
    if decision.until is None and nothing:
        return BlockMessage("exhausted", headline, "The rules of your office give you none.")
    if decision.until is None:
        return BlockMessage(
            "exhausted", headline, "You get it back as the time you have used moves into the past."
        )
    moment = words.moment(decision.until, context.now, context.zone)
    return BlockMessage("exhausted", headline, "You have time again ", moment, ".")


def _blocked(decision: Decision, context: PageContext) -> BlockMessage:
    code = code_of(decision.reason)
    if decision.until is not None:
        moment = words.moment(decision.until, context.now, context.zone)
        return BlockMessage(
            code, f"{_first_up(context.what)} is closed for now", "This changes ", moment, "."
        )
    why = (
        "A rule of your office keeps it closed."
        if decision.rule
        else "No rule of your office opens it."
    )
    return BlockMessage(code, f"{_first_up(context.what)} is not available here", why)


def _first_up(text: str) -> str:
    """Capitalised for the start of a sentence; the name of a platform is never changed."""
    return "This site" if text == "this site" else text
