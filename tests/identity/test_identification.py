"""Twin of proxy_addon/identity/identification.py: sign-in, device map, front proxy, nobody; in that
order."""

from __future__ import annotations

import asyncio
import base64
from ipaddress import ip_network
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.config.settings import Settings
from proxy_addon.core.ruleset import People, RuleSet
from proxy_addon.identity.identification import Identifier, Identity
from proxy_addon.identity.passwords import PasswordFile
from tests.virtual_clock import VirtualClock

START = 1_793_610_000.0
NOBODY = Identity("ip:10.0.0.1", False, "none", ("guest",))


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def rule_set(
    devices: dict[str, tuple[str | None, str | None]] | None = None, unidentified="guest"
) -> RuleSet:
    networks = [(ip_network(text), *who) for text, who in (devices or {}).items()]
    networks.sort(key=lambda each: -each[0].prefixlen)
    return RuleSet(
        zone=ZoneInfo("UTC"),
        day_starts=0,
        week_starts=0,
        platforms={},
        groups={},
        allowances={},
        rules=(),
        people=People("staff", {"staff": ()}, tuple(networks)),
        unidentified_role=unidentified,
    )


@pytest.fixture
def passwords(tmp_path) -> PasswordFile:
    file = PasswordFile(tmp_path / "passwords")
    file.add("Dora", "pass:word")
    return file


@pytest.fixture
def identifier(passwords):
    """Makes identifiers, and closes them at the end."""
    made: list[Identifier] = []

    def make(
        rules: RuleSet | None = None, *, file: PasswordFile | None = passwords, **settings: object
    ) -> Identifier:
        rules = rules or rule_set()
        made.append(Identifier(lambda: rules, file, Settings(**settings), VirtualClock(START)))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.mark.parametrize("mode", ["auto", "required", "optional"])
async def test_right_credentials(identifier, mode):
    """Whoever signs in is that person, from memory at the second time, whatever the capitals."""
    who = identifier(sign_in=mode)
    header = basic("DORA", "pass:word")
    assert who.identify_now("10.0.0.1", header, None) is None
    assert await who.identify("10.0.0.1", header, None) == Identity("dora", True, "sign-in")
    assert who.identify_now("10.0.0.1", header, None) == Identity("dora", True, "sign-in")


@pytest.mark.parametrize("mode", ["auto", "required", "optional"])
@pytest.mark.parametrize(
    "header", [basic("dora", "wrong"), basic("eve", "pass:word"), "Basic !!!", "Basic "]
)
async def test_wrong_credentials_are_asked_for_again(identifier, mode, header):
    """A wrong password, an unknown user and broken credentials lead to the question again, in every
    mode."""
    assert await identifier(sign_in=mode).identify("10.0.0.1", header, None) == NOBODY._replace(
        challenge=True
    )


@pytest.mark.parametrize(
    ("mode", "challenge"), [("auto", True), ("required", True), ("optional", False), ("off", False)]
)
def test_without_credentials(identifier, mode, challenge):
    """Sign-in is asked for where it is required, or left to us and somebody can sign in; otherwise
    not."""
    assert identifier(sign_in=mode).identify_now("10.0.0.1", None, None) == NOBODY._replace(
        challenge=challenge
    )


def test_other_schemes_are_no_credentials(identifier):
    """A scheme that we did not ask for is as good as none."""
    assert identifier(sign_in="optional").identify_now("10.0.0.1", "Negotiate abc", None) == NOBODY
    required = identifier(sign_in="required").identify_now("10.0.0.1", "Negotiate abc", None)
    assert required == NOBODY._replace(challenge=True)


def test_auto_with_nobody_to_sign_in(identifier, tmp_path):
    """With an empty password file, or none, `auto` asks nobody for credentials and looks at
    none."""
    for file in (PasswordFile(tmp_path / "empty"), None):
        assert (
            identifier(file=file).identify_now("10.0.0.1", basic("dora", "pass:word"), None)
            == NOBODY
        )


def test_required_without_a_file(identifier):
    """`required` with nobody who could sign in asks all the same: the office is closed, not
    open."""
    who = identifier(file=None, sign_in="required")
    assert who.identify_now("10.0.0.1", None, None) == NOBODY._replace(challenge=True)
    assert who.identify_now("10.0.0.1", basic("dora", "x"), None) == NOBODY._replace(challenge=True)


