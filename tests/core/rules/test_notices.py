"""Written policies as part of the rules: what goes into force, what is refused, what is said."""

from __future__ import annotations

from datetime import date

import pytest

from proxy_addon.core.notices.notice import AskWhen, Notice, Version
from proxy_addon.core.rules.compiler import Compiled, compile_rules
from proxy_addon.core.rules.documents import Documents, NoticeDocument
from proxy_addon.core.rules.problems import Severity
from proxy_addon.rules import notice_files
from tests.core.rules.rule_files import HEAD, X, read

FRONT = "---\nversion: 3\nowner: the people office\ncontact: ext. 120\neffective: 2026-11-02\n---\n"
BODY = """\
# Social media at work
## Purpose
## Who is responsible
## What may and may not be said
## When to escalate
**Marketing, ext. 120**
## Talking with the public
## Disclaimer
> My own view.
## Images and video
## Data protection and confidentiality
"""
ALL = FRONT + BODY


def compiled(policy: str, complete: bool = True, **files: str) -> Compiled:
    """The rules with these notices; `a` is the file notices/a.md, `a_de` notices/a.de.md."""
    documents = {
        f"notices/{name.replace('_', '.')}.md": notice_files.document(
            f"rules/notices/{name.replace('_', '.')}.md", text.encode()
        )
        for name, text in files.items()
    }
    top = (
        read("rules/policy.yaml", HEAD + "allowances: {short: {limit: 15m per day}}\n" + policy),
        read("rules/people.yaml", "roles: {care: {members: [carl]}, guest: {}}\n"),
    )
    return compile_rules(
        Documents("rules", top, (read("rules/platforms/x.yaml", X),), complete, notices=documents),
        advise=True,
    )


def said(policy: str, severity: Severity | None = None, **files: str) -> list[str]:
    """What is said, without what has nothing to do with notices."""
    return [
        str(each).removeprefix("rules/")
        for each in compiled(policy, **files).problems
        if (severity is None or each.severity is severity) and not each.code.startswith("unused")
    ]


def notices(policy: str, **files: str) -> tuple[Notice, ...]:
    """The notices in force."""
    found = compiled(policy, **files)
    assert found.rule_set is not None, found.problems
    return found.rule_set.notices


def test_a_notice_with_everything() -> None:
    """Its keys and its front matter."""
    policy = "notice: {file: notices/a.md, ask: shown, grace: 3d, roles: [care], again_after: 1y}\n"
    [notice] = notices(policy, a=ALL)
    assert (notice.name, notice.version, notice.ask) == ("a", Version(3), AskWhen.SHOWN)
    assert (notice.grace, notice.again_after) == (3 * 86_400, 365 * 86_400)
    assert (notice.owner, notice.contact) == ("the people office", "ext. 120")
    assert (notice.effective, notice.roles) == (date(2026, 11, 2), frozenset({"care"}))
    assert notice.texts["en"].title == "Social media at work"
    assert said(policy, a=ALL) == []


def test_what_is_assumed() -> None:
    """Only the file is needed: it has to be confirmed, at once, once."""
    [notice] = notices("notice: {file: notices/a.md}\n", a=f"---\nversion: 1\n---\n{BODY}")
    assert (notice.ask, notice.grace, notice.again_after) == (AskWhen.BEFORE_FIRST_USE, 0.0, None)
    assert (notice.roles, tuple(notice.texts)) == (frozenset(), ("en",))
    assert notices("") == notices("notice:\n") == notices("notice: []\n") == ()


def test_several_notices_in_order() -> None:
    """Guests get their own."""
    policy = "notice:\n- {file: notices/g.md, roles: [guest]}\n- {file: notices/a.md}\n"
    assert [each.name for each in notices(policy, a=ALL, g=ALL)] == ["g", "a"]
    assert said(policy, a=ALL, g=ALL) == []


