"""`allowance policy diff`: how two versions of a written policy differ."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

import typer

from proxy_addon.cli.common import AsJson, Config, Database, Rules, exit_with, print_json, say
from proxy_addon.cli.expected_errors import one_line_errors
from proxy_addon.cli.ledger_access import ledger_if_any
from proxy_addon.cli.policy.common import Language, NoticeName, notice_name, one_text, texts_of
from proxy_addon.cli.policy.texts import text_line
from proxy_addon.config.settings import load_settings
from proxy_addon.report.notice_texts import PolicyText, TextNotFound, differences, find
from proxy_addon.rules import folder as rules_folder

Old = Annotated[
    str, typer.Argument(metavar="OLD", help="A version, such as 2, or the start of a digest.")
]
New = Annotated[str, typer.Argument(metavar="NEW", help="The same of the other text.")]


def diff(
    old: Old,
    new: New,
    notice: NoticeName = None,
    language: Language = None,
    rules: Rules = None,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show what was taken out (-) and put in (+) between two versions of a written policy."""
    with one_line_errors():
        settings = load_settings({"rules": rules, "database": database}, config)
        rule_set = rules_folder.load(settings.rules)
        with ledger_if_any(rule_set, settings) as ledger:
            texts = texts_of(rule_set, ledger)
    name = notice_name(texts, notice or _with_both(texts, old, new))
    before, after = one_text(texts, name, old, "OLD"), one_text(texts, name, new, "NEW")
    changed = differences(before, after)
    if language is not None:
        if language not in changed:
            exit_with(f"--language: there is {', '.join(changed)}, not {language!r}")
        changed = {language: changed[language]}
    if as_json:
        pair = (text_line(each, rule_set.zone) for each in (before, after))
        print_json(dict(zip(("old", "new"), pair, strict=True)) | {"languages": changed})
        return
    _print(before, after, changed)


def _with_both(texts: Sequence[PolicyText], old: str, new: str) -> str | None:
    """The only notice that has both texts, where there is just one."""
    has_both = []
    for name in dict.fromkeys(each.notice for each in texts):
        with suppress(TextNotFound):
            find(texts, name, old)
            find(texts, name, new)
            has_both.append(name)
    return has_both[0] if len(has_both) == 1 else None


def _print(before: PolicyText, after: PolicyText, changed: dict[str, list[str]]) -> None:
    for language, lines in changed.items():
        if not lines:
            say(f"{language}: the same in {before.name} and {after.name}")
            continue
        if language not in before.texts or language not in after.texts:
            what = "new" if language in after.texts else "gone"
            say(f"{language}: this language is {what} in {after.name}")
        say("\n".join(lines))
