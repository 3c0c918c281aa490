"""The shipped catalogue: what it catches, what it leaves alone, and that recorded traffic
agrees."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.catalogue import Catalogue, Hit
from proxy_addon.core.hosts import HostTable, normalise
from proxy_addon.core.ruleset import Platform
from proxy_addon.rules.folder import load

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "rules" / "platforms"
RECORDED = ROOT.parent / "shared" / "data" / "real-requests.jsonl.gz"
FILES = sorted(FOLDER.glob("*.yaml"))

TABLE = [
    line
    for line in (Path(__file__).parent / "platforms.txt").read_text().splitlines()
    if line[:1] not in "#"
]


@pytest.fixture(scope="module")
def platforms(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Platform]:
    """The shipped platform files, read by the real loader beside the smallest policy there is."""
    folder = tmp_path_factory.mktemp("rules")
    (folder / "policy.yaml").write_text("version: 1\ntimezone: UTC\nrules: []\n")
    (folder / "platforms").mkdir()
    for file in FILES:
        (folder / "platforms" / file.name).write_bytes(file.read_bytes())
    return load(folder).platforms


@pytest.fixture(scope="module")
def catalogue(platforms: Mapping[str, Platform]) -> Catalogue:
    """The shipped catalogue, compiled."""
    return Catalogue(platforms)


def lookup_text(catalogue: Catalogue, url: str) -> str:
    """What the catalogue says about a URL, in the words of the table."""
    parts = urlsplit(url)
    hit = catalogue.lookup(
        parts.netloc, f"{parts.path}?{parts.query}" if parts.query else parts.path
    )
    if hit is None:
        return "-"
    name = hit.platform if hit.section is None else f"{hit.platform}/{hit.section}"
    return " ".join([name, *kind(hit)])


def kind(hit: Hit) -> Iterator[str]:
    """The words for what is known beyond platform and section."""
    if hit.embed:
        yield "player" if hit.player else "embed"
    if hit.background:
        yield "background"


@pytest.mark.parametrize("line", TABLE)
def test_table(catalogue: Catalogue, line: str) -> None:
    """Each address is told as the table says, and so it is with a capital host, a dot and a
    port."""
    url, _, expected = line.partition(" ")
    assert lookup_text(catalogue, url) == expected.strip()
    parts = urlsplit(url)
    disguised = parts._replace(netloc=f"u:p@{parts.netloc.upper()}.:443").geturl()
    assert lookup_text(catalogue, disguised) == expected.strip()


def test_large_enough(platforms: Mapping[str, Platform]) -> None:
    """The catalogue knows what the office is promised, and the table has a line for each
    platform."""
    promised = {line.split()[1].partition("/")[0] for line in TABLE} - {"-"}
    assert set(platforms) == promised
    assert len(platforms) >= 36
    assert len(TABLE) >= 150


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_file_says_what_it_is(file: Path) -> None:
    """A file holds the one platform it is named after, opens with a comment, and explains each
    section."""
    text = file.read_text()
    entry: dict[str, dict[str, Any]] = yaml.safe_load(text)
    assert list(entry) == [file.stem]
    assert entry[file.stem].get("title")
    opening = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    assert len(opening) > 8
    for section in entry[file.stem].get("sections", {}):
        assert section in opening, (
            f"the comment at the top of {file.name} does not explain {section}"
        )


def patterns(platform: Platform) -> Iterator[str]:
    """All patterns of a platform that name a host (and maybe a path), without the path."""
    for section in platform.sections:
        yield from section.hosts
    for pattern in (*platform.embeds, *platform.players, *platform.background):
        host = pattern.partition("/")[0]
        if host not in ("", "*"):
            yield host


def test_no_dead_patterns(platforms: Mapping[str, Platform], catalogue: Catalogue) -> None:
    """Every host in a section, and in a list of embeds, players or background, is a host of that
    platform."""
    for name, platform in platforms.items():
        for pattern in patterns(platform):
            host = normalise(pattern.removeprefix("=").removeprefix("*.").replace("*", "0"))
            assert catalogue.platform_of(host) == name, f"{name}: {pattern} never fits"


def test_exclusions_are_needed(platforms: Mapping[str, Platform], catalogue: Catalogue) -> None:
    """Every exclusion lies below a host of its platform, and is of no platform afterwards."""
    for name, platform in platforms.items():
        hosts = HostTable([(host, True) for host in platform.hosts])
        for pattern in platform.excludes:
            assert hosts.find(normalise(pattern.removeprefix("="))), (
                f"{name}: {pattern} excludes nothing"
            )
            assert catalogue.platform_of(pattern.removeprefix("=")) is None


def test_one_platform_a_host(platforms: Mapping[str, Platform], catalogue: Catalogue) -> None:
    """Each listed host is its own platform's; only the longest match lets one lie below
    another's."""
    below = set()
    tables = {name: HostTable([(host, True) for host in p.hosts]) for name, p in platforms.items()}
    for name, platform in platforms.items():
        for pattern in platform.hosts:
            host = normalise(pattern.removeprefix("=").replace("*", "0"))
            assert catalogue.platform_of(host) == name
            below |= {
                (name, other)
                for other, table in tables.items()
                if other != name and table.find(host)
            }
    assert below == {
        ("messenger", "facebook"),  # chat-e2ee.facebook.com
        ("instagram", "facebook"),  # instagram*.fbcdn.net
        ("whatsapp", "facebook"),  # whatsapp*.fbcdn.net
        ("lemon8", "tiktok"),  # *lemon8*.tiktokcdn.com
    }


