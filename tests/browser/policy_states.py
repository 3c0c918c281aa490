"""The administrators' pages about the written policy, in every state."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from tests.browser.state import Form, State
from tests.web.admin_setup import TOKENS, AdminSetup
from tests.web.office import NOW
from tests.web.policy_office import SOCIAL, WITH_POLICY, policy_setup
from tests.web.test_admin_policy_pages import AwayLedger

PATH = "/admin/policy"
NAMES = f"{PATH}/names"
REMIND = f"{PATH}/remind"


def policy_admin_states() -> dict[str, State]:
    """Some wait, everybody has read it, nobody counts, pseudonyms, names after a reason, reminders,
    two versions side by side, no policy, and the ledger away."""
    some = policy_setup().person("ada")
    everybody = policy_setup(read_by=16).person("ada")
    hidden = policy_setup(pseudonyms=True).person("ada")
    nobody = replace(WITH_POLICY, notices=(replace(SOCIAL, roles=frozenset({"press"})),))
    away = AdminSetup(AwayLedger(), rules=WITH_POLICY).person("ada")
    fields = {"token": TOKENS.of("ada", now=NOW), "notice": SOCIAL.name, "as": "page"}
    named = fields | {"reason": "Reminding them"}
    old = urlencode({"notice": SOCIAL.name, "old": "2", "new": "3"})
    return {
        "admin-policy": State(some, PATH),
        "admin-policy-all-read": State(everybody, PATH),
        "admin-policy-nobody": State(AdminSetup(rules=nobody).person("ada"), PATH),
        "admin-policy-shown": State(some, f"{PATH}?notice=guests"),
        "admin-policy-pseudonyms": State(Form(hidden, NAMES, named), NAMES),
        "admin-policy-names": State(Form(some, NAMES, named), NAMES),
        "admin-policy-with-an-error": State(Form(some, NAMES, fields), NAMES, 422),
        "admin-policy-none": State(AdminSetup().person("ada"), PATH),
        "admin-policy-ledger-away": State(away, PATH, 503),
        "admin-policy-unknown": State(some, f"{PATH}?notice=nope", 404),
        "admin-policy-remind": State(some, REMIND),
        "admin-policy-remind-nobody": State(everybody, REMIND),
        "admin-policy-remind-with-an-error": State(Form(some, REMIND, fields), REMIND, 422),
        "admin-policy-compare": State(some, f"{PATH}/compare?{old}"),
        "admin-policy-refused": State(policy_setup().person("bella"), PATH, 403),
    }