@pytest.mark.parametrize(
    "policy",
    [
        "notice:\n- {file: notices/a.md}\n- {file: notices/g.md, roles: [guest]}\n",
        "notice:\n- {file: notices/a.md, roles: [care, guest]}\n- {file: notices/g.md, roles: [guest]}\n",
        "notice:\n- {file: notices/a.md}\n- {file: notices/g.md}\n",
    ],
)
def test_a_notice_that_nobody_is_given(policy: str) -> None:
    """One above it fits everybody whom it is for: a warning."""
    [line] = said(policy, a=ALL, g=ALL)
    assert 'unreachable-notice: nobody is given the notice "g": "a" fits first' in line


def test_languages() -> None:
    """Translations stand beside the file, and take part in the digest."""
    front = "---\nversion: 1\nlanguages: [en, de]\n---\n"
    german = "---\ntitle: Soziale Medien\n---\n" + BODY
    [notice] = notices("notice: {file: notices/a.md}\n", a=front + BODY, a_de=german)
    assert [text.title for text in notice.texts.values()] == [
        "Social media at work",
        "Soziale Medien",
    ]
    [other] = notices("notice: {file: notices/a.md}\n", a=front + BODY, a_de=german + "\nMehr.\n")
    assert notice.digest != other.digest
    [alone] = notices("notice: {file: notices/a.md}\n", a=ALL)
    document = notice_files.document("x", ALL.encode())
    assert isinstance(document, NoticeDocument)
    assert alone.digest == document.digest


@pytest.mark.parametrize(
    ("policy", "files", "line"),
    [
        (
            "notice: {file: notices/b.md}\n",
            {"a": ALL},
            'policy.yaml:4:16: missing-file: the rules folder has no file "notices/b.md"; '
            'did you mean "notices/a.md"?',
        ),
        (
            "notice: {file: notices/a.md}\n",
            {"a": BODY},
            "notices/a.md:1:1: bad-notice: the written policy has no version; "
            "begin the file with ---, version: 1 and ---",
        ),
        (
            "notice: {file: notices/a.md}\n",
            {"a": "---\nowner: us\n---\n" + BODY},
            "notices/a.md:2:1: missing-key: `version` is missing from the front matter",
        ),
        (
            "notice: {file: notices/a.md}\n",
            {"a": "---\nversion: new\n---\n" + BODY},
            'notices/a.md:2:10: bad-notice: "new" is not the version of a written policy; '
            "write a number such as 3, or 3.1 where nobody has to read it again",
        ),
        (
            "notice: {file: notices/a.md}\n",
            {"a": "---\nversion: 1\nlanguages: [en, fr]\n---\n" + BODY},
            'notices/a.md:3:17: missing-file: the rules folder has no file "notices/a.fr.md"; '
            "put the text in this language there, or take fr out",
        ),
        (
            "notice: {file: notices/a.md}\n",
            {"a": "---\nversion: 1\n---\n"},
            "notices/a.md:4:1: empty-text: the written policy is empty; "
            "write it below the front matter",
        ),
        (
            "notice: {file: notices/a.md}\n",
            {"a": ALL + "You have {{ allowence }}.\n"},
            'notices/a.md:18:1: unknown-value: "{{ allowence }}" is not a value of the rules; '
            'did you mean "allowance"?',
        ),
        (
            "notice: {file: notices/a.md}\n",
            {"a": ALL + "You have {{ allowance.shrt }}.\n"},
            'notices/a.md:18:1: unknown-allowance: allowance "shrt" is not defined; '
            'did you mean "short"?',
        ),
        (
            "notice: {file: notices/a.md, asks: shown}\n",
            {"a": ALL},
            'policy.yaml:4:30: unknown-key: "asks" is not a key of a notice; did you mean "ask"?',
        ),
        (
            "notice: {file: notices/a.md, roles: [gest]}\n",
            {"a": ALL},
            'policy.yaml:4:37: unknown-role: role "gest" is not defined; did you mean "guest"?',
        ),
        (
            "office: {nam: x}\n",
            {},
            'policy.yaml:4:10: unknown-key: "nam" is not a key of `office`; did you mean "name"?',
        ),
    ],
)
def test_what_is_refused(policy: str, files: dict[str, str], line: str) -> None:
    """With the place, the value and what to do; the rules do not go into force."""
    assert said(policy, Severity.ERROR, **files) == [line]


