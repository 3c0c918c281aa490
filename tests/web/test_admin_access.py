"""`proxy_addon/web/admin_access.py`: the way in is tested with the pages; here what stands around
them."""

from __future__ import annotations

from proxy_addon.presentation.languages import speaking
from proxy_addon.web.admin_access import POLICY, admin_shell
from proxy_addon.web.employee_view import Visitor
from tests.web.policy_office import policy_setup


def test_the_shell() -> None:
    """The office, who administers and as what, the pages with the current one, other languages."""
    who = Visitor("ada", True, "10.0.7.21", signed_in=True)
    service = policy_setup().admin_service
    made = admin_shell(service, who, POLICY, waiting=2, query={"notice": "guests"})
    assert (made.office, made.who) == ("Example Ltd", "ada · admin")
    assert [(page.name, page.is_current) for page in made.pages] == [
        ("Requests (2)", False),
        ("Policy", True),
        ("My own time", False),
    ]
    assert [each.href for each in made.languages] == ["/admin/policy?notice=guests&lang=de"]
    assert admin_shell(service, who, "/admin").pages[0].name == "Requests"
    with speaking("de"):
        there = admin_shell(service, who, POLICY, path="/admin/policy/remind").languages
    assert [each.href for each in there] == ["/admin/policy/remind?lang=en"]
