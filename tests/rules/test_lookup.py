"""Names and URLs as administrators write them."""

from __future__ import annotations

import pytest

from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.types import Person, Reason, Target, Verdict
from proxy_addon.rules.lookup import address_of, person_of, refused
from tests.rule_tests.office import POLICY, machine

NOW = 1_793_610_000.0


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://x.example/home", Target("x")),
        ("HTTPS://user:pw@WWW.X.example.:443/home#top", Target("x")),
        ("https://linkedin.example/learning/excel?a=1", Target("linkedin", "learning")),
        ("wss://x.example", Target("x")),
        ("https://news.example/", None),
    ],
)
def test_urls(url: str, target: Target | None) -> None:
    """Any spelling that a browser takes; None is not a platform."""
    assert address_of(machine().catalogue, url).target == target


@pytest.mark.parametrize("url", ["", "x.example", "ftp://x.example/", "https://", "https:///path"])
def test_what_is_no_url(url: str) -> None:
    """A sentence, and no traceback."""
    with pytest.raises(ValueError, match=r"url|URL"):
        address_of(machine().catalogue, url)


@pytest.mark.parametrize(
    ("user", "person"),
    [
        ("Dora", Person("dora", ("staff",))),
        ("CARL", Person("carl", ("care",))),
        ("ip:10.0.0.7", Person("reception", ("staff",))),
        ("ip:10.0.0.8", Person("ip:10.0.0.8", ("care",))),
        ("ip:10.0.0.9", Person("ip:10.0.0.9", ("guest",))),
        ("ip:2001:db8::1", Person("ip:2001:db8::1", ("guest",))),
    ],
)
def test_people(user: str, person: Person) -> None:
    """A user, a device of a user, a device with a role, an address that nobody knows."""
    assert person_of(machine().engine, user, NOW) == person


@pytest.mark.parametrize("user", ["", "a:b", "ip:", "ip:nowhere"])
def test_what_is_no_name(user: str) -> None:
    """ValueError, with a sentence."""
    with pytest.raises(ValueError, match=r"name|address"):
        person_of(machine().engine, user, NOW)


def test_somebody_who_is_refused() -> None:
    """Only where something is limited; the rest is nobody's business."""
    engine: Engine = machine(POLICY + "unidentified: refuse\n").engine
    assert person_of(engine, "ip:10.0.0.9", NOW) is None
    answer = refused(engine, Target("x"))
    assert (answer.verdict, answer.reason, answer.platform) == (
        Verdict.BLOCK,
        Reason.UNIDENTIFIED,
        "x",
    )
    assert refused(engine, Target("medium")).reason is Reason.NOT_LIMITED
    assert refused(engine, None).verdict is Verdict.ALLOW
