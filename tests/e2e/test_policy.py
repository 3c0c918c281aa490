"""The written policy, from the first page to the platform: read, confirm, land; later; a new
version; two workers."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator

import pytest

from tests.e2e.office import FRONT_PROXY, office, policy
from tests.e2e.origins import Origins
from tests.e2e.policy_readers import FACEBOOK, PAGE, Reader, change, fields, link, notice, write
from tests.e2e.process import OfficeProxy
from tests.e2e.waiting import until


@pytest.fixture(scope="module")
def own(origins: Origins, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeProxy]:
    """An office whose staff have to read the policy."""
    proxy = office(tmp_path_factory.mktemp("policy"), origins, policy("10m") + notice())
    write(proxy, "3")
    with proxy:
        yield proxy


def test_read_confirm_and_land(own: OfficeProxy) -> None:
    """The gate, the policy with the reader's own minutes, the box, and then the platform."""
    dora = Reader(own.client, "dora")
    gate = dora.open(FACEBOOK)
    assert (gate.status, gate.reason) == (403, "acknowledge")
    assert "You have 10 minutes a day." in gate.text
    assert "<form" not in gate.text
    page = dora.open(link(gate, "Read and confirm"))
    assert page.status == 200
    assert "<strong>10 minutes a day</strong>" in page.text
    sent = fields(page)
    assert dora.send(f"{PAGE}/policy", **sent, action="confirm").status == 422
    done = dora.send(f"{PAGE}/policy", **sent, action="confirm", read="yes")
    assert done.status == 303
    landed = dora.open(f"{PAGE}{done.headers['location']}")
    assert link(landed, "Continue to Facebook") == FACEBOOK
    assert f'content="0; url={html.escape(FACEBOOK)}"' in landed.text
    assert dora.open(FACEBOOK).status == 200


def test_later(own: OfficeProxy) -> None:
    """Put off until tomorrow: the platform opens, and the page says until when."""
    emil = Reader(own.client, "emil")
    gate = emil.open(FACEBOOK)
    page = emil.open(link(gate, "Later today"))
    assert "You can put it off until" in page.text
    done = emil.send(f"{PAGE}/policy", **fields(page), action="later")
    assert done.status == 303
    assert link(emil.open(f"{PAGE}{done.headers['location']}"), "Continue to Facebook") == FACEBOOK
    assert emil.open(FACEBOOK).status == 200


