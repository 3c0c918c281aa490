"""Reads the Markdown files of written policies: their front matter as YAML, the rest as text."""

from __future__ import annotations

import hashlib
import re

from proxy_addon.core.rules.documents import NoticeDocument
from proxy_addon.core.rules.problems import Code, Place, RuleProblem
from proxy_addon.rules import yaml_reader

MAX_BYTES = 262_144  # some hundred pages; nobody reads more
_FRONT = re.compile(r"---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)

type Content = bytes | tuple[Code, str, str]
"""The bytes of a file; or why there are none: code, message, hint."""


def document(file: str, content: Content) -> NoticeDocument | list[RuleProblem]:
    """A file, or what is wrong with it. `file` is its name as problems show it."""
    if not isinstance(content, bytes):
        return [RuleProblem.at(Place(file), *content)]
    if len(content) > MAX_BYTES:
        message = f"the written policy is larger than {MAX_BYTES // 1024} KiB"
        return [RuleProblem.at(Place(file), Code.TOO_LARGE, message, "take out what nobody reads")]
    text = yaml_reader.text(content, file)
    if isinstance(text, RuleProblem):
        return [text]
    digest = hashlib.sha256(content).hexdigest()
    begins = _FRONT.match(text)
    if begins is None:
        return NoticeDocument(file, None, text, 1, digest)
    # A line in place of the first one, so that places are those of the file.
    front, problems = yaml_reader.parse(f"\n{begins[1]}".encode(), file)
    if front is None or problems:
        return problems
    return NoticeDocument(file, front, text[begins.end() :], begins[0].count("\n") + 1, digest)
