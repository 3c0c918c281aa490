"""When the grace time of the written policy is over: everything of a limited platform is refused in
the form of its kind, what runs is ended, and what has nothing to do with it goes on."""

from __future__ import annotations

import base64
import ssl
import time
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed

from proxy_addon.observability.decision_log import about
from tests.e2e.client import FETCH, IMAGE, NAVIGATE, Client
from tests.e2e.office import FRONT_PROXY, SLACK, office, policy
from tests.e2e.origins import Origins
from tests.e2e.policy_readers import FACEBOOK, PAGE, Reader, link, notice, write
from tests.e2e.process import OfficeProxy
from tests.e2e.test_workers import metric
from tests.e2e.waiting import until
from tests.e2e.websocket import WebSocket

GRACE = 4.0  # seconds
CUT_WITHIN = 5.0
FRAME = NAVIGATE | {"Sec-Fetch-Dest": "iframe"}
VIDEO = {"Sec-Fetch-Dest": "video", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Site": "same-origin"}
STREAM = "https://www.facebook.com/stream?seconds=40&rate=50000&type=video/mp4"
FREE = "https://x.com/"  # the whole platform is free for everybody
RULES = """rules:
  - {name: X is free, platforms: [x], then: allow}
  - {name: Tried out, users: [otto], platforms: [facebook], then: {spend: short}, mode: observe}
"""


@pytest.fixture(scope="module", params=["light", pytest.param("engine", marks=pytest.mark.long)])
def strict(
    request: pytest.FixtureRequest, origins: Origins, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OfficeProxy]:
    """An office whose grace time is some seconds, with the light path and without it."""
    rules = policy("10m").replace("rules:\n", RULES, 1) + notice(f"{GRACE:g}s")
    settings = {"decision-log": "var/decisions", "light-path": request.param == "light"}
    folder = tmp_path_factory.mktemp(f"policy-{request.param}")
    proxy = office(folder, origins, rules, settings=settings)
    write(proxy, "3")
    with proxy:
        yield proxy


def overdue(proxy: OfficeProxy, name: str) -> Reader:
    """Somebody whose grace time is over."""
    reader = Reader(proxy.client, name)
    assert reader.open(FACEBOOK).reason == "acknowledge"
    time.sleep(GRACE + 0.1)
    return reader


def test_everything_is_refused_in_its_form(strict: OfficeProxy) -> None:
    """A page, a frame, a call of a script and a picture; only the page has the way to the policy,
    and none of them has a form."""
    dora = overdue(strict, "dora")
    page = dora.open(FACEBOOK)
    assert "Read and confirm" in page.text and "Later today" not in page.text
    frame, call, picture = (dora.get(FACEBOOK, kind) for kind in (FRAME, FETCH, IMAGE))
    assert {each.status for each in (page, frame, call, picture)} == {403}
    assert {each.reason for each in (page, frame, call, picture)} == {"acknowledge"}
    assert "text/html" in frame.headers["content-type"]
    assert call.headers["content-type"] == "application/problem+json"
    assert picture.body == b""
    for each in (page, frame, call):
        assert "<form" not in each.text
    assert "back=" not in frame.text + call.text
    sent = dora.get(FACEBOOK, NAVIGATE, "--data", "a=1")
    assert sent.status == 403 and "back=" not in sent.text
    dora.confirm()
    assert dora.open(FACEBOOK).status == 200
    assert dora.get(FACEBOOK, FETCH).status == 200


def test_what_is_free_now_and_what_is_exempt(strict: OfficeProxy) -> None:
    """A platform that a rule opens to everybody is refused as well; a section that a rule names is
    open all the while, and so is what is not limited."""
    emil = overdue(strict, "emil")
    assert emil.open(FREE).reason == "acknowledge"
    assert emil.open("https://www.linkedin.com/feed/").reason == "acknowledge"
    assert emil.open("https://www.linkedin.com/learning/python").status == 200
    assert (
        emil.client.get(
            "https://work.example/", source=FRONT_PROXY, user="emil", trust=strict.origins.ca_file
        ).status
        == 200
    )
    emil.confirm()
    free = emil.client.get(FREE, source=FRONT_PROXY, user="emil", trust=strict.origins.ca_file)
    assert free.status == 200  # the site's own certificate: whoever is free is not read


def test_who_has_put_it_off_is_not_read_where_it_is_free(strict: OfficeProxy) -> None:
    """Later: the free platform is relayed, and the other one opens."""
    finn = Reader(strict.client, "finn")
    assert finn.open(FREE).reason == "acknowledge"
    finn.later()
    free = finn.client.get(FREE, source=FRONT_PROXY, user="finn", trust=strict.origins.ca_file)
    assert free.status == 200
    assert finn.open(FACEBOOK).status == 200


def test_a_tunnel_that_is_not_opened(strict: OfficeProxy) -> None:
    """An app in it goes on in the grace time; after it, CONNECT is refused."""
    gina = Reader(strict.client, "gina")
    gina.open(FACEBOOK)
    head = "Proxy-Authorization: Basic Z2luYTo=\r\n"
    assert gina.client.tunnel("chatter.example", source=FRONT_PROXY, headers=head)[0] == 200
    time.sleep(GRACE)
    assert gina.client.tunnel("chatter.example", source=FRONT_PROXY, headers=head)[0] == 403


def test_what_runs_is_ended(strict: OfficeProxy) -> None:
    """A video that begins in the grace time breaks off when it ends, within five seconds."""
    hugo = Reader(strict.client, "hugo")
    assert hugo.open(FACEBOOK).reason == "acknowledge"
    film = hugo.client.start([STREAM], source=FRONT_PROXY, user="hugo", headers=VIDEO)
    until(lambda: film.received() > 0, "the film to begin")
    (reply,) = film.finish()
    assert (reply.status, reply.exit_code != 0) == (200, True)
    assert GRACE - 1 < reply.seconds < GRACE + CUT_WITHIN + SLACK
    until(lambda: len(unread(strict, "hugo")) == 2, "the page and the end in the decision log")


def test_a_websocket_is_ended(strict: OfficeProxy) -> None:
    """So is what a page has opened."""
    ida = Reader(strict.client, "ida")
    ida.open(FACEBOOK)
    with front_websocket(ida.client, "ida") as talk:
        talk.send("hello")
        assert talk.recv(5.0) == "hello"
        with pytest.raises(ConnectionClosed):
            while True:
                talk.recv(GRACE + CUT_WITHIN + SLACK)


def test_devices_are_shown_it_and_never_stopped(strict: OfficeProxy) -> None:
    """Nobody has signed in there: a page once, nothing to confirm, and no end of a grace time; in
    the same way for a desk that has a name and for an address that has none."""
    for source in ("127.0.3.7", "127.0.5.7"):
        shown = strict.client.open(FACEBOOK, source=source)
        assert shown.reason == "acknowledge"
        assert link(shown, "Continue to Facebook") == FACEBOOK
        time.sleep(GRACE + 0.1)
        assert strict.client.open(FACEBOOK, source=source).status == 200
        assert strict.client.get(FACEBOOK, source=source, headers=FETCH).status == 200
        assert "<form" not in strict.client.open(f"{PAGE}/policy", source=source).text


def test_a_rule_that_is_tried_out(strict: OfficeProxy) -> None:
    """It stops nobody; what it would have stopped is in the decision log and counted."""
    otto = Reader(strict.client, "otto")
    before = would(strict)
    assert otto.open(FACEBOOK).status == 200
    [entry] = decisions(strict, "otto")
    assert (entry["reason"], entry["verdict"]) == ("acknowledge", "would_block")
    until(lambda: would(strict) > before, "it to be counted")


def test_it_is_counted_and_in_the_decision_log(strict: OfficeProxy) -> None:
    """Each page and each refusal with the reason, and without where somebody was going."""
    before = counted(strict)
    paula = Reader(strict.client, "paula")
    gate = paula.open(FACEBOOK)
    back = link(gate, "Read and confirm").partition("back=")[2]
    paula.open(f"{PAGE}/policy?back={back}")
    paula.open(f"{PAGE}/policy/done?back={back}")
    [entry] = unread(strict, "paula")
    assert (entry["verdict"], entry["platform"]) == ("block", "facebook")
    assert counted(strict) == before + 1
    files = [path.read_text() for path in (strict.folder / "var" / "decisions").iterdir()]
    for kept in (*files, strict.log):
        assert back[:40] not in kept and "q=1" not in kept


def front_websocket(client: Client, name: str) -> WebSocket:
    """A WebSocket of somebody who signs in at the front proxy."""
    word = base64.b64encode(f"{name}:".encode()).decode()
    status, tunnel = client.tunnel(
        "www.facebook.com", source=FRONT_PROXY, headers=f"Proxy-Authorization: Basic {word}\r\n"
    )
    assert status == 200
    context = ssl.create_default_context(cafile=client.trust)
    return WebSocket("wss://www.facebook.com/ws", tunnel, context)


def decisions(proxy: OfficeProxy, person: str) -> list[dict[str, object]]:
    """What the decision log says of somebody, once it says something."""
    folder = proxy.folder / "var" / "decisions"
    return until(lambda: list(about(folder, person.__eq__)), "the decision log")


def unread(proxy: OfficeProxy, person: str) -> list[dict[str, object]]:
    """Those of them that are about the policy."""
    return [each for each in decisions(proxy, person) if each["reason"] == "acknowledge"]


def counted(proxy: OfficeProxy) -> float:
    """How many requests were refused because of the policy."""
    _, text = proxy.web("/metrics")
    return sum(
        float(line.rsplit(" ", 1)[1])
        for line in text.splitlines()
        if line.startswith("allowance_requests_total{") and 'reason="acknowledge"' in line
    )


def would(proxy: OfficeProxy) -> float:
    """How many requests rules that are tried out would have stopped."""
    return metric(proxy, "allowance_would_block_total")
