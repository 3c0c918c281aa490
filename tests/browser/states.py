"""Every page that people see, in every state that it has: one list for the tests in browsers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from starlette.responses import Response

from proxy_addon.core.types import Grant
from proxy_addon.system.health import FINE, down
from proxy_addon.web.app import employee_app, web_app
from proxy_addon.web.interface import Health
from tests.browser.device_states import device_apps
from tests.browser.employee_states import employee_states
from tests.browser.facts import bad_day, busy_admin, office
from tests.browser.notice_pages import gates, policy_states
from tests.browser.policy_states import policy_admin_states
from tests.browser.refusals import refusals
from tests.browser.state import Form, State
from tests.web.admin_setup import NAMES, TOKENS, AdminSetup
from tests.web.client import as_person
from tests.web.office import MIDNIGHT, NOW, FixedProxyState, visit
from tests.web.test_rule_explanation import StateWithRules
from tests.web.urgent_setup import AwayLedger, UrgentSetup

GRANT = Grant("g1", "dora", "daily-social", 600.0, "The launch", "ada", NOW - 30, MIDNIGHT)


def request_states() -> dict[str, State]:
    """Requests for more time: waiting, granted, refused; the form, and what it answers."""
    answered, asking, plain = AdminSetup(), AdminSetup(), AdminSetup()
    for number, grant in ((1, GRANT), (2, None)):
        answered.asked(number, reason="The launch")
        by = {"by": "ada", "actor": "web:ada", "note": "" if grant else "After lunch, gladly."}
        answered.ledger.decide(f"r{number}", at=NOW - 30, grant=grant, **by)
    asking.asked(reason="A customer waits")
    wrong = {"token": TOKENS.of("dora", now=NOW), "allowance": "daily-social", "minutes": "0"}
    return {
        "employee-request-waiting": State(asking.person("dora")),
        "employee-requests-answered": State(answered.person("dora")),
        "ask": State(plain.person("dora"), "/ask"),
        "ask-while-one-waits": State(asking.person("dora"), "/ask?allowance=weekly-video"),
        "ask-with-an-error": State(
            Form(plain.person("dora"), "/ask", wrong | {"reason": ""}), "/ask", 400
        ),
    } | urgent_states()


def urgent_states() -> dict[str, State]:
    """A customer is waiting; and asking when something stood in the way."""
    ready, taken, unneeded, wrong = (UrgentSetup() for _ in range(4))
    none, sent = UrgentSetup(None), UrgentSetup()
    for number in (1, 2):
        mine = replace(GRANT, id=f"urgent-{number}", granted_by="dora", seconds=0.0)
        taken.inner.add_grant(mine, actor="web:dora")
    unneeded.state.spent = 0.0
    long = {"token": TOKENS.of("dora", now=NOW), "allowance": "daily-social", "reason": "x" * 999}
    back = f"allowance=daily-social&back={ready.sealed()}"
    return {
        "urgent": State(ready.person(), f"/urgent?{back}"),
        "urgent-taken": State(taken.person(), f"/urgent?{back}"),
        "urgent-not-needed": State(unneeded.person(), f"/urgent?{back}"),
        "urgent-not-given": State(none.person(), f"/urgent?{back}"),
        "urgent-with-an-error": State(Form(wrong.person(), "/urgent", long), "/urgent", 400),
        "urgent-ledger-away": State(UrgentSetup(ledger=AwayLedger()).person(), "/urgent", 503),
        "urgent-done": State(unneeded.person(), "/urgent/done?allowance=daily-social"),
        "ask-sent": State(sent.person(), f"/ask?asked=1&{back}"),
    }


def admin_states() -> dict[str, State]:
    """The administrators' pages, and who is turned away."""
    busy = busy_admin()
    deciding = busy.person("ada")
    unmask = {"token": TOKENS.of("ada", now=NOW), "reason": "a complaint"}
    return {
        "admin": State(deciding, "/admin"),
        "admin-after-granting": State(deciding, "/admin?done=granted"),
        "admin-ledger-away": State(bad_day().person("ada"), "/admin", 503),
        "admin-empty": State(AdminSetup(would=()).person("ada"), "/admin"),
        "admin-refused": State(busy.person("dora"), "/admin", 403),
        "unmasked": State(
            Form(deciding, "/admin/unmask", unmask | {"pseudonym": NAMES.of("dora")}),
            "/admin/unmask",
        ),
        "unmasked-unknown": State(
            Form(deciding, "/admin/unmask", unmask | {"pseudonym": NAMES.of("nobody here")}),
            "/admin/unmask",
        ),
        "admin-with-an-error": State(
            Form(deciding, "/admin/unmask", unmask | {"pseudonym": "dora"}), "/admin/unmask", 400
        ),
    }


def other_states() -> dict[str, State]:
    """What everybody can open, and the index of the web port."""
    own = employee_app(FixedProxyState())
    ruled = StateWithRules(seen=(visit("linkedin", 60, 4), visit("facebook", 30, 5)))
    away = Health(False, {"rules": FINE, "ledger": down("down: database is locked")})
    return {
        "why": State(as_person(employee_app(ruled)), "/why"),
        "why-answered": State(as_person(employee_app(ruled)), "/why?platform=facebook"),
        "certificate": State(as_person(own), "/certificate"),
        "help": State(as_person(own), "/help"),
        "not-found": State(as_person(own), "/nope", 404),
        "nobody": State(own, "/", 403),
        "web-port": State(web_app(office())),
        "web-port-not-ready": State(web_app(FixedProxyState(state=away))),
    }


def refusal_states() -> dict[str, State]:
    """What stands in the place of a limited platform."""
    made = {}
    for name, answer in {**refusals(), **gates()}.items():
        # A browser shows the page of a 407 only after the sign-in was given up.
        status = 200 if answer.status == 407 else answer.status
        headers = dict(answer.headers)
        made[f"refusal-{name}"] = State(Response(answer.body, status, headers), "/", status)
    return made


def device_states() -> dict[str, State]:
    """The pages that set a device up."""
    return {name: State(app, path) for name, (app, path) in device_apps().items()}


GROUPS: tuple[Callable[[], dict[str, State]], ...] = (
    employee_states,
    request_states,
    admin_states,
    policy_admin_states,
    other_states,
    device_states,
    policy_states,
    refusal_states,
)


def states() -> dict[str, State]:
    """All of them, by name."""
    return {name: state for group in GROUPS for name, state in group().items()}
