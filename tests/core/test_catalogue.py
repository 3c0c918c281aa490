"""The catalogue, compiled: hosts, exclusions, sections, embeds and background by host and path."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.catalogue import Catalogue, Hit, normalise_path
from proxy_addon.core.ruleset import Platform, Section

FACES = Platform(
    name="faces",
    title="Faces",
    hosts=("faces.com", "=fc.me", "cdn.net"),
    excludes=("dev.faces.com", "=jobs.faces.com", "pics*.cdn.net"),
    sections=(
        Section("work", hosts=("work.faces.com",), paths=("/office/*", "/jobs/*")),
        Section("posting", paths=("/jobs/post/*",)),
        Section("share", paths=("/share?*url=*",)),
        Section("ads", paths=("ads*.faces.com/manage*",)),
    ),
    embeds=(
        "badge.faces.com",
        "=fc.me",
        "/plugins/*",
        "/v*/plugins/*.php",
        "www.faces.com/tr",
        "=fc.me/x",
    ),
    players=("/plugins/film*", "film.faces.com"),
    background=("*/realtime/*", "/log*", "*.ping", "poll*.faces.com", "=api.faces.com/v*/beat"),
)
PICS = Platform(
    name="pics", title="Pics", hosts=("pics.com", "pics*.cdn.net", "inner.dev.faces.com")
)
BOTH = Catalogue({"faces": FACES, "pics": PICS})


@pytest.mark.parametrize(
    ("host", "platform"),
    [
        ("faces.com", "faces"),
        ("www.faces.com", "faces"),
        ("WWW.Faces.com.:443", "faces"),
        ("fc.me", "faces"),
        ("a.fc.me", None),
        ("dev.faces.com", None),
        ("a.dev.faces.com", None),
        ("inner.dev.faces.com", "pics"),
        ("jobs.faces.com", None),
        ("a.jobs.faces.com", "faces"),
        ("cdn.net", "faces"),
        ("s1.cdn.net", "faces"),
        ("pics1.cdn.net", "pics"),
        ("pics.com", "pics"),
        ("notfaces.com", None),
        ("faces.com.example", None),
        ("", None),
        ("[::1]", None),
        ("10.0.0.1", None),
    ],
)
def test_platform_of(host: str, platform: str | None) -> None:
    """The longest match tells the platform, and an exclusion counts as a match of none."""
    assert BOTH.platform_of(host) == platform


def test_exclusion_only_binds_its_own_platform() -> None:
    """What one platform excludes another may own, also under the very same pattern."""
    one = Platform("one", "One", ("a.com",), excludes=("b.a.com",))
    two = Platform("two", "Two", ("b.a.com",))
    assert Catalogue({"one": one, "two": two}).platform_of("c.b.a.com") == "two"
    assert Catalogue({"two": two, "one": one}).platform_of("c.b.a.com") == "two"


def test_exclusion_wins_over_its_own_host() -> None:
    """A name that a platform lists and excludes is excluded."""
    assert (
        Catalogue({"one": Platform("one", "One", ("a.com",), excludes=("a.com",))}).platform_of(
            "a.com"
        )
        is None
    )


@pytest.mark.parametrize(
    ("host", "path", "hit"),
    [
        ("faces.com", "/", Hit("faces")),
        ("faces.com", "", Hit("faces")),
        ("faces.com", "*", Hit("faces")),
        ("other.com", "/office/", None),
        ("work.faces.com", "/", Hit("faces", "work")),
        ("faces.com", "/office", Hit("faces", "work")),
        ("faces.com", "/office/", Hit("faces", "work")),
        ("faces.com", "/office/a/b?c", Hit("faces", "work")),
        ("faces.com", "/office?x=/other", Hit("faces", "work")),
        ("faces.com", "/officeshop", Hit("faces")),
        ("faces.com", "/a/office/b", Hit("faces")),
        ("faces.com", "/feed?next=/office/a", Hit("faces")),
        ("faces.com", "/jobs/1", Hit("faces", "work")),
        ("faces.com", "/jobs/post/1", Hit("faces", "posting")),
        ("work.faces.com", "/jobs/post/1", Hit("faces", "posting")),
        ("faces.com", "/share?url=x", Hit("faces", "share")),
        ("faces.com", "/share?a=1&url=x", Hit("faces", "share")),
        ("faces.com", "/share", Hit("faces")),
        ("faces.com", "/share?a=1", Hit("faces")),
        ("ads.faces.com", "/manage/1", Hit("faces", "ads")),
        ("ads7.faces.com", "/manager", Hit("faces", "ads")),
        ("www.faces.com", "/manage/1", Hit("faces")),
        ("badge.faces.com", "/x", Hit("faces", None, embed=True)),
        ("fc.me", "/abc", Hit("faces", None, embed=True)),
        ("www.faces.com", "/plugins/like.php?href=a", Hit("faces", None, embed=True)),
        ("www.faces.com", "/v2.4/plugins/like.php", Hit("faces", None, embed=True)),
        ("www.faces.com", "/v2.4/plugins/like.js", Hit("faces")),
        ("www.faces.com", "/tr", Hit("faces", None, embed=True)),
        ("www.faces.com", "/tr/?id=1", Hit("faces", None, embed=True)),
        ("www.faces.com", "/trending", Hit("faces")),
        ("m.faces.com", "/tr", Hit("faces")),
        ("www.faces.com", "/a/realtime/b", Hit("faces", None, background=True)),
        ("www.faces.com", "/a/realtime", Hit("faces", None, background=True)),
        ("www.faces.com", "/a/realtimes", Hit("faces")),
        ("www.faces.com", "/logging?x", Hit("faces", None, background=True)),
        ("poll3.faces.com", "/office/", Hit("faces", "work", background=True)),
        ("api.faces.com", "/v1.2/beat", Hit("faces", None, background=True)),
        ("api.faces.com", "/v1.2/beats", Hit("faces")),
        ("m.api.faces.com", "/v1.2/beat", Hit("faces")),
        ("www.faces.com", "/plugins/realtime/x", Hit("faces", None, embed=True, background=True)),
        ("www.faces.com", "/plugins/film.php", Hit("faces", None, embed=True, player=True)),
        ("film.faces.com", "/office/", Hit("faces", "work", embed=True, player=True)),
        ("dev.faces.com", "/plugins/like.php", None),
        ("pics.com", "/plugins/like.php", Hit("pics")),
    ],
)
def test_look(host: str, path: str, hit: Hit | None) -> None:
    """Host, path and both together tell section, embed and background; the query only where asked
    for."""
    assert BOTH.lookup(host, path) == hit


@pytest.mark.parametrize(
    "path",
    [
        "/plugins/like",
        "//plugins/like",
        "/plugins//like",
        "/./plugins/like",
        "/x/../plugins/like",
        "/../plugins/like",
        "/%70lugins/like",
        "/%50LUGINS/like",
        "/PLUGINS/like",
        "/plugins%2flike",
        "/x/%2e%2E/plugins/like",
        "plugins/like",
        "/plugins/./x/..",
        "/plugins/a%3fb",
    ],
)
def test_disguised_paths(path: str) -> None:
    """A path that a server would read as an embed is read as one here."""
    assert BOTH.lookup("faces.com", path) == Hit("faces", None, embed=True)


@pytest.mark.parametrize(
    "path", ["/office/../feed", "/office/%2e%2e/feed", "/office/..%2ffeed", "/office/x/../../feed"]
)
def test_no_way_out_of_a_section(path: str) -> None:
    """Nobody reaches the feed under the name of an exempt section."""
    assert BOTH.lookup("faces.com", path) == Hit("faces")


def test_first_in_file_among_equals() -> None:
    """Of two path patterns of one length the first in the file wins."""
    one = Platform(
        "one", "One", ("a.com",), (Section("b", paths=("/x*",)), Section("c", paths=("/*x",)))
    )
    assert Catalogue({"one": one}).lookup("a.com", "/x") == Hit("one", "b")


def test_most_specific_host_section_wins() -> None:
    """Among sections told by host the longest match wins, whatever the order in the file."""
    one = Platform(
        "one", "One", ("a.com",), (Section("all", ("a.com",)), Section("sub", ("b.a.com",)))
    )
    assert Catalogue({"one": one}).lookup("c.b.a.com", "/") == Hit("one", "sub")


def test_star_anywhere() -> None:
    """A pattern may begin with a star without a slash, and may be a star alone or the front page
    alone."""
    one = Platform("one", "One", ("a.com",), embeds=("*embed*",), background=("/",))
    catalogue = Catalogue({"one": one})
    assert catalogue.lookup("a.com", "/x/my-embed-y") == Hit("one", None, embed=True)
    assert catalogue.lookup("a.com", "/?q") == Hit("one", None, background=True)
    assert catalogue.lookup("a.com", "/a") == Hit("one")


def test_pattern_characters_stand_for_themselves() -> None:
    """Dots, brackets and plus signs in a pattern mean nothing but themselves."""
    one = Platform("one", "One", ("a.com",), embeds=("/a.b+(c)[d]$",))
    catalogue = Catalogue({"one": one})
    assert catalogue.lookup("a.com", "/a.b+(c)[d]$") == Hit("one", None, embed=True)
    assert catalogue.lookup("a.com", "/aXb+(c)[d]$") == Hit("one")


def test_bad_host_pattern_is_named() -> None:
    """A pattern that is none is refused with its text, not ignored."""
    with pytest.raises(ValueError, match=r"a\.\.com"):
        Catalogue({"one": Platform("one", "One", ("a..com",))})


def test_empty_catalogue() -> None:
    """Without platforms nothing is known."""
    assert Catalogue({}).lookup("x.com", "/") is None


def test_long_paths_cost_little() -> None:
    """A pattern with several stars reads a hostile path once, not once for every star."""
    one = Platform("one", "One", ("a.com",), embeds=("*a*b*a*b*c",), background=("*/x/*/x/*/y",))
    catalogue = Catalogue({"one": one})
    assert catalogue.lookup("a.com", "/" + "ab" * 50_000) == Hit("one")
    assert catalogue.lookup("a.com", "/x" * 50_000) == Hit("one")


def test_many_hosts() -> None:
    """More hosts than are remembered are still answered rightly."""
    assert all(BOTH.platform_of(f"h{number}.faces.com") == "faces" for number in range(9000))
    assert BOTH.platform_of("h0.faces.com") == "faces"


@given(st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=100)
def test_never_raises(host: str, path: str) -> None:
    """Whatever is asked gets an answer, and the platform is the same with and without a path."""
    hit = BOTH.lookup(host, path)
    assert (None if hit is None else hit.platform) == BOTH.platform_of(host)
    assert BOTH.lookup("faces.com", path) is not None


@given(st.text(st.sampled_from("aB/.%2f?e"), max_size=30))
@settings(max_examples=100)
def test_tidy_leaves_no_disguise(path: str) -> None:
    """A tidied path begins with a slash and has neither empty nor dotted segments before the
    query."""
    bare = normalise_path(path).partition("?")[0]
    assert bare.startswith("/")
    assert bare == bare.lower()
    assert not {"", ".", ".."} & set(bare[1:].removesuffix("/").split("/")) or bare == "/"


def test_short_and_long_paths_are_answered_alike() -> None:
    """An answer that was kept for a short path is the one that reading it again gives, and a path
    that is too long to be kept is read as well."""
    one = Platform("one", "One", ("a.com",), embeds=("/embed/*",))
    catalogue = Catalogue({"one": one})
    for path in ("/embed/1", "/EMBED//1", "/embed/" + "x" * 500, "/x", "/" + "x" * 500):
        hit = Hit("one", None, embed="embed" in path.lower())
        assert [catalogue.lookup("a.com", path) for _ in range(2)] == [hit, hit]
        assert catalogue.lookup("b.com", path) is None
