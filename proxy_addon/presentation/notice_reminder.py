"""A reminder to read a written policy, ready to be sent, in the language that is spoken."""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from proxy_addon.core.notices.notice import AskWhen, Notice
from proxy_addon.presentation import durations, languages
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.languages import ngettext
from proxy_addon.presentation.notice_html import minutes_to_read

ADDRESS: Final = "http://allowance.internal/policy"


class Reminder(NamedTuple):
    """What to send."""

    subject: str
    text: str


def address(notice: Notice) -> str:
    """Where it is read and confirmed: through the proxy, by whoever is signed in."""
    return f"{ADDRESS}?{urlencode({'notice': notice.name})}"


def reminder(
    notice: Notice,
    now: float,
    zone: ZoneInfo,
    *,
    name: str = "",
    until: float | None = None,
    contact: str = "",
) -> Reminder:
    """For somebody with this name, or for anybody. `until`: when their grace time ends, where it
    runs; `contact`: whom to ask."""
    text = notice.text((languages.spoken(),))
    about = {"title": text.title, "version": notice.version}
    minutes = minutes_to_read(text)
    asked = (
        _("Please read “%(title)s”, version %(version)s, and confirm that you have read it:")
        if notice.ask is AskWhen.BEFORE_FIRST_USE
        else _("Please read “%(title)s”, version %(version)s:")
    )
    parts = [
        _("Hello %(name)s,") % {"name": name} if name else _("Hello,"),
        f"{asked % about}\n{address(notice)}",
        ngettext("It takes about %(n)d minute.", "It takes about %(n)d minutes.", minutes)
        % {"n": minutes},
        _deadline(notice, now, zone, until),
        _("Questions: %(contact)s") % {"contact": contact} if contact else "",
    ]
    subject = _("Please read: %(title)s, version %(version)s") % about
    return Reminder(subject, "\n\n".join(part for part in parts if part))


def _deadline(notice: Notice, now: float, zone: ZoneInfo, until: float | None) -> str:
    if until is None or notice.ask is not AskWhen.BEFORE_FIRST_USE:
        return ""
    if until <= now:
        return _("Until you have confirmed it, limited platforms stay closed to you.")
    when = durations.moment(until, now, zone)
    closing = _("If you have not confirmed it by then, limited platforms close %(when)s.")
    return closing % {"when": when}
