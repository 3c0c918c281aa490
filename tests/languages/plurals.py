"""Numbers in front of a plural that is always there, so that one reads "1 allowances"."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

NOUNS = (
    *("addresses", "allowances", "branches", "bytes", "characters", "colleagues", "connections"),
    *("days", "errors", "events", "files", "grants", "holidays", "hours", "lines", "messages"),
    *("minutes", "mistakes", "names", "notices", "packages", "pages", "people", "platforms"),
    *("problems", "proxies", "requests", "roles", "rows", "rules", "seconds", "tests", "times"),
    *("values", "versions", "visits", "warnings", "workers"),
)
_PLURAL = re.compile(rf"^ (?:(?:more|other|open|known|limited) )?(?:{'|'.join(NOUNS)})\b")
_TEMPLATE = re.compile(rf"\}}\}} (?:more )?(?:{'|'.join(NOUNS)})\b")


def in_module(text: str) -> Iterator[tuple[int, str]]:
    """Lines and texts of f-strings where a value stands in front of a plural. A constant is known
    to be more than one."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.JoinedStr):
            continue
        for value, after in zip(node.values, node.values[1:], strict=False):
            if not isinstance(value, ast.FormattedValue) or not isinstance(after, ast.Constant):
                continue
            if not _is_constant(value.value) and _PLURAL.match(str(after.value)):
                yield node.lineno, f"{ast.unparse(value.value)}}}{after.value}"


def _is_constant(value: ast.expr) -> bool:
    name = value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")
    return bool(name) and name == name.upper()


def in_template(text: str) -> list[str]:
    """The same of a template; messages have their forms beside each other."""
    plain = re.sub(r"{%-? *trans .*?endtrans *-?%}", "", text, flags=re.DOTALL)
    return _TEMPLATE.findall(plain)
