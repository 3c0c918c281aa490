"""`allowance policy show`: the text as somebody reads it."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import typer

from proxy_addon.cli.common import AsJson, Config, Database, Rules, exit_with, print_json, say
from proxy_addon.cli.expected_errors import one_line_errors
from proxy_addon.cli.ledger_access import ledger_if_any, ledger_name
from proxy_addon.cli.policy.common import Language, NoticeName, notice_name, one_text, texts_of
from proxy_addon.config.settings import load_settings
from proxy_addon.core.notices.notice import Notice, notice_for
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.types import Person
from proxy_addon.presentation import languages
from proxy_addon.presentation.notice_markdown import markdown
from proxy_addon.presentation.notice_reminder import ADDRESS
from proxy_addon.presentation.notice_values import NoticeValues
from proxy_addon.report.notice_texts import PolicyText, known_texts
from proxy_addon.report.roles import Roles
from proxy_addon.rules import folder as rules_folder
from proxy_addon.system.clock import SystemClock

For = Annotated[
    str | None,
    typer.Option(
        "--for", metavar="USER", help="As this person reads it. Default: with the default role"
    ),
]
Version = Annotated[
    str | None, typer.Option("--version", metavar="VERSION", help="An older one, such as 2.")
]
Digest = Annotated[
    str | None,
    typer.Option(
        "--digest", metavar="DIGEST", help="The text with this digest; its start will do."
    ),
]


class _Wanted(NamedTuple):
    """What is shown: which text, to whom, in which language."""

    text: PolicyText
    language: str
    person: Person


def show(
    notice: NoticeName = None,
    user: For = None,
    language: Language = None,
    version: Version = None,
    digest: Digest = None,
    rules: Rules = None,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show a written policy as somebody reads it, as Markdown, with the values of the rules."""
    if version is not None and digest is not None:
        raise typer.BadParameter("choose one of --version and --digest")
    name = None if user is None else ledger_name(user)
    with one_line_errors():
        settings = load_settings({"rules": rules, "database": database}, config)
        engine = Engine(rules_folder.load(settings.rules))
        now = SystemClock().now()
        person = _person(engine, name, now)
        texts = known_texts(engine.rule_set.notices, ())
        if version is not None or digest is not None:
            with ledger_if_any(engine.rule_set, settings) as ledger:
                texts = texts_of(engine.rule_set, ledger)
    text = _text(engine, texts, notice, person if name else None, version, digest)
    wanted = _Wanted(text, _language(text, language, engine), person)
    shown = _rendered(engine, wanted, now)
    if as_json:
        print_json(_document(wanted, shown))
        return
    if not text.in_force:
        say(
            f"{text.name} is not in force; the values in it are those of the rules today.", err=True
        )
    say(shown.rstrip("\n"))


def _person(engine: Engine, name: str | None, now: float) -> Person:
    if name is not None:
        return Roles(engine).person(name, now)
    return Person("", (engine.rule_set.people.default_role,))


def _text(
    engine: Engine,
    texts: list[PolicyText],
    notice: str | None,
    reader: Person | None,
    version: str | None,
    digest: str | None,
) -> PolicyText:
    """The text that was asked for: without a name the notice that is for the reader."""
    if notice is None and reader is not None:
        found = notice_for(engine.rule_set.notices, reader)
        if found is None:
            exit_with(f"no written policy is for {reader.name} with the role {reader.roles[0]}")
        notice = found.name
    notice = notice_name(texts, notice)
    if digest is not None:
        return one_text(texts, notice, digest, "--digest")
    if version is not None:
        return one_text(texts, notice, version, "--version")
    return next(each for each in texts if each.notice == notice)


def _language(text: PolicyText, wanted: str | None, engine: Engine) -> str:
    if wanted is None:
        offered = engine.rule_set.office.languages
        return next((each for each in (*offered, *text.texts) if each in text.texts), "en")
    if wanted not in text.texts:
        exit_with(f"--language: {text.name} is there in {', '.join(text.texts)}, not in {wanted!r}")
    return wanted


def _rendered(engine: Engine, wanted: _Wanted, now: float) -> str:
    """With the values of the rules in force. An older text takes contact and owner of the one that
    is in force, since the ledger keeps only what stood below the front matter."""
    text = wanted.text
    current = next((each for each in engine.rule_set.notices if each.name == text.notice), None)
    notice = Notice(
        text.notice,
        text.order,
        {},
        text.digest,
        "" if current is None else current.owner_in(wanted.language),
        "" if current is None else current.contact_in(wanted.language),
        current.effective if current is not None and text.in_force else None,
    )
    page = ADDRESS.removesuffix("policy")
    with languages.speaking(wanted.language):
        value = NoticeValues(engine, wanted.person, notice, now, page)
        return markdown(text.texts.get(wanted.language, ""), value)


def _document(wanted: _Wanted, shown: str) -> dict[str, object]:
    return {
        "notice": wanted.text.notice,
        "version": wanted.text.version,
        "digest": wanted.text.digest,
        "in_force": wanted.text.in_force,
        "language": wanted.language,
        "user": wanted.person.name or None,
        "roles": list(wanted.person.roles),
        "markdown": shown,
    }
