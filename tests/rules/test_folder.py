"""The rules folder, as disks and people leave it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.catalogue import Catalogue
from proxy_addon.core.rules.problems import Code, RuleErrors
from proxy_addon.core.ruleset import Allowance, Limit, Override, Period, Rule, Then, When
from proxy_addon.core.types import Target
from proxy_addon.rules import folder as rules_folder

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "rules"
POLICY = "version: 1\ntimezone: Europe/London\n"
# The example of the design, to the letter.
SAMPLE = """\
version: 1
timezone: Europe/London        # IANA name; where "today" begins
day_starts: "00:00"            # "04:00" for night shifts
week_starts: monday

platform_groups:
  social: [facebook, instagram, threads, x, linkedin, tiktok, reddit, pinterest, snapchat]
  video: [youtube, twitch]

allowances:
  daily-social:
    limit: 15m per day
    warn_at: 2m
    carry_over: 0m
    overrides:
      - {users: [bob], limit: 30m per day}
      - {roles: [care], limit: 45m per day}

rules:
  - name: Marketing runs our channels
    roles: [marketing]
    platforms: [facebook, instagram, x, linkedin, youtube]
    then: allow
  - name: Learning is work
    platforms: [linkedin/learning, youtube/studio]
    then: allow
  - name: Lunch is yours
    platforms: [social, video]
    when: {days: mon-fri, between: "12:00-13:30"}
    then: allow
  - name: Not on our network
    roles: [staff]
    platforms: [tiktok]
    then: block
    message: TikTok is not available on office devices.
  - name: Fifteen minutes a day
    platforms: [social, video]
    then: {spend: daily-social}

otherwise: allow
unidentified: {role: guest}
on_failure: last-known
metering: {}
retention: 90d
"""
PEOPLE = """\
default_role: staff
roles:
  staff: {}
  marketing: {members: [maria, "*@brand.example"]}
  care: {members: [carl, cora]}
  admin: {members: [ada]}
