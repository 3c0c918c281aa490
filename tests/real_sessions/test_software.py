"""The locked software of the recordings, and who is in them."""

from __future__ import annotations

import json
import re

from tests.real_sessions.recorded_session import rules
from tests.real_sessions.recording.cast import CAST
from tests.real_sessions.recording.installation import SOFTWARE
from tests.real_sessions.recording.servers import HOSTS
from tests.real_sessions.small_form import OURS


def test_packages_are_locked_by_content_and_name_no_address() -> None:
    """A version cannot become another one, and where it comes from is the machine's choice."""
    packages = json.loads((SOFTWARE / "npm" / "package-lock.json").read_text("utf-8"))["packages"]
    fetched = {name: each for name, each in packages.items() if name and not each.get("link")}
    parts = {each["resolved"] for each in packages.values() if each.get("link")}  # of a package
    assert [n for n in fetched.keys() - parts if "integrity" not in fetched[n]] == []
    for path in (SOFTWARE / "npm" / "package-lock.json", SOFTWARE / "requirements.lock"):
        assert not re.search(r"https?://", path.read_text("utf-8")), path
    lines = (SOFTWARE / "requirements.lock").read_text("utf-8").splitlines()
    assert all(
        re.match(r"[\w.-]+==\S+ \\$|    --hash=sha256:\w{64}( \\)?$", each) for each in lines
    )


def test_the_proxy_knows_everybody_by_their_address() -> None:
    """Each person has an address of their own, and the rules say the same."""
    known = {str(network.network_address): user for network, user, _ in rules().people.devices}
    assert known == {member.address: member.name for member in CAST}


def test_the_cast_is_as_wide_as_promised() -> None:
    """At least ten kinds of software in four families."""
    assert len({member.software for member in CAST}) >= 10
    assert {member.family for member in CAST} == {"feed", "video", "chat", "forum"}


def test_every_host_is_limited_and_kept() -> None:
    """What is not limited would pass through unseen, and what does not end in .test is left out."""
    limited = [host for platform in rules().platforms.values() for host in platform.hosts]
    assert all(host.endswith(OURS) for host in HOSTS)
    assert [
        h for h in HOSTS if not any(h == each or h.endswith(f".{each}") for each in limited)
    ] == []
