"""Texts in templates and modules that do not go through a catalogue, found without running them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from jinja2 import Environment, nodes

from tests.languages.data import without_data
from tests.languages.pseudo_locale import texts

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "proxy_addon"
# Modules whose texts readers of pages see. Commands, logs and what programs read are English.
SPEAKING = (
    "web/*.py",
    "proxy/responses/*.py",
    "proxy/notice_pages.py",
    "proxy/page_context.py",
    "presentation/*.py",
    "presentation/theme/*.py",
    "report/page.py",
    "report/charts.py",
)
ENGLISH = ("presentation/rule_text.py", "presentation/usage_statement.py")
_TRANSLATING = ("_", "gettext", "ngettext", "marked", "marked_plural")
_PROGRAMMING = ("ValueError", "TypeError", "RuntimeError", "KeyError", "LookupError", "Violation")
_LOGS = ("debug", "info", "warning", "error", "exception", "critical")
# In blocks and conditions of their own: the class of the body, a field with an error.
_CLASS = re.compile(r' (?:class|aria-invalid)="[\w -]*"')
_WRITTEN = re.compile(r"[^\W\d_]{2,}|[“”„«»]")  # quotation marks: `<q>` has those of the language
_PROSE = re.compile(r"[A-Za-z]{2,},? [a-z]{2,}")


@cache
def _environment() -> Environment:
    return Environment(extensions=["jinja2.ext.i18n"], autoescape=True)


def templates() -> dict[str, Path]:
    """The templates of pages, by their paths."""
    return {str(path.relative_to(PACKAGE)): path for path in sorted(PACKAGE.rglob("*.html"))}


def untranslated_in_template(text: str) -> list[str]:
    """Literal texts of a template outside of `{% trans %}`, those of attributes included."""
    parsed = _environment().parse(text)
    page = _CLASS.sub("", "".join(_literal(parsed)))
    found = [part for part in texts(page) if _WRITTEN.search(without_data(part))]
    return found + [text for text in _constants(parsed) if _PROSE.search(text)]


def _literal(parsed: nodes.Node) -> Iterator[str]:
    """What stands in the template itself; a value is nothing."""
    for node in parsed.find_all(nodes.TemplateData):
        yield node.data


def _constants(parsed: nodes.Node) -> Iterator[str]:
    """Strings in expressions, but for messages."""
    said = {
        id(constant)
        for call in parsed.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name in _TRANSLATING
        for constant in call.find_all(nodes.Const)
    }
    for constant in parsed.find_all(nodes.Const):
        if isinstance(constant.value, str) and id(constant) not in said:
            yield constant.value


def modules() -> dict[str, Path]:
    """The modules with texts for readers of pages, by their paths."""
    found = {path for pattern in SPEAKING for path in PACKAGE.glob(pattern)}
    named = {str(path.relative_to(PACKAGE)): path for path in sorted(found)}
    return {name: path for name, path in named.items() if name not in ENGLISH}


def untranslated_in_module(text: str) -> list[str]:
    """Strings of a module with two words or more that are no message, docstring, log or error of a
    programmer."""
    tree = ast.parse(text)
    passed = set(_passed(tree))
    found = []
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in passed and _PROSE.search(node.value):
            found.append(node.value)
    return found


def _passed(tree: ast.Module) -> Iterator[int]:
    """The nodes of strings that no reader of a page sees, or that are messages."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield id(node.value)
        elif isinstance(node, ast.Call) and _is_passed(node.func):
            yield from (id(each) for each in ast.walk(node))
        elif isinstance(node, ast.Assert) and node.msg is not None:
            yield from (id(each) for each in ast.walk(node.msg))


def _is_passed(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id in (*_TRANSLATING, *_PROGRAMMING)
    if not isinstance(function, ast.Attribute):
        return False
    if function.attr in _LOGS:
        return isinstance(function.value, ast.Name) and function.value.id.lower().endswith("log")
    return function.attr in ("gettext", "ngettext", "compile")