SHARED = (
    "akamaihd.net akamaized.net cloudfront.net googleusercontent.com ggpht.com gstatic.com "
    "googleapis.com google.com amazonaws.com fastly.net cloudflare.net azureedge.net live-video.net "
    "sinaimg.cn qq.com qpic.cn ibyteimg.com ibytedtos.com kakao.com kakaocdn.net naver.jp appspot.com "
    "windows.net akadns.net edgesuite.net doubleclick.net google-analytics.com googletagmanager.com "
    "jsdelivr.net storage.googleapis.com"
)


@pytest.mark.parametrize("host", SHARED.split())
def test_shared_servers_are_left_alone(catalogue: Catalogue, host: str) -> None:
    """Servers that many share are of no platform, nor is just any name below them."""
    assert catalogue.platform_of(host) is None
    assert catalogue.platform_of(f"some-customer.{host}") is None


def test_only_what_cannot_be_decrypted_is_not(platforms: Mapping[str, Platform]) -> None:
    """Platforms are inspected unless their clients make it impossible."""
    assert {name for name, platform in platforms.items() if not platform.inspect} == {"signal"}


@given(glued=st.from_regex(r"[a-z0-9-]{0,6}[a-z0-9]", fullmatch=True), data=st.data())
@settings(max_examples=100)
def test_nothing_glued_on(
    platforms: Mapping[str, Platform], catalogue: Catalogue, glued: str, data: st.DataObject
) -> None:
    """Letters put before a host without a dot make it another host, which belongs to nobody."""
    plain = [
        host
        for p in platforms.values()
        for host in p.hosts
        if host.count(".") == 1 and "*" not in host
    ]
    host = data.draw(st.sampled_from(plain)).removeprefix("=")
    if f"{glued}{host}" not in plain and f"={glued}{host}" not in plain:
        assert catalogue.platform_of(f"{glued}{host}") is None
        assert catalogue.platform_of(f"www.{glued}{host}") is None
    assert catalogue.platform_of(f"{host}.{glued}.example") is None


@pytest.fixture(scope="module")
def recorded() -> list[dict[str, str]]:
    """Requests to platforms that others recorded, where this machine has them."""
    if not RECORDED.is_file():
        pytest.skip(f"no recorded requests at {RECORDED}")
    with gzip.open(RECORDED, "rt") as lines:
        return [json.loads(line) for line in lines]


def test_recorded_hosts(catalogue: Catalogue, recorded: list[dict[str, str]]) -> None:
    """Of the recorded requests to platforms at least 97 % are told as that platform's."""
    rows = [row for row in recorded if row.get("platform")]
    names = {"twitter": "x"}
    wrong = Counter(
        (row["platform"], urlsplit(row["url"]).hostname)
        for row in rows
        if catalogue.platform_of(urlsplit(row["url"]).netloc)
        != names.get(row["platform"], row["platform"])
    )
    assert sum(wrong.values()) <= 0.03 * len(rows), wrong.most_common(10)
    assert set(wrong) == {("youtube", "accounts.youtube.com")}  # sign-in, left alone on purpose


def test_recorded_embeds(catalogue: Catalogue, recorded: list[dict[str, str]], capsys: Any) -> None:
    """Of what platforms load on other people's pages the catalogue alone knows three in four
    requests.

    The rest are pictures, styles and films that the platform's own pages load as well: headers tell
    those.
    """
    rows = [row for row in recorded if row["relation"] == "third"]
    plain = [
        row
        for row in rows
        if catalogue.platform_of(urlsplit(row.get("frame_url") or "").netloc) is None
    ]
    known = sum(" " in lookup_text(catalogue, row["url"]) for row in plain)
    with capsys.disabled():
        print(f" [known as embed or background: {known} of {len(plain)} rows]", end="")
    assert known >= 0.75 * len(plain)


def test_recorded_pages_stay_visits(catalogue: Catalogue, recorded: list[dict[str, str]]) -> None:
    """No page that somebody opened on a platform itself is taken for an embed or for background."""
    pages = [
        row["url"] for row in recorded if row["relation"] == "first" and row["type"] == "document"
    ]
    assert pages
    assert [url for url in pages if " " in lookup_text(catalogue, url)] == ["http://t.co/"]
