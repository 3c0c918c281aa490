"""What a platform, or a section of one, is called: "LinkedIn", "LinkedIn Learning", "LinkedIn
(Lernen)".

Sections that the shipped platforms have are translated; those of an office's own files are as it
wrote them.
"""

from __future__ import annotations

from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Target
from proxy_addon.presentation import durations
from proxy_addon.presentation.languages import gettext as _


def title(rules: RuleSet, target: Target) -> str:
    """In a list of what a rule names."""
    name = platform(rules, target.platform)
    if target.section is None:
        return name
    return _("%(platform)s %(section)s") % {"platform": name, "section": section(target.section)}


def platform(rules: RuleSet, name: str) -> str:
    """By its title; one that the rules no longer have by its key."""
    known = rules.platforms.get(name)
    return known.title if known else durations.label(name)


def section(name: str) -> str:
    """As a heading: "Learning"."""
    return _ours().get(name) or durations.label(name)


def is_ours(name: str) -> bool:
    """Whether a section of this name can be translated."""
    return name in _ours()


def _ours() -> dict[str, str]:
    return {
        "articles": _("Articles"),
        "business": _("Business"),
        "calls": _("Calls"),
        "chat": _("Chat"),
        "developers": _("Developers"),
        "groups": _("Groups"),
        "help": _("Help"),
        "jobs": _("Jobs"),
        "learning": _("Learning"),
        "links": _("Links"),
        "live": _("Live"),
        "marketplace": _("Marketplace"),
        "messages": _("Messages"),
        "moderating": _("Moderating"),
        "music": _("Music"),
        "news": _("News"),
        "payment": _("Payment"),
        "publishing": _("Publishing"),
        "recruiting": _("Recruiting"),
        "reels": _("Reels"),
        "sales": _("Sales"),
        "shorts": _("Shorts"),
        "sign-in": _("Sign-in"),
        "spaces": _("Spaces"),
        "story": _("Story"),
        "studio": _("Studio"),
        "video": _("Video"),
        "videos": _("Videos"),
    }