def test_only_pages_meet_it_in_the_grace_time(own: OfficeProxy) -> None:
    """An app goes on."""
    data = {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors"}
    assert Reader(own.client, "finn").open(FACEBOOK, headers=data).status == 200


def test_a_device_is_shown_it(own: OfficeProxy) -> None:
    """Nobody has signed in there: a page once, a way on, and nothing to confirm."""
    shown = own.client.open(FACEBOOK, source="127.0.3.4")
    assert (shown.status, shown.reason) == (403, "acknowledge")
    assert link(shown, "Continue to Facebook") == FACEBOOK
    page = own.client.open(link(shown, "Read it"), source="127.0.3.4")
    assert "Nobody is signed in here" in page.text or "<form" not in page.text
    assert own.client.open(FACEBOOK, source="127.0.3.4").status == 200


def test_what_cannot_be_confirmed(own: OfficeProxy) -> None:
    """Another version, somebody else's form, another site, a notice that is not theirs: nothing is
    kept, and the answer says what to do."""
    gina, hugo = Reader(own.client, "gina"), Reader(own.client, "hugo")
    sent = fields(gina.open(f"{PAGE}/policy"))
    old = sent | {"digest": "0" * 64}
    assert gina.send(f"{PAGE}/policy", **old, action="confirm", read="yes").status == 409
    assert hugo.send(f"{PAGE}/policy", **sent, action="confirm", read="yes").status == 403
    other = own.client.get(
        f"{PAGE}/policy",
        "-H",
        "Origin: https://evil.example",
        "--data",
        f"token={sent['token']}&notice=social&digest={sent['digest']}&action=confirm&read=yes",
        source=FRONT_PROXY,
        user="gina",
    )
    assert other.status == 403
    wrong = sent | {"notice": "guests"}
    assert gina.send(f"{PAGE}/policy", **wrong, action="confirm", read="yes").status == 409
    assert gina.open(FACEBOOK).reason == "acknowledge"


@pytest.mark.parametrize(
    ("name", "back"),
    [("ida", ""), ("ines", "x"), ("ivan", "https://evil.example/"), ("igor", "A" * 200)],
)
def test_no_open_redirect(own: OfficeProxy, name: str, back: str) -> None:
    """A way back that was not sealed here leads to our own page."""
    reader = Reader(own.client, name)
    asked = reader.open(f"{PAGE}/policy/done?back={back}")  # nothing is done yet
    assert (asked.status, asked.headers["location"].partition("?")[0]) == (303, "/policy")
    sent = fields(reader.open(f"{PAGE}/policy"))
    reader.send(f"{PAGE}/policy", **sent, action="confirm", read="yes")
    done = reader.open(f"{PAGE}/policy/done?back={back}")
    assert done.status == 200
    assert "evil" not in done.text and "http-equiv" not in done.text


def test_the_way_back_is_for_one_person(own: OfficeProxy) -> None:
    """Somebody else's leads nowhere."""
    jana, karl = Reader(own.client, "jana"), Reader(own.client, "karl")
    back = link(jana.open(FACEBOOK), "Read and confirm").partition("back=")[2]
    for reader in (jana, karl):
        sent = fields(reader.open(f"{PAGE}/policy"))
        reader.send(f"{PAGE}/policy", **sent, action="confirm", read="yes")
    assert "Facebook" not in karl.open(f"{PAGE}/policy/done?back={back}").text
    assert "Continue to Facebook" in jana.open(f"{PAGE}/policy/done?back={back}").text


def test_twice(own: OfficeProxy) -> None:
    """Confirming again changes nothing, and says thank you."""
    lena = Reader(own.client, "lena")
    sent = fields(lena.open(f"{PAGE}/policy"))
    for _ in range(2):
        assert lena.send(f"{PAGE}/policy", **sent, action="confirm", read="yes").status == 303
    assert "You have read it" in lena.open(f"{PAGE}/policy").text


def test_a_new_version(own: OfficeProxy) -> None:
    """3.1 asks nobody again, 4 everybody, and says what is new."""
    mara = Reader(own.client, "mara")
    sent = fields(mara.open(f"{PAGE}/policy"))
    mara.send(f"{PAGE}/policy", **sent, action="confirm", read="yes")
    try:
        change(own, "3.1")
        assert mara.open(FACEBOOK).status == 200
        change(own, "4")
        gate = mara.open(FACEBOOK)
        assert gate.reason == "acknowledge"
        assert "You have read version 3." in gate.text
        assert "The part about images." in gate.text
        page = mara.open(f"{PAGE}/policy")
        old = mara.open(f"{PAGE}{link(page, 'Version 3, on')}")
        assert "It is not in force any more." in old.text and "This is text 3." in old.text
        differs = mara.open(f"{PAGE}{link(page, 'Show what has changed')}")
        assert "What has changed from version 3 to version 4" in differs.text
    finally:
        change(own, "3")
    assert mara.open(FACEBOOK).status == 200


def test_an_older_version_than_one_that_was_confirmed(own: OfficeProxy) -> None:
    """Nobody is asked again; the log, the health page and the reload say so, and nothing is
    lost."""
    paul = Reader(own.client, "paul")
    paul.confirm()
    try:
        said = change(own, "2")
        assert 'warning: the written policy "social" is version 2, and 3 has been confirmed' in said
        assert "is version 2" in json.loads(own.web("/readyz")[1])["checks"]["rules"]
        assert own.log.count("the written policy is older than one that was confirmed") == 1
        assert paul.open(FACEBOOK).status == 200
        assert Reader(own.client, "quin").open(FACEBOOK).reason == "acknowledge"
    finally:
        assert "warning" not in change(own, "3")
    assert paul.open(FACEBOOK).status == 200


def test_what_is_kept(own: OfficeProxy) -> None:
    """Person, notice, version, digest, when, by which page; in the export and in the audit."""
    nils = Reader(own.client, "nils")
    nils.open(FACEBOOK)
    sent = fields(nils.open(f"{PAGE}/policy"))
    nils.send(f"{PAGE}/policy", **sent, action="confirm", read="yes")
    exported = own.cli("people", "export", "nils").stdout
    assert f'"digest": "{sent["digest"]}"' in exported
    assert '"page": "policy"' in exported and '"version": "3"' in exported

    def shown() -> list[dict[str, object]]:
        found = json.loads(own.cli("people", "export", "nils").stdout)
        assert isinstance(found, dict)
        return found["notices_shown"]

    [met] = until(shown, "the first meeting is in the ledger")
    assert (met["notice"], met["version"]) == ("social", 3)


def test_nothing_of_the_way_back_is_logged(own: OfficeProxy) -> None:
    """Neither where somebody wanted to go nor the sealed value."""
    olga = Reader(own.client, "olga")
    gate = olga.open(FACEBOOK)
    back = link(gate, "Read and confirm").partition("back=")[2]
    olga.open(f"{PAGE}/policy?back={back}")
    assert back[:40] not in own.log and "groups?q=1" not in own.log
