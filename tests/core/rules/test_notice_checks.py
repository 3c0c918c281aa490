"""What rule files may say about written policies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from proxy_addon.core.notices.notice import Version
from proxy_addon.core.rules import notice_checks
from proxy_addon.core.rules.parsers import BadValue

DAY = 86_400.0


@pytest.mark.parametrize(
    ("parse", "value", "found"),
    [
        (notice_checks.file, "notices/social-media.md", "notices/social-media.md"),
        (notice_checks.file, "Policy 2026.md", "Policy 2026.md"),
        (notice_checks.version, 3, Version(3)),
        (notice_checks.version, "3.1", Version(3, 1)),
        (notice_checks.language, "de", "de"),
        (notice_checks.day, "2026-11-02", date(2026, 11, 2)),
        (notice_checks.again_after, "1y", 365 * DAY),
        (notice_checks.again_after, "2 y", 730 * DAY),
        (notice_checks.again_after, "180d", 180 * DAY),
        (notice_checks.one_or_more, None, []),
        (notice_checks.one_or_more, {"file": "a.md"}, [{"file": "a.md"}]),
        (notice_checks.one_or_more, [{"file": "a.md"}], [{"file": "a.md"}]),
    ],
)
def test_what_can_be_written(
    parse: Callable[[object], object], value: object, found: object
) -> None:
    """Each value in its form."""
    assert parse(value) == found


@pytest.mark.parametrize(
    ("parse", "value", "code"),
    [
        (notice_checks.file, "../secret.md", "bad-name"),
        (notice_checks.file, "/etc/passwd.md", "bad-name"),
        (notice_checks.file, "notices/a/b.md", "bad-name"),
        (notice_checks.file, "social-media.html", "bad-name"),
        (notice_checks.file, ".hidden.md", "bad-name"),
        (notice_checks.file, None, "wrong-type"),
        (notice_checks.version, True, "bad-notice"),
        (notice_checks.version, "latest", "bad-notice"),
        (notice_checks.version, -1, "bad-notice"),
        (notice_checks.language, "deutsch", "bad-choice"),
        (notice_checks.language, "DE", "bad-choice"),
        (notice_checks.day, "2026-02-30", "bad-dates"),
        (notice_checks.day, "20261102", "bad-dates"),
        (notice_checks.day, 2026, "bad-dates"),
        (notice_checks.again_after, "0", "bad-duration"),
        (notice_checks.again_after, "0y", "bad-duration"),
        (notice_checks.again_after, "a year", "bad-duration"),
        (notice_checks.again_after, None, "bad-duration"),
    ],
)
def test_what_cannot(parse: Callable[[object], object], value: object, code: str) -> None:
    """It is refused with a hint that says what to write."""
    with pytest.raises(BadValue) as refused:
        parse(value)
    assert refused.value.code == code
    assert refused.value.hint
