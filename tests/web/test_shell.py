"""`proxy_addon/web/shell.py`: what stands around a page."""

from __future__ import annotations

from dataclasses import replace

from proxy_addon.core.notices.notice import Office
from proxy_addon.web.employee_view import Visitor
from proxy_addon.web.shell import HOME, POLICY, shell
from tests.web.notice_setup import SOCIAL
from tests.web.office import rule_set

DORA = Visitor("dora", True, "10.0.7.33", signed_in=True)


def test_the_reader_and_the_office() -> None:
    """Name and roles of the reader, and what the office is called."""
    rules = replace(rule_set(), office=Office("Example Ltd"))
    around = shell(rules, DORA, ("staff", "care"), HOME)
    assert (around.office, around.who) == ("Example Ltd", "dora · staff · care")


def test_a_device() -> None:
    """An address is nobody's name."""
    nobody = Visitor("ip:10.0.7.33", False, "10.0.7.33")
    assert "ip:" not in shell(rule_set(), nobody, ("guest",), HOME).who


def test_the_policy_is_offered_where_there_is_one() -> None:
    """And the page on which the reader is, is marked."""
    assert POLICY not in [page.href for page in shell(rule_set(), DORA, (), HOME).pages]
    found = shell(replace(rule_set(), notices=(SOCIAL,)), DORA, (), POLICY).pages
    assert [page.href for page in found if page.is_current] == [POLICY]


def test_other_languages_and_whom_to_ask() -> None:
    """The page that is shown in each other language that the office offers, with the rest of its
    query; and the office's contact."""
    office = Office("Example Ltd", "it@office.example", ("en", "de", "xx"))
    around = shell(replace(rule_set(), office=office), DORA, (), HOME, query={"day": "2026-11-01"})
    links = [(each.href, each.code, each.name) for each in around.languages]
    assert links == [("/?day=2026-11-01&lang=de", "de", "Deutsch")]
    assert around.contact == "it@office.example"


def test_the_administration() -> None:
    """A link for administrators who have signed in."""
    assert shell(rule_set(), DORA, ("staff", "admin"), HOME).is_admin
    assert not shell(rule_set(), DORA, ("staff",), HOME).is_admin
    assert not shell(rule_set(), DORA._replace(signed_in=False), ("admin",), HOME).is_admin
