"""`proxy_addon/web/notice_history.py`: what somebody has read before, and what has changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from proxy_addon.core.notices.notice import Notice, Version
from proxy_addon.ledger.interface import LedgerUnavailable, NoticeVersion
from tests.ledger.memory_ledger import MemoryLedger
from tests.web.admin_setup import call
from tests.web.notice_setup import BODY, DAY, GUESTS, SOCIAL, NoticeSetup, text
from tests.web.office import NOW

OLD_BODY = BODY.replace("None.", "Ask everybody. You have {{ allowance }}.")
OLD = replace(
    SOCIAL,
    version=Version(2),
    digest="2" * 64,
    texts={"en": text("en", "Social media", OLD_BODY)},
)


class ForgetfulLedger(MemoryLedger):
    """A ledger that does not answer about texts."""

    def notice_versions(self, *, notice: str | None = None) -> Sequence[NoticeVersion]:
        """Away."""
        raise LedgerUnavailable("away", kind="down")


def keep(setup: NoticeSetup, notice: Notice, at: float = NOW - 90 * DAY) -> None:
    """The texts of a notice were in force."""
    texts = {language: each.markdown for language, each in notice.texts.items()}
    setup.ledger.keep_notice(
        NoticeVersion(notice.digest, notice.name, str(notice.version), at, texts)
    )


def office() -> NoticeSetup:
    """Version 3 is in force, version 2 was, and dora confirmed it."""
    setup = NoticeSetup()
    keep(setup, OLD)
    keep(setup, SOCIAL, NOW - DAY)
    setup.confirmed("dora", OLD, NOW - 80 * DAY)
    return setup


async def test_what_somebody_confirmed_is_linked() -> None:
    """Version and day, with a link to the very text; and to what has changed."""
    page = (await call(office().person(), "/policy")).text
    assert '<a href="/policy?notice=social&amp;text=222222222222">Version 2, on' in page
    assert "changes=1" in page
    assert "What you have confirmed" not in (await call(office().person("ada"), "/policy")).text


async def test_an_old_text() -> None:
    """It says that it is not in force, since when it was, and when the reader confirmed it; values
    are those of today, and it says so."""
    for query in ("text=222222222222", "version=2", "notice=social&version=2"):
        page = (await call(office().person(), f"/policy?{query}")).text
        assert "This is version 2. It is not in force any more." in page
        assert "Ask everybody." in page and "You have 15 minutes a day." in page
        assert "You confirmed it on" in page and "those of today" in page
        assert "<form" not in page
        assert 'href="/policy?notice=social"' in page


async def test_others_may_read_it_where_the_policy_is_theirs() -> None:
    """A text that was in force of a policy that is for them, confirmed or not."""
    page = await call(office().person("ada"), "/policy?version=2")
    assert page.status_code == 200 and "You confirmed it" not in page.text


async def test_what_nobody_may_read() -> None:
    """A text of a policy that is for others, a digest that is too short, and what was never there:
    each is the same answer. Whoever confirmed a policy that is not for them any more may."""
    setup = office()
    keep(setup, replace(GUESTS, digest="9" * 64, version=Version(1)))
    for query in (
        "notice=guests&version=1",
        "text=999999999999",
        "notice=guests&text=999999999999",
        "version=7",
        "text=2",
        "text=",
        "notice=social&text=%00",
    ):
        answer = await call(setup.person(), f"/policy?{query}")
        assert "Be kind" not in answer.text
        if query != "text=":  # as without it
            assert answer.status_code == 404
    setup.confirmed("dora", replace(GUESTS, digest="9" * 64, version=Version(1)), NOW - DAY)
    mine = await call(setup.person(), "/policy?notice=guests&text=999999999999")
    assert mine.status_code == 200 and "Be kind" in mine.text


async def test_the_text_in_force() -> None:
    """Its link leads to the policy itself."""
    setup = NoticeSetup()
    setup.use(replace(SOCIAL, digest="3" * 64))
    keep(setup, replace(SOCIAL, digest="3" * 64))
    answer = await call(setup.person(), "/policy?version=3")
    assert (answer.status_code, answer.headers["location"]) == (303, "/policy?notice=social")


async def test_what_has_changed() -> None:
    """New and removed words are marked in words as well, not by colour alone."""
    page = (await call(office().person(), "/policy?notice=social&changes=1")).text
    assert "What has changed from version 2 to version 3" in page
    assert "<h2>Images &amp; video</h2>" in page
    assert "<b>Removed:</b> <del>Ask everybody. You have 15 minutes a day.</del>" in page
    assert "<b>New:</b> <ins>None.</ins>" in page
    assert "Why Example Ltd has it" not in page


async def test_the_way_back_over_what_has_changed() -> None:
    """Who looks at what has changed first still lands on the platform; a value that is not ours is
    not passed on."""
    setup = office()
    sealed = setup.seal.seal("https://www.facebook.com/", "dora", NOW)
    page = (await call(setup.person(), f"/policy?notice=social&back={sealed}")).text
    assert f"/policy?notice=social&amp;back={sealed}&amp;changes=1" in page
    page = (await call(setup.person(), f"/policy?notice=social&back={sealed}&changes=1")).text
    assert f'href="/policy?notice=social&amp;back={sealed}"' in page
    page = (await call(setup.person(), "/policy?notice=social&back=x&changes=1")).text
    assert "back=" not in page


async def test_nothing_to_compare() -> None:
    """Who has confirmed no other version is shown the policy; a text that is not kept any more is
    not invented."""
    setup = NoticeSetup()
    answer = await call(setup.person(), "/policy?changes=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/policy?notice=social")
    setup.confirmed("dora", OLD, NOW - 80 * DAY)
    page = await call(setup.person(), "/policy?changes=1")
    assert page.status_code == 200 and "is not kept any more" in page.text


async def test_the_ledger_is_away() -> None:
    """The fault is ours; the policy of today is there all the same."""
    setup = NoticeSetup(ForgetfulLedger())
    setup.confirmed("dora", OLD, NOW - 80 * DAY)
    for query in ("version=2", "changes=1"):
        answer = await call(setup.person(), f"/policy?{query}")
        assert answer.status_code == 503 and "The fault is ours" in answer.text
    assert (await call(setup.person(), "/policy")).status_code == 200
