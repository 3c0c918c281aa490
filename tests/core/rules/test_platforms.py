"""Platform files: adding up, replacing, and one owner for each host."""

from __future__ import annotations

from proxy_addon.core.rules.documents import Document
from proxy_addon.core.rules.platforms import compile_platforms, entries, sections
from proxy_addon.core.rules.problems import Code
from proxy_addon.core.rules.report import ProblemCollector
from proxy_addon.core.ruleset import Platform, Section


def compiled(*files: tuple[str, dict]) -> tuple[dict[str, Platform], list[Code]]:
    """The platforms of some files, and the codes of what was wrong."""
    report = ProblemCollector()
    found = entries(Document(f"rules/platforms/{name}.yaml", data, {}, {}) for name, data in files)
    return compile_platforms(found, report), [problem.code for problem in report.problems]


SHIPPED = (
    "x",
    {"x": {"title": "X", "hosts": ["x.com"], "sections": {"ads": {"hosts": ["ads.x.com"]}}}},
)


def test_a_file_of_the_administrators_own_adds() -> None:
    """Lists add up without doubles, sections merge, and the later title wins whatever the file's
    name."""
    mine = {
        "title": "Ex",
        "hosts": ["x.com", "x.org"],
        "inspect": False,
        "sections": {"ads": {"paths": ["/ads/*"]}},
    }
    platforms, codes = compiled(("a-first-by-name", {"x": mine}), SHIPPED)
    wanted = Platform(
        "x", "Ex", ("x.com", "x.org"), (Section("ads", ("ads.x.com",), ("/ads/*",)),), inspect=False
    )
    assert (platforms, codes) == ({"x": wanted}, [])


def test_replace_leaves_nothing_of_the_others() -> None:
    """`replace: true` is the whole platform."""
    platforms, codes = compiled(SHIPPED, ("own", {"x": {"replace": True, "hosts": ["x.org"]}}))
    assert (platforms, codes) == ({"x": Platform("x", "x", ("x.org",))}, [])


def test_only_one_file_may_replace() -> None:
    """Two replacements cannot both be meant."""
    one = {"x": {"replace": True, "hosts": ["x.org"]}}
    assert compiled(("a", one), ("b", one))[1] == [Code.DUPLICATE_NAME]


def test_hosts_may_stand_in_any_of_the_files_but_must_stand_in_one() -> None:
    """A platform without hosts would never be seen."""
    assert compiled(SHIPPED, ("own", {"x": {"title": "Ex"}}))[1] == []
    assert compiled(("own", {"forum": {"title": "Forum"}}))[1] == [Code.MISSING_KEY]


def test_a_host_has_one_owner_however_it_is_spelt() -> None:
    """Case, last dots and star forms hide nothing; the name alone is another pattern."""
    for spelling in ("X.com", "x.com.", "*.x.com"):
        assert compiled(SHIPPED, ("y", {"y": {"hosts": [spelling]}}))[1] == [Code.DUPLICATE_HOST]
    assert compiled(SHIPPED, ("y", {"y": {"hosts": ["=x.com", "ads.x.com"]}}))[1] == []


def test_sections_are_known_before_anything_is_validated() -> None:
    """A rule may name a section whose contents are wrong; where it cannot be told, None."""
    found = entries(
        [
            Document(
                "x.yaml", {"x": {"sections": {"ads": 5}}, "y": {"sections": 5}, "z": None}, {}, {}
            )
        ]
    )
    assert sections(found["x"]) == {"ads"}
    assert sections(found["y"]) is None
    assert sections(found["z"]) == frozenset()


def test_a_platform_can_be_many_things_wrong_at_once() -> None:
    """Each mistake is one problem."""
    wrong = {"hosts": ["com"], "embed": [], "inspect": "yes", "sections": {"A B": {"paths": ["a"]}}}
    codes = compiled(("own", {"forum": wrong}))[1]
    assert sorted(codes) == sorted(
        [Code.BAD_HOST, Code.UNKNOWN_KEY, Code.WRONG_TYPE, Code.BAD_NAME, Code.BAD_PATH]
    )
