"""The same add-on for people who bring their own mitmproxy:
`mitmdump -s proxy_addon/proxy/script.py`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.client import Client, fresh_address
from tests.e2e.office import FRONT_PROXY, office, policy, spend_all
from tests.e2e.origins import Origins
from tests.e2e.policy_readers import FACEBOOK, Reader, link, notice, write
from tests.e2e.process import ROOT, Mitmdump

SCRIPT = ROOT / "proxy_addon" / "proxy" / "script.py"


@pytest.fixture(scope="module")
def bare(origins: Origins, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mitmdump]:
    """A plain mitmdump with our script; its settings come from the environment."""
    free = "rules:\n  - {name: Always free, users: [reception], platforms: [x], then: allow}\n"
    rules = policy().replace("rules:\n", free, 1)
    like = office(tmp_path_factory.mktemp("bare-rules"), origins, rules)
    variables = {f"ALLOWANCE_{name.upper()}": value for name, value in like.shared.items()}
    variables["ALLOWANCE_RESOLVE"] = ",".join(like.resolve)
    variables["ALLOWANCE_UPSTREAM_CA"] = str(origins.ca_file)
    with Mitmdump(tmp_path_factory.mktemp("bare"), origins, SCRIPT, variables=variables) as proxy:
        yield proxy


@pytest.fixture
def plain_client(bare: Mitmdump) -> Client:
    """Clients of the plain mitmdump."""
    return bare.client


def test_blocks(plain_client: Client, origins: Origins) -> None:
    """A blocked platform is answered by us and never contacted."""
    before = len(origins.record.to("www.tiktok.com"))
    reply = plain_client.open("https://www.tiktok.com/")
    assert (reply.status, reply.reason) == (403, "blocked")
    assert len(origins.record.to("www.tiktok.com")) == before


@pytest.mark.parametrize("http2", [False, True])
def test_passes(plain_client: Client, origins: Origins, http2: bool) -> None:
    """An unlimited host is not decrypted here either."""
    assert (
        plain_client.get("https://work.example/", http2=http2, trust=origins.ca_file).status == 200
    )


def test_whoever_is_free_is_not_read(plain_client: Client, origins: Origins) -> None:
    """mitmproxy's relay makes the same choice: the site's own certificate for who is free, ours for
    whose time is charged."""
    free, url = "127.0.2.1", "https://x.com/"
    assert plain_client.get(url, source=free, trust=origins.ca_file).status == 200
    charged = fresh_address()
    assert plain_client.get(url, source=charged, trust=origins.ca_file).exit_code == 60
    assert plain_client.get(url, source=charged).status == 200
    assert plain_client.get("https://www.facebook.com/", source=free).status == 200


def test_spends_and_runs_out(plain_client: Client) -> None:
    """A limited platform spends until there is nothing left."""
    source = fresh_address()
    assert plain_client.open("https://www.facebook.com/", source=source).status == 200
    assert spend_all(plain_client, source=source).reason == "exhausted"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_page_has_no_stream_here(plain_client: Client, scheme: str) -> None:
    """mitmproxy keeps an answer until it is whole: 501 at once, and the page asks now and then."""
    reply = plain_client.get(f"{scheme}://allowance.internal/me/events", timeout=10.0)
    assert reply.status == 501
    assert plain_client.get(f"{scheme}://allowance.internal/me.json").status == 200


def test_the_written_policy(origins: Origins, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Here as well it stands before the first page, is confirmed, and is known after a restart."""
    like = office(tmp_path_factory.mktemp("policy-rules"), origins, policy("10m") + notice())
    write(like, "3")
    variables = {f"ALLOWANCE_{name.upper()}": value for name, value in like.shared.items()}
    variables["ALLOWANCE_RESOLVE"] = ",".join(like.resolve)
    variables["ALLOWANCE_UPSTREAM_CA"] = str(origins.ca_file)
    variables["ALLOWANCE_FRONT_PROXIES"] = f"{FRONT_PROXY}/32"
    folder = tmp_path_factory.mktemp("policy-bare")
    with Mitmdump(folder, origins, SCRIPT, variables=variables) as proxy:
        dora = Reader(proxy.client, "dora")
        gate = dora.open(FACEBOOK)
        assert gate.reason == "acknowledge"
        assert dora.open(link(gate, "Read and confirm")).status == 200
        dora.confirm()
        assert dora.open(FACEBOOK).status == 200
        proxy.stop()
        proxy.restart()
        assert dora.open(FACEBOOK).status == 200
        assert Reader(proxy.client, "emil").open(FACEBOOK).reason == "acknowledge"


def test_stops(bare: Mitmdump) -> None:
    """SIGTERM ends it without a traceback."""
    code, _ = bare.stop()
    assert code == 0
    assert "Traceback" not in bare.log
    bare.restart()
