"""What stands in the place of a limited platform, in every variation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from proxy_addon.core.notices.notice import Office
from proxy_addon.core.policy.urgent import UrgentOffer
from proxy_addon.core.ruleset import Period
from proxy_addon.core.types import Decision, Reason, Verdict
from proxy_addon.metering.next_openings import NextOpening
from proxy_addon.proxy.responses import responses as answers
from tests.core.policies import SAMPLE, VIDEO
from tests.web.office import MIDNIGHT, MINUTE, NOW, ZONE, balance

HOUR = 60 * MINUTE
ASK = answers.RequestInfo(
    "GET",
    "https://www.facebook.com/",
    "www.facebook.com",
    "document",
    "navigate",
    request_id="f9010393-f35f",
)
OFFICE = Office("Example Ltd", "Carla Meyer, ext. 114", ("en", "de"))
RULES = replace(SAMPLE, office=OFFICE, groups={**SAMPLE.groups, "video": VIDEO})
LUNCH = NextOpening(NOW + HOUR, "Lunch is yours", None, NOW + 2.5 * HOUR)
RULE, NAME = "Fifteen minutes a day", "daily-social"
NO = Verdict.BLOCK
EXHAUSTED = Decision(NO, Reason.EXHAUSTED, "facebook", None, RULE, NAME, 0.0, MIDNIGHT)
TIKTOK = Decision(
    NO,
    Reason.BLOCKED,
    "tiktok",
    rule="Not on our network",
    message="TikTok is not available on office devices. Marketing can post for you.",
)
SHUT = Decision(NO, Reason.BLOCKED, "youtube", rule="Video after work", until=NOW + 190 * MINUTE)
WITHIN = Decision(Verdict.SPEND, Reason.WITHIN, "facebook", None, RULE, NAME, 112.0)
TWO = UrgentOffer(600.0, 2, 2, Period.DAY, MIDNIGHT)


def context(**changes: Any) -> answers.PageContext:
    """Dora, who has used what she had."""
    used_up = replace(balance(spent=15 * MINUTE), period="day")
    made = answers.PageContext(
        "dora", ("staff", "care"), "Facebook", used_up, NAME, ZONE, NOW, rules=RULES
    )
    return made._replace(request_more=True, looked_ahead=True, **changes)


def used_up() -> dict[str, answers.Answer]:
    """The minutes are gone."""
    midnight = NextOpening(MIDNIGHT, RULE, NAME)
    granted = replace(balance(spent=25 * MINUTE, granted=10 * MINUTE), period="day")
    never = replace(EXHAUSTED, until=None)
    nothing = replace(balance(limit=0.0), period="day")
    german = ASK._replace(languages="de")
    return {
        "block": answers.block(ASK, EXHAUSTED, context(opening=midnight)),
        "block-lunch": answers.block(ASK, EXHAUSTED, context(opening=LUNCH, urgent=TWO)),
        "block-lunch-german": answers.block(german, EXHAUSTED, context(opening=LUNCH, urgent=TWO)),
        "block-urgent-taken": answers.block(
            ASK, EXHAUSTED, context(opening=LUNCH, urgent=TWO._replace(left=0))
        ),
        "block-more": answers.block(ASK, EXHAUSTED, context(balance=granted, opening=midnight)),
        "block-no-opening": answers.block(ASK, EXHAUSTED, context()),
        "block-nothing": answers.block(ASK, never, context(balance=nothing)),
    }


def closed() -> dict[str, answers.Answer]:
    """A rule closes it, or nothing opens it."""
    tiktok, youtube = ASK._replace(host="www.tiktok.com"), ASK._replace(host="www.youtube.com")
    plain = context(balance=None, allowance=None)
    at_six = NextOpening(NOW + 190 * MINUTE, None)
    charged = NextOpening(NOW + 190 * MINUTE, RULE, NAME)
    ours = plain._replace(platform_title="TikTok")
    video = plain._replace(platform_title="YouTube")
    return {
        "block-rule": answers.block(tiktok, TIKTOK, ours),
        "block-rule-opening": answers.block(tiktok, TIKTOK, ours._replace(opening=LUNCH)),
        "block-until": answers.block(youtube, SHUT, video._replace(opening=at_six)),
        "block-until-charged": answers.block(youtube, SHUT, video._replace(opening=charged)),
        "block-otherwise": answers.block(youtube, Decision(NO, Reason.OTHERWISE, "youtube"), video),
    }


def refusals() -> dict[str, answers.Answer]:
    """All of them, and the pages beside them."""
    plain = context(balance=None, allowance=None)._replace(request_more=False)
    low = replace(balance(spent=15 * MINUTE - 112), period="day")
    post = ASK._replace(method="POST")
    return {
        **used_up(),
        **closed(),
        "unidentified": answers.block(
            ASK,
            Decision(NO, Reason.UNIDENTIFIED, "facebook"),
            plain._replace(person="ip:10.0.7.33", roles=()),
        ),
        "acknowledge": answers.block(ASK, Decision(NO, Reason.ACKNOWLEDGE, "facebook"), plain),
        "unavailable": answers.block(ASK, Decision(NO, Reason.UNAVAILABLE, "facebook"), plain),
        "heads-up": answers.heads_up(ASK, WITHIN, low, context(balance=low, opening=LUNCH)),
        "heads-up-form": answers.heads_up(post, WITHIN, low, context(balance=low)),
        "sign-in": answers.sign_in("Office proxy", OFFICE),
        "refused": answers.refused(
            421,
            "This request names two sites",
            "It was sent to one site but names another. Load the page again.",
            OFFICE,
            "de",
        ),
    }
