"""Every command that the documentation shows is executed, page by page, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.docs.command_server import CommandServer
from tests.docs.pages import PAGES, READ, ROOT, SHELLS, Block
from tests.docs.scene import Scene, first_missing
from tests.e2e.origins import Origins
from tests.postgres import PostgresServer

# Why a block may be left out: what stands behind `no-run:` begins with one of these words.
REASONS = {
    "needs root": "changes the machine: packages, services, the trust of the system",
    "needs Docker": "an engine for containers is not part of the tests",
    "needs a person": "asks a question on a terminal, or opens a window",
    "takes ": "longer than a test may take; a hidden step runs a short form where there is one",
}
LEFT_OUT_MOST = 24  # blocks; who needs more should find a way to execute some

SHELL = [block for page in READ.values() for block in page.blocks if block.language in SHELLS]
BLOCKS = [block for block in SHELL if not block.elsewhere]


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origins]:
    """What stands for the internet."""
    with Origins(tmp_path_factory.mktemp("sites")) as servers:
        yield servers


@pytest.fixture(scope="session")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The process that forks for each `allowance`."""
    with CommandServer(tmp_path_factory.mktemp("commands") / "line") as server:
        yield server.path


@pytest.mark.e2e
@pytest.mark.parametrize(
    "path",
    [path for path in PAGES if any(b.page == path and b.no_run is None for b in BLOCKS)],
    ids=lambda path: path.stem,
)
def test_commands_work(
    path: Path, tmp_path: Path, sites: Origins, line: Path, request: pytest.FixtureRequest
) -> None:
    """Each does what the page says: the exit code, the output where it is marked, servers that come
    up."""
    blocks = [block for block in BLOCKS if block.page == path and block.no_run is None]
    database, tools = "", None
    if any("HOST/" in block.text or "createdb" in block.text for block in blocks):
        server: PostgresServer = request.getfixturevalue("postgres_server")
        database = server.url().partition("://")[2].partition("/")[0]
        tools = server.programs
        server.run("DROP DATABASE IF EXISTS allowance")
        server.run("CREATE DATABASE allowance")
    with Scene(tmp_path / "allowance", sites, line, database, tools) as scene:
        for block in blocks:
            scene.execute(block)


def test_what_is_left_out_has_a_reason(record_property: Callable[[str, object], None]) -> None:
    """Only for the reasons above, and seldom; each is listed in the report of the tests."""
    left_out = [block for block in BLOCKS if block.no_run is not None]
    for block in left_out:
        record_property(f"not executed: {block.place}", block.no_run)
    assert [
        block.place for block in left_out if not (block.no_run or "").startswith(tuple(REASONS))
    ] == []
    assert len(left_out) <= LEFT_OUT_MOST, "\n".join(f"{b.place}: {b.no_run}" for b in left_out)


def test_what_others_execute_is_executed() -> None:
    """The test file that a section names is there and reads the page."""
    for name, page in {(block.elsewhere, block.page) for block in SHELL if block.elsewhere}:
        assert page.relative_to(ROOT).as_posix() in (ROOT / name).read_text("utf-8"), name


def test_no_command_hides() -> None:
    """Commands stand in blocks of `sh` or `console`, where they are found and executed."""
    hidden = []
    for page in READ.values():
        indented = [token.content for token in page.tokens if token.type == "code_block"]
        hidden += [f"{page.path.name}: {text.splitlines()[0]}" for text in indented]
        for block in page.blocks:
            if block.language not in SHELLS and _looks_like_shell(block):
                hidden.append(block.place)
            if block.language == "console" and not block.commands.strip():
                hidden.append(block.place)
    assert hidden == []


def _looks_like_shell(block: Block) -> bool:
    words = (
        "$ ",
        "allowance ",
        "make ",
        "curl ",
        "python ",
        "PYTHONPATH=",
        "docker ",
        "sudo ",
        "systemctl ",
    )
    return block.language in ("", "bash", "shell") and any(
        line.startswith(words) for line in block.text.splitlines()
    )


@pytest.mark.parametrize(
    ("shown", "missing"),
    [
        (["a", "c"], None),
        (["c", "a"], "a"),
        (["a…", "", "b 1…9 x"], None),
        (["a", "a"], "a"),
        ([], None),
    ],
)
def test_output_is_compared_in_order(shown: list[str], missing: str | None) -> None:
    """Every line shown has to come, after those before it; an ellipsis is anything."""
    assert first_missing(shown, ["a", "b 1 5 9 x", "c"]) == missing


@pytest.fixture
def scene(tmp_path: Path, sites: Origins, line: Path) -> Iterator[Scene]:
    """An empty page."""
    with Scene(tmp_path, sites, line) as made:
        yield made


@pytest.fixture
def execute(scene: Scene) -> Callable[[str, str], None]:
    """Executes a block given as info string and text."""
    return lambda info, text: scene.execute(Block(ROOT / "docs" / "test.md", 1, info, text))


def test_a_wrong_page_is_noticed(execute: Callable[[str, str], None]) -> None:
    """A command that fails, an exit code that is not as promised, and an answer that nobody
    gives."""
    execute("console output", "$ echo 1 2\n1 2\n$ echo 3\n…\n")
    execute("sh exit=3", "exit 3\n")
    for info, text in (
        ("sh", "false\ntrue\n"),
        ("sh exit=1", "true\n"),
        ("console output", "$ echo 1\n2\n"),
    ):
        with pytest.raises(AssertionError, match=r"docs/test\.md:1"):
            execute(info, text)


def test_a_server_lives_as_long_as_its_page(
    scene: Scene, execute: Callable[[str, str], None]
) -> None:
    """It is up when its block is done, at a port of the test; one that ends at once is an error."""
    execute("sh server=8090", "exec python -m http.server --bind 127.0.0.1 8090\n")
    execute("sh", "curl -sf http://127.0.0.1:8090/rules/ >/dev/null\n")
    with pytest.raises(AssertionError, match="ended"):
        execute("sh server=8090", "exit 1\n")
    assert scene.port("8090") != 8090
