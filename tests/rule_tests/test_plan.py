"""Times on the clock, and pages to visit."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from proxy_addon.core.types import Target
from proxy_addon.rule_tests.models import wall
from proxy_addon.rule_tests.plan import instant, place_to_visit
from proxy_addon.rule_tests.problems import BadTestError, TestCode
from tests.rule_tests.office import machine

LONDON = ZoneInfo("Europe/London")
AUTUMN = date(2026, 10, 25)


def test_a_time_that_comes_twice_is_the_first_one() -> None:
    """The second one is named by its offset."""
    first, second = (instant(wall(text), AUTUMN, LONDON) for text in ("01:30", "01:30+00:00"))
    assert second - first == 3600
    assert instant(wall("01:30+01:00"), AUTUMN, LONDON) == first


def test_a_time_that_does_not_exist_is_refused() -> None:
    """The message says what the clock shows instead."""
    with pytest.raises(BadTestError, match="does not exist") as caught:
        instant(wall("01:30"), date(2027, 3, 28), LONDON)
    assert caught.value.hint == "write 02:30"


@pytest.mark.parametrize(
    ("platform", "section"),
    [("x", None), ("linkedin", None), ("linkedin", "learning"), ("medium", None)],
)
def test_a_page_is_made_up_where_no_url_is_given(platform: str, section: str | None) -> None:
    """It lies on the platform, in the section, and counts."""
    found = place_to_visit(machine(), platform, section, None)
    assert found.target == Target(platform, section)
    assert found.hit is not None
    assert not found.hit.embed


@pytest.mark.parametrize(
    ("platform", "section", "url", "code"),
    [
        ("linkedin", "buttons", None, TestCode.NEVER_A_VISIT),
        ("x", None, "https://x.example/embed/1", TestCode.NEVER_A_VISIT),
        ("x", None, "https://pixel.x.example/", TestCode.NEVER_A_VISIT),
        ("x", None, "https://linkedin.example/", TestCode.WRONG_PLACE),
        ("x", None, "https://news.example/", TestCode.WRONG_PLACE),
        ("linkedin", "learning", "https://linkedin.example/feed", TestCode.WRONG_PLACE),
        ("x", None, "https:///", TestCode.BAD_URL),
    ],
)
def test_what_cannot_be_visited(
    platform: str, section: str | None, url: str | None, code: TestCode
) -> None:
    """A part of other sites' pages, telemetry, another platform."""
    with pytest.raises(BadTestError) as caught:
        place_to_visit(machine(), platform, section, url)
    assert caught.value.code is code


def test_a_url_may_lie_in_a_section_that_is_not_named() -> None:
    """Whoever names the platform only means all of it."""
    found = place_to_visit(machine(), "linkedin", None, "https://linkedin.example/learning/excel")
    assert found.target == Target("linkedin", "learning")
