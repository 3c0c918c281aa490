"""`proxy_addon/proxy/decision_recorder.py`: what is recorded of requests and tunnels, under one
id."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from mitmproxy import http

from proxy_addon.core.types import Activity, Reason, Verdict
from proxy_addon.observability.decision_log import DecisionEntry
from proxy_addon.proxy.layers.flow_output import request_id
from tests.proxy.harness import PAGE, ProxyHarness, connect, request
from tests.proxy.test_in_flight import RecordingTerminator

ME = "ip:127.0.0.1"
SCRIPT = {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors", "Accept": "application/json"}


class MemoryDecisionLog:
    """A decision log in memory; `wanted`: whether it takes anything."""

    def __init__(self) -> None:
        self.lines: list[DecisionEntry] = []
        self.wanted = True

    def samples(self, request: str) -> bool:
        """All or nothing."""
        return self.wanted

    def put(self, entry: DecisionEntry) -> None:
        """Keep it."""
        self.lines.append(entry)


@pytest.fixture
def kept(harness: ProxyHarness) -> MemoryDecisionLog:
    """The add-on passes its decisions to this log."""
    kept = MemoryDecisionLog()
    for part in (
        harness.addon.in_flight,
        harness.addon._tunnels,
        harness.addon._requests,
        harness.addon,
    ):
        part._recorder._decisions = kept
    return kept


async def answered(harness: ProxyHarness, url: str, kind: str = "text/html") -> http.HTTPFlow:
    """A page that is opened, answered and over."""
    flow = request(url, headers=PAGE)
    await harness.addon.requestheaders(flow)
    flow.response = http.Response.make(200, b"", {"Content-Type": kind})
    harness.addon.responseheaders(flow)
    harness.addon.response(flow)
    return flow


async def test_a_request_that_goes_on(harness: ProxyHarness, kept: MemoryDecisionLog) -> None:
    """One line, once it is known what the request is evidence of; never a URL."""
    flow = await answered(harness, "http://www.linkedin.com/learning/secret")
    (line,) = kept.lines
    assert (line.request, line.person.name, line.person.roles) == (request_id(flow), ME, ("guest",))
    assert (line.decision.platform, line.decision.section) == ("linkedin", "learning")
    assert (line.decision.verdict, line.decision.rule, line.activity) == (
        Verdict.ALLOW,
        "Learning is work",
        Activity.VISIT,
    )
    assert "secret" not in repr(line)


async def test_an_answer_without_a_length(harness: ProxyHarness, kept: MemoryDecisionLog) -> None:
    """The line is written when the body has ended, and says what it turned out to be; once."""
    loads = {"Sec-Fetch-Dest": "image", "Sec-Fetch-Site": "same-origin", "Referer": "http://x.com/"}
    flow = request("http://x.com/p.gif", headers=loads)
    await harness.addon.requestheaders(flow)
    flow.response = http.Response.make(200, b"", {"Content-Type": "image/gif"})
    del flow.response.headers["content-length"]
    harness.addon.responseheaders(flow)
    assert kept.lines == []
    assert callable(flow.response.stream)
    flow.response.stream(bytes(43))
    harness.addon.response(flow)
    harness.addon.error(flow)
    assert [(line.request, line.activity) for line in kept.lines] == [
        (request_id(flow), Activity.BACKGROUND)
    ]
    assert harness.counted("ignored_total", platform="x", activity="background") == 1


async def test_a_request_without_an_answer(harness: ProxyHarness, kept: MemoryDecisionLog) -> None:
    """When it is over the line is written as it is, once."""
    flow = request("http://x.com/", headers=PAGE)
    await harness.addon.requestheaders(flow)
    assert kept.lines == []
    harness.addon.error(flow)
    harness.addon.error(flow)
    assert [(line.decision.verdict, line.activity) for line in kept.lines] == [
        (Verdict.SPEND, None)
    ]


async def test_a_refusal_and_its_id(harness: ProxyHarness, kept: MemoryDecisionLog) -> None:
    """Header, page, problem document and line say the same id."""
    page, script = (
        request("http://tiktok.com/", headers=PAGE),
        request("http://tiktok.com/", headers=SCRIPT),
    )
    for flow in (page, script):
        await harness.addon.requestheaders(flow)
        assert flow.response is not None
        assert flow.response.headers["X-Allowance-Request"] == request_id(flow)
        assert request_id(flow) in (flow.response.text or "")
    assert script.response is not None
    assert json.loads(script.response.text or "")["request"] == request_id(script)
    assert [line.request for line in kept.lines] == [request_id(page), request_id(script)]
    assert {line.decision.reason for line in kept.lines} == {Reason.BLOCKED}


async def test_a_cut_has_the_id_of_what_it_ends(
    harness: ProxyHarness, kept: MemoryDecisionLog, capsys: pytest.CaptureFixture[str]
) -> None:
    """A request and a tunnel: the log line names neither the person nor the host, and the decision
    log has both."""
    harness.addon.start(asyncio.get_running_loop(), RecordingTerminator())  # type: ignore[arg-type]
    flow, tunnel = request("http://x.com/", headers=PAGE), connect("chatter.example:443")
    await harness.addon.requestheaders(flow)
    await harness.addon.http_connect(tunnel)
    harness.spend(ME)
    harness.addon.in_flight.end_due()
    harness.addon.stop()
    cut = [line for line in kept.lines if line.decision.reason is Reason.EXHAUSTED]
    assert {line.request for line in cut} == {request_id(flow), request_id(tunnel)}
    logged = capsys.readouterr().out
    assert request_id(flow) in logged
    assert request_id(tunnel) in logged
    assert "reason=exhausted" in logged
    assert ME not in logged
    assert "chatter.example" not in logged


async def test_strangers(tmp_path: Path) -> None:
    """Who is refused for want of a name is told of with the role under which metrics count them."""
    harness, kept = ProxyHarness(tmp_path, unidentified="refuse"), MemoryDecisionLog()
    harness.addon._requests._recorder._decisions = kept
    await harness.addon.requestheaders(request("http://x.com/", headers=PAGE))
    (line,) = kept.lines
    assert (line.decision.reason, line.person.roles) == (Reason.UNIDENTIFIED, ("nobody",))
    harness.close()


async def test_our_own_failure(
    harness: ProxyHarness, kept: MemoryDecisionLog, capsys: pytest.CaptureFixture[str]
) -> None:
    """The verdict of `on_failure` is a decision, too; the traceback has the id of the request."""
    harness.break_engine()
    flow = request("http://x.com/", headers=PAGE)
    await harness.addon.requestheaders(flow)
    assert [line.decision.reason for line in kept.lines] == [Reason.UNAVAILABLE]
    assert f"request={request_id(flow)}" in capsys.readouterr().out


async def test_what_is_not_wanted(harness: ProxyHarness, kept: MemoryDecisionLog) -> None:
    """Requests outside of the sample leave nothing behind."""
    kept.wanted = False
    flow = await answered(harness, "http://x.com/")
    await harness.addon.requestheaders(request("http://tiktok.com/", headers=PAGE))
    assert kept.lines == []
    assert "allowance_decided" not in flow.metadata
