"""`proxy_addon/web/admin_policy_view.py`: numbers and dates in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy_addon.core.notices.notice import Office
from proxy_addon.presentation.languages import speaking
from proxy_addon.report.notice_status import NoticeStatus, Reader, Stage
from proxy_addon.web import admin_policy_view as views
from proxy_addon.web.admin_policy_service import AdminPolicyService, Overview
from tests.web.office import NOW
from tests.web.policy_office import SOCIAL, WITH_POLICY, policy_setup

EMPTY = Overview((), (), {}, 0)


def status(read: int, waiting: int) -> NoticeStatus:
    """So many have read it, so many have not met it."""
    stages = [Stage.READ] * read + [Stage.NOT_MET] * waiting
    readers = tuple(Reader(f"n{n}", ("staff",), stage) for n, stage in enumerate(stages))
    return NoticeStatus(SOCIAL, readers)


@pytest.mark.parametrize(
    ("read", "waiting", "heading"),
    [
        (0, 0, "Version 3: nobody has to read it yet"),
        (1, 0, "1 person has read version 3"),
        (2, 0, "All 2 have read version 3"),
        (0, 1, "0 of 1 has read version 3"),
        (41, 7, "41 of 48 have read version 3"),
    ],
)
def test_heading(read: int, waiting: int, heading: str) -> None:
    """The number that the page is about, also where it is one or none."""
    page = views.policy_admin(EMPTY, status(read, waiting), WITH_POLICY, NOW, "t")
    assert page.heading == heading
    assert (page.people, page.waiting) == (read + waiting, waiting)
    assert page.share == (round(100 * read / (read + waiting), 2) if read + waiting else 0.0)


async def test_versions_are_compared_with_the_one_before() -> None:
    """Each links to what changed since the text before it, by digest; the first to nothing."""
    overview = await AdminPolicyService(policy_setup().admin_service).overview()
    page = views.policy_admin(overview, overview.statuses[0], WITH_POLICY, NOW, "t")
    assert [(row.version, row.note) for row in page.versions] == [
        ("3", "everybody is asked again"),
        ("2.1", "nobody is asked again"),
        ("2", "everybody is asked again"),
        ("1", "the first that is kept"),
    ]
    assert f"old={'2e' * 32}" in page.versions[0].compare
    assert page.versions[3].compare == ""


def test_reminders_in_the_offices_languages() -> None:
    """Those in which the policy is there; in what we speak where it is there in none of them."""
    page = views.remind(status(1, 2), WITH_POLICY, NOW, "t")
    assert [each.code for each in page.texts] == ["en", "de"]
    assert "subject=Please%20read" in page.texts[0].mail
    french = replace(WITH_POLICY, office=Office(languages=("fr", "nl")))
    with speaking("fr"):
        assert [each.code for each in views.remind(status(1, 2), french, NOW, "t").texts] == ["fr"]
    assert views.remind(status(1, 0), WITH_POLICY, NOW, "t").texts == ()
