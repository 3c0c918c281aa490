"""Requests for more time: what may be requested, the grant that approves one, and urgent minutes,
which nobody has to approve. Shared by page and command line.

Messages are sentences for the person who tried, in the language that is spoken: English on the
command line.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import uuid
from collections.abc import Callable, Collection
from typing import Final

from proxy_addon.core.policy import urgent as urgent_minutes
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.types import URGENT, Grant, Person
from proxy_addon.ledger.interface import TimeRequest
from proxy_addon.presentation.languages import gettext as _

MOST_OPEN: Final = 3  # requests of one person that wait for an answer
LONGEST: Final = 240  # characters of a reason or a note
MOST_MINUTES: Final = 240
_BLANK: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


class NotPossible(ValueError):
    """It cannot be requested or granted; the message is a sentence for the person who tried.
    `field`: the field of the form that it is about, "" where it is about none."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def request_of(
    person: str, allowance: str, minutes: str, reason: str, *, among: Collection[str], now: float
) -> TimeRequest:
    """A new request, from words that somebody typed. `among`: the allowances that this person has.

    Raises NotPossible.
    """
    if allowance not in among:
        raise NotPossible(_("Choose what you need the time for."), "allowance")
    wanted = minutes.strip()
    if not (wanted.isascii() and wanted.isdecimal() and len(wanted) <= 4):
        raise NotPossible(_("Say how many minutes you need, as a whole number."), "minutes")
    if not 1 <= int(wanted) <= MOST_MINUTES:
        raise NotPossible(_("Ask for 1 to %(n)d minutes.") % {"n": MOST_MINUTES}, "minutes")
    words = one_line(reason)
    if not words:
        raise NotPossible(_("Say in a few words what you need the time for."), "reason")
    return TimeRequest(
        secrets.token_hex(6), person, allowance, int(wanted) * 60.0, words, "open", now
    )


def one_line(text: str) -> str:
    """Free words on one line, without control characters. Raises NotPossible when they are too
    many."""
    words = _BLANK.sub(" ", text).strip()
    if len(words) > LONGEST:
        raise NotPossible(_("Please write at most %(n)d characters.") % {"n": LONGEST}, "reason")
    return words


def urgent_grant(
    engine: Engine, person: Person, allowance: str, reason: str, now: float, form: str = ""
) -> Grant:
    """What somebody takes who takes urgent minutes; by the rules, which give them some. `form` is
    the number of the form that was sent: however often it is, that is one grant."""
    urgent = engine.rule_set.urgent
    if urgent is None:
        raise ValueError("the rules give no urgent minutes")
    return Grant(
        f"{URGENT}{_number(person.name, form) if form else uuid.uuid4().hex}",
        person.name,
        allowance,
        urgent.seconds,
        reason,
        person.name,
        now,
        urgent_minutes.expiry(engine, person, allowance, now),
    )


def _number(person: str, form: str) -> str:
    text = f"{person}\0{form}".encode(errors="surrogatepass")
    return hashlib.sha256(text).hexdigest()[:32]


def grant_for(
    engine: Engine,
    request: TimeRequest,
    *,
    by: str,
    now: float,
    name_of: Callable[[str], str | None],
) -> Grant:
    """What granting a request gives: its time, until the period of the allowance ends for that
    person.

    `name_of` finds the name behind a pseudonym where it can, since overrides of an allowance go by
    names; it is used for nothing else. Raises NotPossible when the rules do not know the allowance
    any more.
    """
    if request.allowance not in engine.rule_set.allowances:
        raise NotPossible(
            _("The rules have no allowance %(name)s any more; refuse the request.")
            % {"name": request.allowance}
        )
    somebody = engine.person(name_of(request.person) or request.person, now)
    expires = engine.grant_expiry(somebody, request.allowance, now)
    return Grant(
        uuid.uuid4().hex,
        request.person,
        request.allowance,
        request.seconds,
        request.reason,
        by,
        now,
        expires,
    )
