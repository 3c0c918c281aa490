"""The short form of tests/fuzz/fuzz_light_path.py: mitmproxy, h11 and OpenSSL find no name that the
light path would overlook."""

from __future__ import annotations

import pytest

from proxy_addon.relay.greetings import Greeting, GreetingKind
from tests.fuzz import fuzz_light_path
from tests.relay.hellos import client_hello


@pytest.mark.parametrize("seed", [11, 12])
def test_no_disagreement(seed: int) -> None:
    """Some thousand changed ClientHellos, requests and heads of CONNECT, of which many are passed
    on, and many are not."""
    became = fuzz_light_path.run(2_400, seed)
    assert all(counts["passed on"] > 50 for counts in became.values())
    assert became["ClientHello"]["handed over"] > 50
    assert became["CONNECT"]["handed over"] > 50


@pytest.mark.parametrize(
    "data",
    [
        client_hello("www.facebook.com"),
        b"GET / HTTP/1.1\r\nHost: www.facebook.com\r\n\r\n",
    ],
)
def test_a_name_that_is_overlooked_is_noticed(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The campaign can fail: with a reader that finds no name it does."""
    monkeypatch.setattr(fuzz_light_path, "read_greeting", lambda data: Greeting(GreetingKind.OTHER))
    with pytest.raises(fuzz_light_path.Disagreement, match=r"www\.facebook\.com"):
        fuzz_light_path.check_greeting(data)


def test_a_head_that_is_misread_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for heads."""
    head = fuzz_light_path.read_head(fuzz_light_path.CONNECT)
    assert head is not None
    other = head._replace(host="other.example")
    monkeypatch.setattr(fuzz_light_path, "read_head", lambda data: other)
    with pytest.raises(fuzz_light_path.Disagreement, match=r"news\.example"):
        fuzz_light_path.check_head(fuzz_light_path.CONNECT)
