"""Turns validation errors into problems with a place, a code and a hint; all are kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from proxy_addon.core.rules import models
from proxy_addon.core.rules.checks import DefinedNames
from proxy_addon.core.rules.documents import Path
from proxy_addon.core.rules.parsers import BadValue, kind, quote
from proxy_addon.core.rules.problems import Code, Place, RuleProblem, Severity

type Find = Callable[[Path, bool], Place]  # the place of a value, or (True) of its key

_NOTHING = BadValue(Code.WRONG_TYPE, "nothing is written here", "fill it in, or leave the key out")
_SUGGESTIONS = 200  # finding near names is slow; nobody reads that many
_WANTED = {"list_type": "a list", "dict_type": "a block of keys", "model_type": "a block of keys"}
# The model at each path: `*` is any name or position. The first row that matches wins.
_SHAPES: tuple[tuple[Path, type[BaseModel], str], ...] = (
    (("allowances", "*"), models.AllowanceModel, "an allowance"),
    (("allowances", "*", "overrides", "*"), models.OverrideModel, "an override"),
    (("rules", "*"), models.RuleModel, "a rule"),
    (("rules", "*", "when"), models.WhenModel, "`when`"),
    (("roles", "*"), models.RoleModel, "a role"),
    (("roles", "*", "members", "*"), models.DutyModel, "a member"),
    (("roles", "*", "members", "*", "when"), models.WhenModel, "`when`"),
    (("notice", "*"), models.NoticeModel, "a notice"),
    (("office",), models.OfficeModel, "`office`"),
    (("urgent",), models.UrgentModel, "`urgent`"),
    (("front matter",), models.FrontMatterModel, "the front matter"),
    (("translation",), models.TranslationModel, "the front matter of a translation"),
    (("reload",), models.ReloadModel, "`reload`"),
    (("privacy",), models.PrivacyModel, "`privacy`"),
    (("platforms", "*"), models.PlatformModel, "a platform"),
    (("platforms", "*", "sections", "*"), models.SectionModel, "a section"),
)


class ProblemCollector:
    """Collects problems while rule files are compiled."""

    def __init__(self) -> None:
        self.problems: list[RuleProblem] = []

    @property
    def sorted(self) -> tuple[RuleProblem, ...]:
        """The problems by place, each once."""
        return tuple(sorted(set(self.problems)))

    @property
    def has_errors(self) -> bool:
        """True when the rules cannot go into force."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    def add(
        self,
        place: Place,
        code: Code,
        message: str,
        hint: str = "",
        near: tuple[str, Collection[str]] | None = None,
    ) -> None:
        """Keep an error; a name that comes near replaces the hint."""
        if near is not None and len(self.problems) < _SUGGESTIONS:
            hint = _did_you_mean(*near) or hint
        self.problems.append(RuleProblem.at(place, code, message, hint))

    def warn(self, place: Place, code: Code, message: str, hint: str) -> None:
        """Keep a warning: the rules can go into force, but something about them is probably not
        meant."""
        self.problems.append(RuleProblem.at(place, code, message, hint, Severity.WARNING))

    def refuse(self, place: Place, error: BadValue) -> None:
        """Keep a value that could not be read."""
        self.add(place, error.code, error.message, error.hint, error.near)


def validated[M: BaseModel](
    model: type[M],
    data: Mapping[str, Any],
    names: DefinedNames,
    report: ProblemCollector,
    find: Find,
    at: Path = (),
) -> M | None:
    """The data as a model, or None with every error reported. `at` leads to the data (for
    shapes)."""
    try:
        return model.model_validate(data, context=names)
    except ValidationError as failure:
        for error in failure.errors(include_url=False):
            _translate(error, at, report, find)
        return None


def _translate(error: ErrorDetails, at: Path, report: ProblemCollector, find: Find) -> None:
    path: Path = (*at, *(step for step in error["loc"] if step not in ("[block]", "[name]")))
    if error["type"] == "extra_forbidden":
        what, keys = _shape(path[:-1])
        message = f"{quote(path[-1])} is not a key of {what}"
        report.add(
            find(path, True),
            Code.UNKNOWN_KEY,
            message,
            f"it has {', '.join(keys)}",
            (str(path[-1]), keys),
        )
    elif error["type"] == "missing":
        what, _ = _shape(path[:-1])
        report.add(find(path[:-1], True), Code.MISSING_KEY, f"`{path[-1]}` is missing from {what}")
    elif isinstance(bad := error.get("ctx", {}).get("error"), BadValue):
        is_key = path[-1] == "[key]" or bad.code is Code.UNKNOWN_KEY
        if error["input"] is None and bad.code is not Code.EMPTY_LIST and not bad.at:
            bad = _NOTHING
        path = path[:-1] if path[-1] == "[key]" else (*path, *bad.at)
        report.refuse(find(path, is_key), bad)
    else:
        wanted = _WANTED.get(error["type"], "another kind of value")
        found = kind(error["input"])
        report.add(find(path, False), Code.WRONG_TYPE, f"{wanted} is expected here, not {found}")


def _shape(path: Path) -> tuple[str, tuple[str, ...]]:
    """The name of the block at a path, and its keys."""
    while path and path[-1] == "not":
        path = path[:-1]
    for pattern, model, what in _SHAPES:
        if len(pattern) == len(path) and all(
            p in ("*", step) for p, step in zip(pattern, path, strict=True)
        ):
            return what, tuple(field.alias or key for key, field in model.model_fields.items())
    return "the policy", ()


def _did_you_mean(word: str, names: Collection[str]) -> str:
    close = get_close_matches(word[:100], names, n=1) or get_close_matches(
        word[:100].casefold(), names, n=1, cutoff=0.75
    )
    return f"did you mean {quote(close[0])}?" if close else ""
