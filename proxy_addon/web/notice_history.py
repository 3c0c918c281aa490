"""Texts of the written policy as they were: what somebody has read, and what has changed since.

The ledger keeps each text that was in force by its digest. Somebody may read those of a policy that
is for them, and those that they have confirmed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple
from urllib.parse import urlencode

from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from proxy_addon.core.notices.gate import Confirmation
from proxy_addon.core.notices.headings import headings
from proxy_addon.core.notices.notice import Notice, NoticeText, version
from proxy_addon.core.types import Person
from proxy_addon.ledger.interface import LedgerError, NoticeVersion
from proxy_addon.presentation import durations as words
from proxy_addon.presentation import languages, notice_html
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.notice_changes import ChangedSection, changes
from proxy_addon.presentation.notice_values import NoticeValues
from proxy_addon.web import forms
from proxy_addon.web import rendering as pages
from proxy_addon.web.employee_view import Visitor
from proxy_addon.web.interface import ProxyState
from proxy_addon.web.notice_service import NoticeService
from proxy_addon.web.shell import POLICY, shell

ADDRESS: Final = "http://allowance.internal/"
SHORT: Final = 12  # digits of a digest that a link has


class ConfirmedText(NamedTuple):
    """A confirmation as the page names it, and where its text is."""

    words: str
    href: str


class OldPolicyPage(NamedTuple):
    """A text that is not in force any more. `today`: where the one in force is, "" without one;
    `has_values`: it has values of the rules, which are those of today."""

    title: str
    version: str
    since: str
    confirmed: str
    body: Markup
    today: str
    has_values: bool


class ChangesPage(NamedTuple):
    """What has changed between two versions."""

    title: str
    before: str
    after: str
    sections: tuple[ChangedSection, ...]
    is_kept: bool
    policy: str
    old: str


class NoticeHistory:
    """The pages about texts of another day."""

    def __init__(self, state: ProxyState, service: NoticeService) -> None:
        self._state = state
        self._service = service

    def confirmed(self, person: str, notice: Notice) -> tuple[ConfirmedText, ...]:
        """What somebody has confirmed of a notice, the latest first."""
        found = reversed(self._service.confirmations(person, notice))
        zone = self._state.rules().zone
        return tuple(
            ConfirmedText(
                _("Version %(version)s, on %(day)s")
                % {"version": each.version, "day": words.day(each.at, zone)},
                text_link(notice.name, each.digest),
            )
            for each in found
        )

    async def text(self, who: Visitor, person: Person, name: str, wanted: _Wanted) -> Response:
        """A text by its version or its digest. Raises Refusal where there is none for this
        person."""
        present = self._service.notice(person, name)
        mine = self._service.all_confirmations(who.name)
        kept = await self._kept(name or ("" if present is None else present.name))
        found = next(
            (
                each
                for each in reversed(kept)
                if wanted(each)
                and (
                    (present is not None and each.notice == present.name)
                    or any(done.digest == each.digest for done in mine)
                )
            ),
            None,
        )
        if found is None:
            raise forms.Refusal(
                404,
                _("There is no such version"),
                _("We keep no text of it that was for you."),
            )
        if present is not None and present.digest == found.digest:
            query = urlencode({"notice": present.name})
            return RedirectResponse(f"{POLICY}?{query}", 303, pages.PRIVATE)
        return self._old(who, person, present, found, mine)

    async def changes(self, who: Visitor, person: Person, notice: Notice, back: str) -> Response:
        """What has changed since the version that the reader last confirmed. `back`: the sealed way
        back, which is kept for the policy itself."""
        query = {"notice": notice.name}
        if self._service.way_to(who.name, back) is not None:
            query["back"] = back
        mine = self._service.confirmations(who.name, notice)
        before = next((each for each in reversed(mine) if each.digest != notice.digest), None)
        if before is None:
            return RedirectResponse(f"{POLICY}?{urlencode(query)}", 303, pages.PRIVATE)
        kept = await self._kept(notice.name)
        old = next((each for each in kept if each.digest == before.digest), None)
        sections: tuple[ChangedSection, ...] = ()
        if old is not None:
            language = _common(old.texts, notice.texts)
            value = self._values(person, notice)
            new = notice.text((language,)).markdown
            was = old.texts.get(language) or next(iter(old.texts.values()), "")
            sections = changes(was, new, value)
        page = ChangesPage(
            notice.text((languages.spoken(),)).title,
            str(before.version),
            str(notice.version),
            sections,
            old is not None,
            f"{POLICY}?{urlencode(query)}",
            text_link(notice.name, before.digest),
        )
        around = shell(
            self._state.rules(),
            who,
            person.roles,
            POLICY,
            query=query | {"changes": "1"},
        )
        return pages.policy_changes(around, page)

    async def _kept(self, name: str) -> Sequence[NoticeVersion]:
        try:
            return await self._service.kept(name)
        except LedgerError:
            raise forms.Refusal(
                503,
                _("We cannot show this just now"),
                _("The fault is ours: please try again in a moment."),
            ) from None

    def _old(
        self,
        who: Visitor,
        person: Person,
        present: Notice | None,
        kept: NoticeVersion,
        mine: Sequence[Confirmation],
    ) -> Response:
        zone = self._state.rules().zone
        spoken = languages.spoken()
        language = spoken if spoken in kept.texts else next(iter(kept.texts), spoken)
        markdown = kept.texts.get(language, "")
        found = headings(markdown)
        title = next((each.title for each in found if each.level == 1), kept.notice)
        text = NoticeText(language, title, markdown, found)
        notice = _as_notice(kept, text, present)
        done = [each.at for each in mine if each.digest == kept.digest]
        page = OldPolicyPage(
            title=title,
            version=kept.version,
            since=words.day(kept.at, zone),
            confirmed=words.day(max(done), zone) if done else "",
            body=notice_html.body(text, self._values(person, notice)),
            today="" if present is None else f"{POLICY}?{urlencode({'notice': present.name})}",
            has_values="{{" in markdown,
        )
        query = {"notice": kept.notice, "text": kept.digest[:SHORT]}
        around = shell(self._state.rules(), who, person.roles, POLICY, query=query)
        return pages.policy_old(around, page)

    def _values(self, person: Person, notice: Notice) -> NoticeValues:
        return NoticeValues(self._service.engine(), person, notice, self._state.now(), ADDRESS)


type _Wanted = Callable[[NoticeVersion], bool]


def by_version(wanted: str) -> _Wanted:
    """The texts of a version, as it is written."""
    return lambda kept: kept.version == wanted


def by_digest(wanted: str) -> _Wanted:
    """The text whose digest begins so."""
    return lambda kept: len(wanted) >= SHORT and kept.digest.startswith(wanted)


def text_link(notice: str, digest: str) -> str:
    """Where a text is, whatever is in force today."""
    return f"{POLICY}?{urlencode({'notice': notice, 'text': digest[:SHORT]})}"


def _as_notice(kept: NoticeVersion, text: NoticeText, present: Notice | None) -> Notice:
    """A text that was in force, as a notice; what is not kept of it is that of today."""
    made = Notice(kept.notice, version(kept.version), {text.language: text}, kept.digest)
    if present is None or present.name != kept.notice:
        return made
    return replace(
        made,
        owner=present.owner_in(text.language),
        contact=present.contact_in(text.language),
    )


def _common(old: Mapping[str, str], new: Mapping[str, NoticeText]) -> str:
    """A language that both texts have: the reader's, else the first of the new one."""
    both = [each for each in new if each in old]
    spoken = languages.spoken()
    return spoken if spoken in both else next(iter(both), spoken)
