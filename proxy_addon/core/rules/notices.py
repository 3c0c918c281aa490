"""Compiles written policies: `notice:` of the policy with its Markdown files.

A text with a mistake is an error like any other of the rules. What makes it less useful is a
warning: a topic that is missing, nobody named to call, no sentence to copy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from proxy_addon.core.notices.headings import headings, html_lines, missing_topics
from proxy_addon.core.notices.notice import AskWhen, Notice, NoticeText, Office, Version
from proxy_addon.core.notices.placeholders import VALUES, WITH_NAME, placeholders
from proxy_addon.core.notices.topics import TITLES, Topic
from proxy_addon.core.rules.checks import DefinedNames
from proxy_addon.core.rules.documents import Document, Documents, NoticeDocument, Path
from proxy_addon.core.rules.merge import Top
from proxy_addon.core.rules.models import (
    FrontMatterModel,
    NoticeModel,
    PolicyModel,
    TranslationModel,
)
from proxy_addon.core.rules.parsers import quote
from proxy_addon.core.rules.problems import Code, Place
from proxy_addon.core.rules.report import ProblemCollector, validated

_FRONT = "begin the file with ---, version: 1 and ---"


class NoticeCompiler:
    """Compiles the notices of one reading of the rules folder."""

    def __init__(
        self, documents: Documents, top: Top, names: DefinedNames, report: ProblemCollector
    ) -> None:
        self._documents, self._top, self._names, self._report = documents, top, names, report

    def compile(self, policy: PolicyModel) -> tuple[Notice, ...]:
        """The notices without errors, in the order of the policy."""
        found: list[Notice] = []
        for number, model in enumerate(policy.notice):
            notice = self._notice(model, ("notice", number, "file"))
            if notice is None:
                continue
            if any(notice.name == other.name for other in found):
                self._report.add(
                    self._top.find(("notice", number, "file")),
                    Code.DUPLICATE_NAME,
                    f"another notice is called {quote(notice.name)} as well",
                    "a notice is called as its file: rename one of the files",
                )
            found.append(notice)
        return tuple(found)

    def _notice(self, model: NoticeModel, path: Path) -> Notice | None:
        if model.file not in self._documents.notices:
            if self._documents.complete:
                self._report.add(
                    self._top.find(path),
                    Code.MISSING_FILE,
                    f"the rules folder has no file {quote(model.file)}",
                    "",
                    (model.file, tuple(self._documents.notices)),
                )
            return None
        document = self._document(model.file)
        front = None if document is None else self._front(document)
        if document is None or front is None:
            return None
        texts = dict(self._texts(model.file, document, front))
        if len(texts) < len(set(front.languages)):
            return None
        return Notice(
            name=PurePosixPath(model.file).stem,
            version=front.version,
            texts=texts,
            digest=self._digest(model.file, front.languages),
            owner=front.owner,
            contact=front.contact,
            effective=front.effective,
            ask=AskWhen(model.ask),
            grace=model.grace,
            again_after=model.again_after,
            roles=frozenset(model.roles or ()),
        )

    def _document(self, file: str) -> NoticeDocument | None:
        """A file that is there; None with its problems reported."""
        found = self._documents.notices[file]
        if isinstance(found, NoticeDocument):
            return found
        self._report.problems.extend(found)
        return None

    def _front(self, document: NoticeDocument) -> FrontMatterModel | None:
        if document.front is None:
            self._report.add(
                Place(document.file),
                Code.BAD_NOTICE,
                "the written policy has no version",
                _FRONT,
            )
            return None
        return self._validated(FrontMatterModel, document.front, "front matter")

    def _validated[M: FrontMatterModel | TranslationModel](
        self, model: type[M], front: Document, shape: str
    ) -> M | None:
        def find(path: Path, key: bool = False) -> Place:
            return front.place(path[1:], key=key)

        return validated(model, front.data, self._names, self._report, find, (shape,))

    def _texts(
        self, file: str, document: NoticeDocument, front: FrontMatterModel
    ) -> Iterator[tuple[str, NoticeText]]:
        """Each language with its text; one with an error is left out."""
        for number, language in enumerate(dict.fromkeys(front.languages)):
            if number == 0:
                yield language, self._text(language, document, front)
                continue
            name = translation(file, language)
            if name not in self._documents.notices:
                assert document.front is not None
                self._report.add(
                    document.front.place(("languages", number)),
                    Code.MISSING_FILE,
                    f"the rules folder has no file {quote(name)}",
                    f"put the text in this language there, or take {language} out",
                )
            elif (other := self._document(name)) is not None:
                fields: TranslationModel | None = TranslationModel()
                if other.front is not None:
                    fields = self._validated(TranslationModel, other.front, "translation")
                if fields is not None:
                    self._compare(front.version, fields.version, other)
                    yield language, self._text(language, other, fields)

    def _compare(self, now: Version, then: Version | None, document: NoticeDocument) -> None:
        """Warns of a translation of another version than the one in force."""
        if then is not None and then != now and document.front is not None:
            self._report.warn(
                document.front.place(("version",)),
                Code.OUTDATED_TRANSLATION,
                f"this is a translation of version {then}, and version {now} is in force",
                f"translate what has changed, then write version: {now}",
            )

    def _text(
        self,
        language: str,
        document: NoticeDocument,
        front: FrontMatterModel | TranslationModel,
    ) -> NoticeText:
        self._placeholders(document)
        for line in (*front.summary, front.changes):
            self._values(line, document.file, 1)
        found = headings(document.body)
        first = found[0] if found and found[0].level == 1 else None
        title = front.title or (first.title if first else PurePosixPath(document.file).stem)
        return NoticeText(
            language,
            title,
            document.body,
            found,
            tuple(front.summary),
            front.changes,
            front.owner,
            front.contact,
        )

    def _placeholders(self, document: NoticeDocument) -> None:
        if not document.body.strip():
            self._report.add(
                Place(document.file, document.first_line),
                Code.EMPTY_TEXT,
                "the written policy is empty",
                "write it below the front matter",
            )
        self._values(document.body, document.file, document.first_line)

    def _values(self, text: str, file: str, first_line: int) -> None:
        """Refuses placeholders that stand for nothing."""
        for each in placeholders(text):
            place = Place(file, first_line + each.line - 1)
            if each.name not in VALUES or (each.detail and each.name not in WITH_NAME):
                self._report.add(
                    place,
                    Code.UNKNOWN_VALUE,
                    f"{quote(each.written)} is not a value of the rules",
                    f"there are {', '.join(VALUES)}",
                    (each.name, tuple(VALUES)),
                )
                continue
            known = self._names.allowances
            if each.detail and known is not None and each.detail not in known:
                self._report.add(
                    place,
                    Code.UNKNOWN_ALLOWANCE,
                    f"allowance {quote(each.detail)} is not defined",
                    "",
                    (each.detail, known),
                )

    def _digest(self, file: str, languages: list[str]) -> str:
        """Of one file its own; of several that of their digests."""
        names = [file, *(translation(file, language) for language in dict.fromkeys(languages[1:]))]
        files = (self._documents.notices.get(name) for name in names)
        found = [each.digest for each in files if isinstance(each, NoticeDocument)]
        if len(found) == 1:
            return found[0]
        return hashlib.sha256("\n".join(found).encode("ascii")).hexdigest()


def translation(file: str, language: str) -> str:
    """The file that has the text of another language: `social-media.de.md`."""
    return f"{file.removesuffix('.md')}.{language}.md"


def office(policy: PolicyModel) -> Office:
    """What pages call the office."""
    model = policy.office
    return Office(model.name, model.contact, tuple(dict.fromkeys(model.languages)))


def advise(
    notices: tuple[Notice, ...],
    documents: Documents,
    policy: PolicyModel,
    top: Top,
    report: ProblemCollector,
) -> None:
    """Warn of what makes a written policy less useful."""
    files = {PurePosixPath(model.file).stem: model.file for model in policy.notice}
    for number, notice in enumerate(notices):
        for n, (language, text) in enumerate(notice.texts.items()):
            file = files[notice.name] if n == 0 else translation(files[notice.name], language)
            document = documents.notices.get(file)
            if isinstance(document, NoticeDocument):
                _advise_text(notice, text, document, report)
        above = next((one for one in notices[:number] if not one.roles), None)
        above = above or next(
            (one for one in notices[:number] if notice.roles and notice.roles <= one.roles), None
        )
        if above is not None:
            report.warn(
                top.find(("notice", number)),
                Code.UNREACHABLE_NOTICE,
                f"nobody is given the notice {quote(notice.name)}: {quote(above.name)} fits first",
                "move it up, or give the one above roles",
            )


def _advise_text(
    notice: Notice, text: NoticeText, document: NoticeDocument, report: ProblemCollector
) -> None:
    for topic in missing_topics(text.headings):
        report.warn(
            Place(document.file, document.first_line),
            Code.MISSING_HEADING,
            f"no heading is about {TITLES[topic]}",
            f"write one, or mark the heading that is with {{#{topic}}}",
        )
    for line in html_lines(text.markdown):
        report.warn(
            Place(document.file, document.first_line + line - 1),
            Code.HTML_IN_NOTICE,
            "HTML is shown as text, not followed",
            "write it in Markdown",
        )
    for heading in text.headings:
        place = Place(document.file, document.first_line + heading.line - 1)
        if Topic.ESCALATION in heading.topics and not heading.has_contact:
            report.warn(
                place,
                Code.UNHELPFUL_SECTION,
                "whom to call in a crisis does not stand out here",
                "write a name with a number, in bold",
            )
        if Topic.DISCLAIMER in heading.topics and not heading.has_quote:
            report.warn(
                place,
                Code.UNHELPFUL_SECTION,
                "there is no sentence to copy into a bio here",
                'write it on a line of its own that begins with "> "',
            )
