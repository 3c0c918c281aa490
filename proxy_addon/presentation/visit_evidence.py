"""Why a visit was charged: what opened, extended and closed it, for programs and in plain words.

For `allowance usage --explain` and for people's own pages. Kinds and times; the ledger stores
nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple, TypedDict
from zoneinfo import ZoneInfo

from proxy_addon.core.metering import evidence as codes
from proxy_addon.core.types import EvidenceSummary, Extension, Visit
from proxy_addon.presentation import spoken_rules
from proxy_addon.presentation.durations import duration, iso
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.languages import marked, marked_plural, ngettext

NOT_RECORDED: Final = marked("Not recorded.")
SILENCE: Final = "silence"
_SHOWN_FROM: Final = 2.0  # seconds; what opened a visit and ended sooner is not shown again


class Opened(TypedDict):
    """The code of the evidence, and an ISO instant."""

    by: str
    at: str


class Extended(TypedDict):
    """The same with the last instant, and how many times; 0 for what opened the visit and went
    on."""

    by: str
    first: str
    last: str
    times: int


class Closed(TypedDict):
    """Why, and an ISO instant."""

    why: str
    at: str


class EvidenceLine(TypedDict):
    """The evidence of a visit; `closed` is null while it goes on, `given_back` are seconds."""

    opened: Opened
    extended: list[Extended]
    closed: Closed | None
    given_back: float


class _Words(NamedTuple):
    """A kind of evidence: the sentence about what opened a visit, what went on, and what came once
    or `%(n)d` times."""

    opened: str
    going_on: str
    came: tuple[str, str]


_WORDS: Final = {
    "page-opened": _Words(
        marked("Opened %(time)s by opening a page."),
        marked("opening a page"),
        marked_plural("a page opened", "%(n)d pages opened"),
    ),
    "page-action": _Words(
        marked("Opened %(time)s by scrolling or clicking."),
        marked("scrolling or clicking"),
        marked_plural("a scroll or click", "%(n)d scrolls or clicks"),
    ),
    "app-action": _Words(
        marked("Opened %(time)s by using the app."),
        marked("using the app"),
        marked_plural("an action in the app", "%(n)d actions in the app"),
    ),
    "message-sent": _Words(
        marked("Opened %(time)s by sending a message."),
        marked("sending a message"),
        marked_plural("a message sent", "%(n)d messages sent"),
    ),
    "media-played": _Words(
        marked("Opened %(time)s by playing a video or sound."),
        marked("playing a video or sound"),
        marked_plural("a video or sound", "%(n)d videos or sounds"),
    ),
    "embedded-media": _Words(
        marked("Opened %(time)s by playing a video on another site's page."),
        marked("playing a video on another site's page"),
        marked_plural("a video on another site's page", "%(n)d videos on other sites' pages"),
    ),
    "media-stream": _Words(
        marked("Opened %(time)s by a running stream."),
        marked("a running stream"),
        marked_plural("a running stream", "%(n)d running streams"),
    ),
    "busy-tunnel": _Words(
        marked("Opened %(time)s by an app that was busy."),
        marked("an app that was busy"),
        marked_plural("an app that was busy", "an app that was busy %(n)d times"),
    ),
    codes.ESTIMATED: _Words(
        marked("Opened %(time)s by a busy connection in free time, which was not opened."),
        marked("a busy connection in free time"),
        marked_plural(
            "a busy connection in free time", "a connection in free time that was busy %(n)d times"
        ),
    ),
    codes.RULE_CHANGED: _Words(
        marked("Opened %(time)s when the rule changed."),
        marked("the rule changed"),
        marked_plural("the rule changed", "the rule changed %(n)d times"),
    ),
}
_UNKNOWN: Final = _Words(
    marked("Opened %(time)s by %(kind)s."),
    "%(kind)s",
    marked_plural("%(kind)s", "%(kind)s, %(n)d times"),
)
_ENDS: Final = {
    codes.TIME_UP: marked("Closed %(time)s: time was up."),
    codes.RULE_CHANGED: marked("Closed %(time)s: the rule changed."),
    codes.POLICY_UNREAD: marked("Closed %(time)s: the written policy had to be read first."),
    codes.SECTION_CHANGED: marked("Closed %(time)s: another part of the platform was opened."),
    codes.MOVED_ON: marked("Closed %(time)s: a page of another platform was opened."),
    codes.GIVEN_BACK: marked("Closed %(time)s: what came later was a page refreshing itself."),
    codes.CLOCK_SET: marked("Closed %(time)s: the clock of the proxy was set."),
}


def data(visit: Visit, now: float, zone: ZoneInfo) -> EvidenceLine | None:
    """For programs; None where it was not recorded."""
    found = visit.evidence
    if found is None:
        return None
    why = SILENCE if found.closed is None else found.closed[0]
    return {
        "opened": {"by": found.opened[0], "at": iso(found.opened[1], zone)},
        "extended": [
            {
                "by": line.by,
                "first": iso(line.first, zone),
                "last": iso(line.last, zone),
                "times": line.times,
            }
            for line in found.extended
            if _is_shown(line)
        ],
        "closed": None if visit.end > now else {"why": why, "at": iso(visit.end, zone)},
        "given_back": round(found.given_back, 3),
    }


def sentences(visit: Visit, now: float, zone: ZoneInfo) -> tuple[str, ...]:
    """For people: what opened it, what extended it, what closed it, what was given back; in the
    language that is spoken."""
    if visit.evidence is None:
        return (_(NOT_RECORDED),)
    return tuple(_sentences(visit, visit.evidence, now, zone))


def _sentences(visit: Visit, found: EvidenceSummary, now: float, zone: ZoneInfo) -> Iterator[str]:
    code, at = found.opened
    yield _(_words(code).opened) % {"time": _second(at, zone), "kind": _plain(code)}
    lines = [_extension(line, zone) for line in found.extended if _is_shown(line)]
    if lines:
        yield _("Extended by %(evidence)s.") % {"evidence": spoken_rules.listed(lines)}
    yield _("Still open.") if visit.end > now else _closed(visit, found, zone)
    if found.given_back > 0:
        yield _("%(length)s given back: a page refreshed itself.") % {
            "length": duration(found.given_back)
        }


def _is_shown(line: Extension) -> bool:
    return line.times > 0 or line.last - line.first >= _SHOWN_FROM


def _extension(line: Extension, zone: ZoneInfo) -> str:
    first, last = _second(line.first, zone), _second(line.last, zone)
    if line.times == 0:
        return _("more of the same until %(time)s") % {"time": last}
    words = _words(line.by)
    if line.times == 1 and line.last - line.first >= _SHOWN_FROM:
        pattern = _(words.going_on)
    else:
        pattern = ngettext(*words.came, line.times)
    what = pattern % {"n": line.times, "kind": _plain(line.by)}
    if first == last:
        return _("%(what)s at %(time)s") % {"what": what, "time": first}
    return _("%(what)s from %(start)s to %(end)s") % {"what": what, "start": first, "end": last}


def _closed(visit: Visit, found: EvidenceSummary, zone: ZoneInfo) -> str:
    time = _second(visit.end, zone)
    if found.closed is not None:
        code = found.closed[0]
        pattern = _ENDS.get(code)
        if pattern is None:
            return _("Closed %(time)s: %(kind)s.") % {"time": time, "kind": _plain(code)}
        return _(pattern) % {"time": time}
    after = visit.end - max((line.last for line in found.extended), default=found.opened[1])
    if after <= 0:
        return _("Closed %(time)s: nothing more came.") % {"time": time}
    return _("Closed %(time)s: nothing more came in the %(length)s before.") % {
        "time": time,
        "length": duration(after),
    }


def _words(code: str) -> _Words:
    """Also for a code that a newer version wrote."""
    return _WORDS.get(code, _UNKNOWN)


def _plain(code: str) -> str:
    return code.replace("-", " ").replace("{", "").replace("}", "")


def _second(instant: float, zone: ZoneInfo) -> str:
    """The wall clock to the second: "09:12:05"."""
    return iso(instant, zone)[11:19]