def test_off_ignores_credentials(identifier):
    """With sign-in off, credentials mean nothing."""
    assert (
        identifier(sign_in="off").identify_now("10.0.0.1", basic("dora", "pass:word"), None)
        == NOBODY
    )


DEVICES = {
    "10.0.7.21/32": ("Reception", None),
    "10.0.7.0/24": ("floor7", "quiet"),
    "10.0.0.0/8": (None, "guest"),
    "fd00::/8": ("lab", None),
}


@pytest.mark.parametrize(
    ("ip", "expected"),
    [
        ("10.0.7.21", Identity("reception", True, "device")),
        ("::ffff:10.0.7.21", Identity("reception", True, "device")),
        ("10.0.7.22", Identity("floor7", True, "device", ("quiet",))),
        ("10.9.9.9", Identity("ip:10.9.9.9", False, "device", ("guest",))),
        ("fd00::5%eth0", Identity("lab", True, "device")),
        ("192.168.0.1", Identity("ip:192.168.0.1", False, "none", ("guest",), challenge=True)),
        ("2001:DB8:0::1", Identity("ip:2001:db8::1", False, "none", ("guest",), challenge=True)),
        ("", Identity("ip:unknown", False, "none", ("guest",), challenge=True)),
    ],
)
def test_devices(identifier, ip, expected):
    """The most specific network around an address says who sits there, and nobody there has to sign
    in."""
    assert identifier(rule_set(DEVICES)).identify_now(ip, None, None) == expected


async def test_sign_in_wins_over_device(identifier):
    """On a shared device, who signs in is who they say, and who fails is asked again."""
    who = identifier(rule_set(DEVICES))
    assert (await who.identify("10.0.7.21", basic("dora", "pass:word"), None)).name == "dora"
    failed = await who.identify("10.0.7.21", basic("dora", "wrong"), None)
    assert failed == Identity("ip:10.0.7.21", False, "none", ("guest",), challenge=True)


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)), max_size=20),
    st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=5),
)
def test_device_index_agrees_with_a_plain_search(entries, addresses):
    """The index by prefix length finds what a search through all networks, longest first, finds."""
    devices = {
        str(ip_network((number, length), strict=False)): (f"d{index}", None)
        for index, (number, length) in enumerate(entries)
    }
    rules = rule_set(devices)
    who = Identifier(lambda: rules, None, Settings(), VirtualClock(START))
    for number in [*addresses, *(number for number, _ in entries)]:
        address = ip_network(number).network_address
        plain = next((user for net, user, _ in rules.people.devices if address in net), None)
        found = who.identify_now(str(address), None, None)
        assert found is not None
        assert found.name == (plain or f"ip:{address}")


def test_rules_may_change(passwords):
    """A reload of the rules is in force at the next question."""
    current = [rule_set(DEVICES)]
    who = Identifier(lambda: current[0], passwords, Settings(sign_in="off"), VirtualClock(START))
    assert who.identify_now("10.0.7.21", None, None) == Identity("reception", True, "device")
    current[0] = rule_set(unidentified=None)
    assert who.identify_now("10.0.7.21", None, None) == Identity(
        "ip:10.0.7.21", False, "none", refused=True
    )
    who.close()


FRONT = {"front_proxies": ["10.0.0.9", "fd00:1::/64"]}


@pytest.mark.parametrize(
    ("ip", "authorization", "forwarded", "expected"),
    [
        ("10.0.0.9", basic("Dora", "whatever"), None, Identity("dora", True, "front-proxy")),
        ("10.0.0.9", None, "Zoë", Identity("zoë", True, "front-proxy")),
        ("::ffff:10.0.0.9", None, "bob", Identity("bob", True, "front-proxy")),
        ("fd00:1::7", None, "bob", Identity("bob", True, "front-proxy")),
        ("10.0.0.9", basic("dora", ""), "bob", Identity("dora", True, "front-proxy")),
        ("10.0.0.9", "Negotiate abc", "bob", Identity("bob", True, "front-proxy")),
        ("10.0.0.9", None, None, Identity("ip:10.0.0.9", False, "none", ("guest",))),
        ("10.0.0.9", None, "ip:10.0.7.21", Identity("ip:10.0.0.9", False, "none", ("guest",))),
        ("10.0.0.9", None, "a\nb", Identity("ip:10.0.0.9", False, "none", ("guest",))),
        (
            "10.0.0.8",
            None,
            "bob",
            Identity("ip:10.0.0.8", False, "none", ("guest",), challenge=True),
        ),
        (
            "fd00:2::7",
            None,
            "bob",
            Identity("ip:fd00:2::7", False, "none", ("guest",), challenge=True),
        ),
    ],
)
def test_front_proxy(identifier, ip, authorization, forwarded, expected):
    """A listed front proxy says who asks, in either way; from anyone else that header means
    nothing."""
    assert identifier(**FRONT).identify_now(ip, authorization, forwarded) == expected


