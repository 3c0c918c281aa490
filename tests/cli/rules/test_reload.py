"""`allowance rules reload`, against a server that answers as the proxy does."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from proxy_addon.cli.rules.commands import app

type Serve = Callable[[int, bytes], str]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Begins to answer POST /api/reload; the address."""
    monkeypatch.chdir(tmp_path)
    servers: list[ThreadingHTTPServer] = []

    def begin(status: int, body: bytes) -> str:
        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.send_response(status if self.path == "/api/reload" else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Nothing."""

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Answer))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"127.0.0.1:{servers[-1].server_port}"

    yield begin
    for server in servers:
        server.shutdown()
        server.server_close()


def answer(**more: object) -> bytes:
    """What the proxy says."""
    body = {"ok": True, "changed": False, "digest": "0123456789abcdef", "problems": []} | more
    return json.dumps(body).encode()


def reload(address: str, *more: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, ["reload", "--web", address, *more])


def test_warnings(serve: Serve) -> None:
    """Rules that are in force may have something that needs a person: it is said, and exit 0."""
    result = reload(serve(200, answer(warnings=["the written policy is older"])))
    assert result.exit_code == 0
    assert "warning: the written policy is older" in result.output


def test_new_rules(serve: Serve) -> None:
    """Exit 0, and the version that is in force."""
    result = reload(serve(200, answer(changed=True)))
    assert (result.exit_code, result.stdout) == (
        0,
        "These rules are in force (version 0123456789ab).\n",
    )


def test_the_same_rules(serve: Serve) -> None:
    """Exit 0 and the same words: the watcher may have been quicker than the command."""
    result = reload(serve(200, answer()))
    assert (result.exit_code, result.stdout) == (
        0,
        "These rules are in force (version 0123456789ab).\n",
    )


def test_broken_rules(serve: Serve) -> None:
    """Exit 1, each problem on a line, and that the old rules stay."""
    result = reload(serve(422, answer(ok=False, problems=["a.yaml:1:1: x: y", "b.yaml:2:2: z: w"])))
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "a.yaml:1:1: x: y",
        "b.yaml:2:2: z: w",
        "The old rules stay in force (version 0123456789ab).",
    ]


def test_json(serve: Serve) -> None:
    """The proxy's own answer."""
    result = reload(serve(422, answer(ok=False, problems=["a"])), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["problems"] == ["a"]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"detail": "for this machine only"}'])
def test_somebody_else_answers(serve: Serve, body: bytes) -> None:
    """One line, exit 1."""
    for status in (200, 403, 500):
        result = reload(serve(status, body))
        assert result.exit_code == 1
        assert len(result.stderr.splitlines()) == 1
        assert "Traceback" not in result.output


def test_nobody_answers(serve: Serve) -> None:
    """One line with a hint, exit 1."""
    result = reload("127.0.0.1:9")
    assert result.exit_code == 1
    assert "http://127.0.0.1:9: Connection refused; is the proxy running" in result.stderr


def test_a_wrong_address() -> None:
    """One line, as for every setting."""
    result = reload("nowhere")
    assert result.exit_code == 1
    assert result.stderr.startswith("--web: 'nowhere': ")
    assert len(result.stderr.splitlines()) == 1
