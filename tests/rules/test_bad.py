"""A corpus of wrong rules with the exact messages they give.

`bad/<case>.yaml` stands in for the policy of `good/`; the files of `bad/<case>/` are laid over
`good/`. `expected.txt` has a row for each case: its name, then its problems, two spaces in.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from proxy_addon.core.rules.problems import Code, RuleErrors, RuleProblem, Severity
from proxy_addon.rules import folder as rules_folder

HERE = Path(__file__).parent
CASES = sorted(HERE.joinpath("bad").iterdir())


def expected() -> dict[str, list[str]]:
    """The rows of the table."""
    rows: dict[str, list[str]] = {}
    for line in (HERE / "expected.txt").read_text("utf-8").splitlines():
        if line.startswith("  "):
            rows[list(rows)[-1]].append(line.strip())
        elif line and not line.startswith("#"):
            assert line not in rows, f"{line} has two rows"
            rows[line] = []
    return rows


def laid_out(case: Path, folder: Path) -> Path:
    """The good rules with one case in them."""
    rules = folder / "rules"
    shutil.copytree(HERE / "good", rules)
    if case.is_dir():
        shutil.copytree(case, rules, dirs_exist_ok=True)
    else:
        shutil.copy(case, rules / "policy.yaml")
    return rules


def test_the_good_rules_are_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the cases are laid over has no problem of its own."""
    monkeypatch.chdir(HERE)
    assert rules_folder.check(Path("good")) == []


def test_every_case_has_a_row_and_every_row_a_case() -> None:
    """No wrong file goes unchecked, and no message is promised for a file that is not there."""
    assert sorted(expected()) == sorted(case.stem for case in CASES)
    assert len([case for case in CASES if case.is_file()]) >= 120


def test_every_code_of_a_file_has_a_case() -> None:
    """Whatever can be said about the content of a file is said of some file of the corpus."""
    reported = {row.split(": ")[1] for rows in expected().values() for row in rows}
    of_the_disk = {
        Code.MISSING_FILE,
        Code.NOT_A_FILE,
        Code.UNREADABLE_FILE,
        Code.OUTSIDE_FOLDER,
        Code.TOO_LARGE,
    }
    assert set(Code) - of_the_disk <= reported


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_each_mistake_is_reported_in_these_words(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All problems of a case, in order, to the letter; and loading refuses errors, and lets
    warnings pass."""
    laid_out(case, tmp_path)
    monkeypatch.chdir(tmp_path)
    problems = rules_folder.check(Path("rules"))
    assert problem_rows(problems) == expected()[case.stem]
    if any(problem.severity is Severity.ERROR for problem in problems):
        with pytest.raises(RuleErrors) as caught:
            rules_folder.load(Path("rules"))
        assert list(caught.value.problems) == problems
    else:
        assert case.stem.startswith("warn-")
        rules_folder.load(Path("rules"))


def problem_rows(problems: list[RuleProblem]) -> list[str]:
    """The rows of some problems."""
    return [f"{p} (warning)" if p.severity is Severity.WARNING else str(p) for p in problems]