async def test_no_front_proxy_unless_listed(identifier):
    """Without a list nobody is trusted, loopback neither."""
    who = await identifier().identify("127.0.0.1", basic("dora", "made up"), "bob")
    assert (who.name, who.challenge) == ("ip:127.0.0.1", True)


def test_headers_to_strip(identifier):
    """What must never reach a site: the credentials, and the header of the front proxy, whatever
    its name."""
    assert identifier().strip_headers == ("Proxy-Authorization", "X-Forwarded-User")
    assert identifier(front_proxy_header="X-Staff").strip_headers == (
        "Proxy-Authorization",
        "X-Staff",
    )
    assert identifier(front_proxy_header="").strip_headers == ("Proxy-Authorization",)


def test_unidentified_refused(identifier):
    """`unidentified: refuse` marks those whom nobody could identify, and them only."""
    rules = rule_set(DEVICES, unidentified=None)
    who = identifier(rules, sign_in="off")
    assert who.identify_now("192.168.0.1", None, None) == Identity(
        "ip:192.168.0.1", False, "none", refused=True
    )
    for ip in ("10.0.7.21", "10.9.9.9"):
        found = who.identify_now(ip, None, None)
        assert found is not None
        assert not found.refused


async def test_many_at_once_do_not_mix(identifier, passwords):
    """Different people who sign in at the same moment each get their own name."""
    names = [f"person{number}" for number in range(8)]
    for name in names:
        passwords.add(name, f"password of {name}")
    who = identifier()
    found = await asyncio.gather(
        *(
            who.identify("10.0.0.1", basic(name, f"password of {name}"), None)
            for name in names
            for _ in range(3)
        )
    )
    assert [each.name for each in found] == [name for name in names for _ in range(3)]


def test_who_sits_at_an_address_is_asked_again(identifier):
    """After a change of rules a device has another user; what was signed in to stays."""
    rules = rule_set({"10.0.7.21": ("reception", None)})
    who = identifier(sign_in="off")
    before = identifier(rules, sign_in="off").identify_now("10.0.7.21", None, None)
    assert before == Identity("reception", True, "device")
    assert who.again(before, "10.0.7.21") == Identity("ip:10.0.7.21", False, "none", ("guest",))
    asked = before._replace(challenge=True)
    assert who.again(asked, "10.0.7.21").challenge
    for how in ("sign-in", "front-proxy"):
        signed = Identity("dora", True, how)
        assert who.again(signed, "10.0.7.21") is signed


def test_devices_can_be_prepared(identifier):
    """What was built away from the event loop is used when its rules come into force, and only
    then."""
    rules, other = (
        rule_set({"10.0.7.21": ("reception", None)}),
        rule_set({"10.0.7.21": ("zoe", None)}),
    )
    who = identifier(rules, sign_in="off")
    who.prepare(other.people)
    assert who.identify_now("10.0.7.21", None, None).name == "reception"
    who.prepare(rules.people)
    assert who.identify_now("10.0.7.21", None, None).name == "reception"


@pytest.mark.parametrize(
    ("how", "identified", "signed_in"),
    [
        ("sign-in", True, True),
        ("front-proxy", True, True),
        ("device", True, False),
        ("none", False, False),
    ],
)
def test_an_address_is_no_sign_in(how: str, identified: bool, signed_in: bool) -> None:
    """Only a password or a trusted front proxy says that a person is signed in."""
    assert Identity("ana", identified, how).signed_in is signed_in