def test_two_files_of_one_name() -> None:
    """A notice is called as its file, so two cannot be told apart."""
    policy = "notice: [{file: notices/a.md}, {file: notices/a.md}]\n"
    assert any("duplicate-name" in line for line in said(policy, Severity.ERROR, a=ALL))


def test_a_missing_file_is_not_blamed_when_another_is_broken() -> None:
    """One mistake gives one problem."""
    found = compiled("notice: {file: notices/b.md}\n", complete=False)
    assert [each for each in found.problems if each.severity is Severity.ERROR] == []


@pytest.mark.parametrize(
    ("heading", "topic"),
    [
        (
            "Purpose",
            "the purpose of the policy; write one, or mark the heading that is with {#purpose}",
        ),
        ("Who is responsible", "who is responsible"),
        ("What may and may not be said", "what may and may not be said"),
        ("When to escalate", "when and to whom to escalate"),
        ("Talking with the public", "talking with the public"),
        ("Disclaimer", "the disclaimer in a bio"),
        ("Images and video", "images and video"),
        ("Data protection and confidentiality", "data protection and confidentiality"),
    ],
)
def test_each_heading_is_missed_by_name(heading: str, topic: str) -> None:
    """A warning, with the file."""
    [line] = said("notice: {file: notices/a.md}\n", a=ALL.replace(f"## {heading}\n", "## Else\n"))
    assert f"notices/a.md:7:1: missing-heading: no heading is about {topic}" in line


def test_sections_that_do_not_help() -> None:
    """Nobody to call, and nothing to copy."""
    text = ALL.replace("**Marketing, ext. 120**\n", "").replace("> My own view.\n", "")
    lines = said("notice: {file: notices/a.md}\n", a=text)
    assert [line.split(": ", 3)[1] for line in lines] == ["unhelpful-section"] * 2


def test_html_is_named() -> None:
    """It would be shown as text."""
    [line] = said("notice: {file: notices/a.md}\n", a=ALL + "\n<script>alert(1)</script>\n")
    assert "notices/a.md:19:1: html-in-notice: HTML is shown as text, not followed" in line


def test_the_office() -> None:
    """Its name, contact and languages; without them English and no name."""
    policy = "office: {name: Example Ltd, contact: 'Carla, ext. 114', languages: [de, en, de]}\n"
    found = compiled(policy).rule_set
    assert found is not None
    office = found.office
    assert (office.name, office.contact, office.languages) == (
        "Example Ltd",
        "Carla, ext. 114",
        ("de", "en"),
    )


def test_a_language_without_pages() -> None:
    """An office can offer only languages in which there are pages."""
    [line] = said("notice: {file: notices/a.md}\noffice: {languages: [en, it]}\n", a=ALL)
    assert 'bad-choice: "it" is not a language of our pages; write en, de, fr or es' in line


def test_a_translation_says_in_its_words_who_looks_after_it() -> None:
    """Its owner and contact; where it has none, those of the first file."""
    german = "---\nowner: die Personalabteilung\n---\n# Soziale Medien\n"
    front = FRONT.replace("version: 3", "version: 3\nlanguages: [en, de]")
    [notice] = notices("notice: {file: notices/a.md}\n", a=f"{front}# Social media\n", a_de=german)
    assert (notice.owner_in("de"), notice.contact_in("de")) == ("die Personalabteilung", "ext. 120")
    assert (notice.owner_in("en"), notice.contact_in("fr")) == ("the people office", "ext. 120")