devices:
  10.0.7.21: reception
  10.0.8.0/24: {role: guest}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`rules` in the current folder, with the least policy."""
    monkeypatch.chdir(tmp_path)
    Path("rules/platforms").mkdir(parents=True)
    Path("rules/policy.yaml").write_text(POLICY)
    return Path("rules")


def reported(folder: Path) -> list[str]:
    """`file: code` of everything wrong; loading agrees."""
    problems = rules_folder.check(folder)
    if any(problem.severity == "error" for problem in problems):
        with pytest.raises(RuleErrors):
            rules_folder.load(folder)
    else:
        rules_folder.load(folder)
    return [f"{problem.file}: {problem.code}" for problem in problems]


def test_the_sample_of_the_design(folder: Path) -> None:
    """The rule files that people are shown give exactly this."""
    (folder / "policy.yaml").write_text(SAMPLE)
    (folder / "people.yaml").write_text(PEOPLE)
    for file in (SHIPPED / "platforms").glob("*.yaml"):
        (folder / "platforms" / file.name).write_bytes(file.read_bytes())
    rules = rules_folder.load(folder)
    social = (
        "facebook",
        "instagram",
        "threads",
        "x",
        "linkedin",
        "tiktok",
        "reddit",
        "pinterest",
        "snapchat",
    )
    all_of_both = frozenset(Target(platform) for platform in (*social, "youtube", "twitch"))
    assert rules.groups == {"social": social, "video": ("youtube", "twitch")}
    assert rules.allowances == {
        "daily-social": Allowance(
            "daily-social",
            (Limit(900, Period.DAY),),
            120,
            0,
            (
                Override(("bob",), (), (Limit(1800, Period.DAY),)),
                Override((), ("care",), (Limit(2700, Period.DAY),)),
            ),
        )
    }
    lunch = When(days=frozenset(range(5)), between=((43_200, 48_600),))
    assert rules.rules == (
        Rule(
            "Marketing runs our channels",
            Then.ALLOW,
            roles=frozenset({"marketing"}),
            targets=frozenset(map(Target, ("facebook", "instagram", "x", "linkedin", "youtube"))),
        ),
        Rule(
            "Learning is work",
            Then.ALLOW,
            targets=frozenset({Target("linkedin", "learning"), Target("youtube", "studio")}),
        ),
        Rule("Lunch is yours", Then.ALLOW, targets=all_of_both, when=lunch),
        Rule(
            "Not on our network",
            Then.BLOCK,
            roles=frozenset({"staff"}),
            targets=frozenset({Target("tiktok")}),
            message="TikTok is not available on office devices.",
        ),
        Rule("Fifteen minutes a day", Then.SPEND, "daily-social", targets=all_of_both),
    )
    assert rules.limited == {target.platform for target in all_of_both}
    assert dict(rules.people.roles) == {
        "staff": (),
        "marketing": ("maria", "*@brand.example"),
        "care": ("carl", "cora"),
        "admin": ("ada",),
    }
    assert [(str(network), user, role) for network, user, role in rules.people.devices] == [
        ("10.0.7.21/32", "reception", None),
        ("10.0.8.0/24", None, "guest"),
    ]


def test_the_shipped_rules_are_right() -> None:
    """What we ship loads without a word, limits feeds and video, and leaves chat and reading
    alone."""
    assert rules_folder.check(SHIPPED) == []
    rules = rules_folder.load(SHIPPED)
    assert len(rules.platforms) >= 30
    assert {"facebook", "x", "tiktok", "youtube"} <= rules.limited
    assert not {"whatsapp", "telegram", "signal", "medium"} & rules.limited
    last = rules.rules[-1]
    assert (last.name, last.allowance) == ("Fifteen minutes a day", "daily-social")
    grouped = {platform for members in rules.groups.values() for platform in members}
    assert grouped == set(rules.platforms), "every shipped platform is in a group"


def test_the_shipped_rules_compile_into_the_catalogue() -> None:
    """No pattern passes here that the catalogue cannot use."""
    Catalogue(rules_folder.load(SHIPPED).platforms)


@pytest.mark.parametrize("name", ["nowhere", "rules/policy.yaml", "rules/platforms"])
def test_a_folder_that_is_none(folder: Path, name: str) -> None:
    """Missing, a file, or without rule files: one problem, at the folder."""
    problems = rules_folder.check(Path(name))
    assert [(problem.file, problem.line, problem.column) for problem in problems] == [(name, 1, 1)]
    with pytest.raises(RuleErrors):
        rules_folder.load(Path(name))


def test_names_that_cannot_be_folders() -> None:
    """A NUL, or a name that is too long, is refused and not raised."""
    for name in ("a\0b", "x" * 5000):
        with pytest.raises(RuleErrors):
            rules_folder.load(Path(name))


def test_paths_are_reported_as_the_folder_was_given(folder: Path) -> None:
    """Relative, absolute or here: the reader can open what the message names."""
    (folder / "policy.yaml").write_text(POLICY + "oops: 1\n")
    assert reported(folder) == ["rules/policy.yaml: unknown-key"]
    assert reported(folder.absolute()) == [f"{folder.absolute()}/policy.yaml: unknown-key"]
    os.chdir(folder)
    assert reported(Path()) == ["policy.yaml: unknown-key"]


def test_files_of_any_name_count_and_others_do_not(folder: Path) -> None:
    """`*.yaml` is read whatever its name; leftovers of editors and other files are passed over."""
    (folder / "more.yaml").write_text("otherwise: block\n")
    for leftover in (".policy.yaml.swp", ".hidden.yaml", "policy.yaml~", "README.md"):
        (folder / leftover).write_text("oops: 1\n")
    (folder / ".#policy.yaml").symlink_to("somebody@host.1")
    (folder / "tests").mkdir()
    (folder / "tests" / "lunch.yaml").write_text("tests: []\n")
    assert reported(folder) == []
    assert rules_folder.load(folder).otherwise is Then.BLOCK


def test_yml_is_reported_as_a_warning(folder: Path) -> None:
    """A file that looks like rules but is not read is worth a word; the rules still go into
    force."""
    (folder / "people.yml").write_text("default_role: x\n")
    (folder / "platforms" / "own.yml").write_text("")
    assert reported(folder) == [
        "rules/people.yml: ignored-file",
        "rules/platforms/own.yml: ignored-file",
    ]


def test_what_is_no_file(folder: Path) -> None:
    """Folders and pipes with the name of a rule file are told and never opened."""
    (folder / "more.yaml").mkdir()
    os.mkfifo(folder / "pipe.yaml")
    assert reported(folder) == ["rules/more.yaml: not-a-file", "rules/pipe.yaml: not-a-file"]


def test_links_that_leave_the_folder(folder: Path, tmp_path: Path) -> None:
    """Outside is refused, also by a linked folder; circles and loose ends are told."""
    (tmp_path / "outside.yaml").write_text("otherwise: block\n")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "own.yaml").write_text("forum: {hosts: [forum.example]}\n")
    (folder / "a.yaml").symlink_to("../outside.yaml")
    (folder / "b.yaml").symlink_to("b.yaml")
    (folder / "c.yaml").symlink_to("nowhere.yaml")
    (folder / "platforms").rmdir()
    (folder / "platforms").symlink_to("../elsewhere")
    assert reported(folder) == [
        "rules/a.yaml: outside-folder",
        "rules/b.yaml: unreadable-file",
        "rules/c.yaml: unreadable-file",
        "rules/platforms/own.yaml: outside-folder",
    ]


def test_links_inside_the_folder_and_to_it_are_fine(folder: Path, tmp_path: Path) -> None:
    """As a container platform mounts its files: each a link into a folder with a date."""
    (folder / "..2026").mkdir()
    (folder / "policy.yaml").rename(folder / "..2026" / "policy.yaml")
    (folder / "..data").symlink_to("..2026")
    (folder / "policy.yaml").symlink_to("..data/policy.yaml")
    (tmp_path / "link").symlink_to("rules")
    assert reported(folder) == reported(Path("link")) == []


def test_a_large_file_is_refused_before_it_is_parsed(folder: Path) -> None:
    """One mebibyte is read, no more."""
    (folder / "people.yaml").write_text("# " + "x" * 10_000_000)
    assert reported(folder) == ["rules/people.yaml: too-large"]


def test_a_broken_file_hides_no_mistake_of_another(folder: Path) -> None:
    """All problems come at once, and names of the broken file are not doubted."""
    (folder / "policy.yaml").write_text(
        POLICY + "otherwise: maybe\nrules: [{roles: [care], then: allow}]\n"
    )
    (folder / "people.yaml").write_text("roles: [\n")
    assert reported(folder) == ["rules/people.yaml: yaml-syntax", "rules/policy.yaml: bad-choice"]


def test_names_that_no_terminal_should_see(folder: Path) -> None:
    """File names may hold any byte; messages are printable."""
    (folder / "policy.yaml").rename(folder / os.fsdecode(b"p\xff\x1b[31m.yaml"))
    (folder / os.fsdecode(b"q\xff.yaml")).write_text("oops: 1\n")
    for problem in rules_folder.check(folder):
        assert str(problem).isprintable()
        str(problem).encode()


def test_the_digest_tells_contents_and_names_not_the_place(folder: Path, tmp_path: Path) -> None:
    """The same rules elsewhere have the same digest; a moved line or a renamed file has another."""
    first = rules_folder.load(folder).digest
    assert re.fullmatch(r"[0-9a-f]{64}", first)
    folder.rename("moved")
    assert rules_folder.load(tmp_path / "moved").digest == first
    Path("moved/policy.yaml").rename("moved/other.yaml")
    assert rules_folder.load(Path("moved")).digest != first


@given(top=st.text(max_size=200), platform=st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_random_files_never_crash_the_loader(
    tmp_path_factory: pytest.TempPathFactory, top: str, platform: bytes
) -> None:
    """Whatever stands in the files, the answer is a rule set or RuleErrors."""
    folder = tmp_path_factory.mktemp("random")
    (folder / "platforms").mkdir()
    (folder / "policy.yaml").write_bytes(POLICY.encode() + top.encode("utf-8", "surrogatepass"))
    (folder / "platforms" / "x.yaml").write_bytes(platform)
    _loads_or_refuses(folder)


_VALUES = st.recursive(
    st.sampled_from(
        [
            "x",
            "social",
            "15m per day",
            "daily",
            "mon-fri",
            "12:00-13:00",
            "allow",
            "{}",
            "[]",
            "5",
            "",
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=3).map(
            lambda items: "[" + ", ".join(i or "''" for i in items) + "]"
        )
        | st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "then",
                    "spend",
                    "when",
                    "not",
                    "limit",
                    "users",
                    "role",
                    "hosts",
                    "replace",
                ]
            ),
            inner,
            max_size=3,
        ).map(lambda d: "{" + ", ".join(f"{k}: {v}" for k, v in d.items()) + "}")
    ),
    max_leaves=8,
)
_KEYS = [
    "platform_groups",
    "allowances",
    "rules",
    "otherwise",
    "unidentified",
    "on_failure",
    "metering",
    "retention",
]
_KEYS += ["default_role", "roles", "devices", "day_starts", "week_starts"]


@given(top=st.dictionaries(st.sampled_from(_KEYS), _VALUES, max_size=6), platform=_VALUES)
@settings(max_examples=100, deadline=None)
def test_random_values_at_real_keys_never_crash_the_loader(
    tmp_path_factory: pytest.TempPathFactory, top: dict[str, str], platform: str
) -> None:
    """The same with YAML that is right and rules that are not."""
    folder = tmp_path_factory.mktemp("random")
    (folder / "platforms").mkdir()
    (folder / "policy.yaml").write_text(
        POLICY + "".join(f"{key}: {value}\n" for key, value in top.items())
    )
    (folder / "platforms" / "x.yaml").write_text(f"x: {platform}\n")
    _loads_or_refuses(folder)


def _loads_or_refuses(folder: Path) -> None:
    try:
        rules_folder.load(folder)
    except RuleErrors as errors:
        assert errors.problems
        assert all(isinstance(problem.code, Code) for problem in errors.problems)
