"""Before somebody uses a limited platform they have to know the written policy that is for them.

During the grace time only pages at the top level meet it, and it can be put off; after it
everything of the platform is refused. Sections that a rule names as free stay open (learning,
signing in elsewhere), and where the rule that fits is only tried out, nobody is stopped. What runs
when the grace time ends is ended.

While the ledger is away nobody is asked for what could not be stored. Then `on_failure` decides:
with `block` what would be asked for is refused as unavailable, and so is everything until it is
known who has confirmed; otherwise it goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from proxy_addon.core.notices.gate import Meeting, Need, Standing, due_by, lasts_until
from proxy_addon.core.notices.notice import Notice, notice_for
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import OnFailure
from proxy_addon.core.types import Decision, Person, Reason, Target, Verdict
from proxy_addon.metering.notice_book import NoticeBook

FOR_EVER = float("inf")
LOOK_AGAIN = 30.0  # seconds after which what runs is looked at again where no instant is known


class Gated(NamedTuple):
    """A request meets a notice: the decision, the notice, and where the person stands with it. The
    reason `UNAVAILABLE`: the ledger is away, so that nothing can be asked of them."""

    decision: Decision
    notice: Notice
    standing: Standing


class Runs(Protocol):
    """Something that goes on, whose it is, and whether their name rests on more than an address."""

    person: Person
    signed_in: bool


class NoticeGate:
    """Decides by one rule set at a time. Event loop only."""

    def __init__(
        self, book: NoticeBook, on_meeting: Callable[[str, Meeting], None] = lambda name, met: None
    ) -> None:
        """`on_meeting` takes each meeting that the ledger has to know."""
        self.book = book
        self.on_meeting = on_meeting
        self.is_closed: Callable[[], bool] = lambda: False  # True while the ledger is away

    def use(self, engine: Engine) -> None:
        """Decide by these rules from now on."""
        self._notices = engine.rule_set.notices
        self._refuses_unknown = engine.rule_set.on_failure is OnFailure.BLOCK
        self._named = {
            rule.name: frozenset(
                target for target in rule.targets or () if target.section is not None
            )
            for rule in engine.rule_set.rules
        }

    def needs(self, person: Person, now: float, *, signed_in: bool) -> bool:
        """Whether anything has to be asked of somebody, or refused because it cannot be asked, so
        that connections have to be opened."""
        notice = self._notice(person)
        if notice is None:
            return False
        need = self.book.standing(person.name, notice, now, signed_in=signed_in).need
        if self._is_away:
            return self._is_refused_unasked(need)
        return need not in (Need.NOTHING, Need.PUT_OFF)

    def until(self, person: Person, now: float) -> float:
        """The instant at which `needs` may become true although nobody does anything: put off is
        over, or a confirmation has to be repeated."""
        notice = self._notice(person)
        if notice is None:
            return FOR_EVER
        if self._is_away:
            return now + LOOK_AGAIN
        met, confirmations = (
            self.book.met(person.name, notice),
            self.book.confirmations(person.name),
        )
        ends = [
            lasts_until(notice, confirmations),
            due_by(notice, confirmations, met, now),
            FOR_EVER if met is None else met.later,
        ]
        return min((end for end in ends if end > now), default=FOR_EVER)

    def due_by(self, person: Person, now: float) -> float:
        """An instant before which nothing that runs has to end because of the policy; soon, where
        something may run only because a rule names it, and while the ledger is away."""
        notice = self._notice(person)
        if notice is None:
            return FOR_EVER
        if self._is_away:
            return now + LOOK_AGAIN
        met, confirmations = (
            self.book.met(person.name, notice),
            self.book.confirmations(person.name),
        )
        due = due_by(notice, confirmations, met, now)
        return due if due > now else now + LOOK_AGAIN

    def check(
        self,
        person: Person,
        decision: Decision,
        now: float,
        *,
        signed_in: bool,
        is_page: bool,
        is_seen: bool = True,
    ) -> Gated | None:
        """The answer to a request that the rules let through; None: it goes on. `is_page`: a page
        at the top level. `is_seen`: somebody sees the answer, so that they have met the notice; a
        page that a browser loads in advance is refused, and nobody has met anything."""
        if decision.blocks or decision.platform is None:
            return None
        notice = self._notice(person)
        if notice is None or self._is_named(decision):
            return None
        found = self.book.standing(person.name, notice, now, signed_in=signed_in)
        if self._is_away:
            if not self._is_refused_unasked(found.need):
                return None
            return Gated(_refused(decision, Reason.UNAVAILABLE), notice, found)
        if found.need in (Need.NOTHING, Need.PUT_OFF):
            return None
        if found.need is not Need.DUE and not is_page:
            return None
        refused = _refused(decision, Reason.ACKNOWLEDGE)
        if refused.blocks and is_seen:
            self._meet(person, notice, found, now)
        return Gated(refused, notice, found)

    def unread[T: Runs](
        self, decision: Decision, running: Iterable[T], now: float
    ) -> dict[T, Decision]:
        """What of this has to end because its person has to read the written policy first."""
        found: dict[T, Decision] = {}
        for each in running:
            gated = self.check(each.person, decision, now, signed_in=each.signed_in, is_page=False)
            if gated is not None and gated.decision.blocks:
                found[each] = gated.decision
        return found

    def _notice(self, person: Person) -> Notice | None:
        return notice_for(self._notices, person) if self._notices else None

    @property
    def _is_away(self) -> bool:
        """While it cannot be known who has confirmed what, or stored, nobody is asked."""
        return not self.book.is_known or self.is_closed()

    def _is_refused_unasked(self, need: Need) -> bool:
        """Whether somebody is refused while the ledger is away: what they would have to confirm at
        once is due, or may be, because nobody knows whether they have met it already."""
        if not self._refuses_unknown:
            return False
        return need is Need.DUE or (need is Need.ASKED and not self.book.is_known)

    def _is_named(self, decision: Decision) -> bool:
        """Whether a rule names just this section as free."""
        if decision.reason is not Reason.ALLOWED or decision.section is None:
            return False
        target = Target(decision.platform or "", decision.section)
        return target in self._named.get(decision.rule or "", ())

    def _meet(self, person: Person, notice: Notice, found: Standing, now: float) -> None:
        """The first meeting is when the grace time begins; what is only shown is shown once."""
        known = self.book.met(person.name, notice)
        later = FOR_EVER if found.need is Need.SHOWN else 0.0
        if known is not None and known.later >= later:
            return
        met = self.book.meet(person.name, Meeting(notice.name, notice.version.major, now, later))
        self.on_meeting(person.name, met)


def _refused(decision: Decision, reason: Reason) -> Decision:
    """A refusal in place of a decision; where that is only tried out, this is too."""
    refused = Decision(
        Verdict.BLOCK,
        reason,
        decision.platform,
        decision.section,
        decision.rule,
        decision.allowance,
    )
    return refused.tried_out(Verdict.ALLOW) if decision.would is not None else refused
