"""`proxy_addon/web/admin_policy_service.py`: what the ledger is asked for."""

from __future__ import annotations

import pytest

from proxy_addon.ledger.time_requests import NotPossible
from proxy_addon.web.admin_policy_service import AdminPolicyService
from tests.web.policy_office import SOCIAL, UNREAD, policy_setup


async def test_the_overview() -> None:
    """Each notice in force, each text, how often each was confirmed, and how many requests wait."""
    setup = policy_setup()
    setup.asked(person="bella")
    found = await AdminPolicyService(setup.admin_service).overview()
    assert [each.notice.name for each in found.statuses] == ["social-media", "guests"]
    assert [each.version for each in found.texts] == ["3", "2.1", "2", "1", "1"]
    assert found.confirmed[SOCIAL.digest] == 11
    assert found.requests == 1


async def test_names_need_a_reason() -> None:
    """With one they are given and the look is recorded; without one, or about a notice that is not
    in force, neither."""
    setup = policy_setup()
    service = AdminPolicyService(setup.admin_service)
    with pytest.raises(NotPossible, match="say why"):
        await service.waiting_names(SOCIAL.name, " ", "ada")
    assert await service.waiting_names("nope", "why", "ada") is None
    assert not [each for each in setup.inner.audit_log() if each.action == "policy"]
    found = await service.waiting_names(SOCIAL.name, "why", "ada")
    assert found is not None
    assert [each.name for each in found.waiting] == sorted(UNREAD)
    assert [each.actor for each in setup.inner.audit_log() if each.action == "policy"] == [
        "web:ada"
    ]
