"""People who read the written policy, and the files of an office that has one."""

from __future__ import annotations

import html
import re

from tests.e2e.client import Client, Reply
from tests.e2e.office import FRONT_PROXY
from tests.e2e.process import OfficeProxy

FACEBOOK = "https://www.facebook.com/groups?q=1"
PAGE = "http://allowance.internal"
TEXT = """\
---
version: {version}
owner: the people office
contact: ext. 120
summary: ["You have {{{{ allowance.short }}}}."]
changes: The part about images.
---
# Social media at work
## Purpose
You have **{{{{ allowance.short }}}}**. This is text {version}.
## Who is responsible
## What may and may not be said
## When to escalate
**ext. 120**
## Talking with the public
## Disclaimer
> My own view.
## Images and video
## Data protection and confidentiality
"""


def notice(grace: str = "3d") -> str:
    """The lines of the policy file."""
    return f"notice: {{file: notices/social.md, grace: {grace}}}\noffice: {{name: Example Ltd}}\n"


def write(proxy: OfficeProxy, version: str) -> None:
    """The written policy, in a version."""
    (proxy.rules / "notices").mkdir(parents=True, exist_ok=True)
    (proxy.rules / "notices" / "social.md").write_text(TEXT.format(version=version))


def change(proxy: OfficeProxy, version: str) -> str:
    """Put another version into force; what the command says."""
    write(proxy, version)
    answer = proxy.cli("rules", "reload", "--web", f"127.0.0.1:{proxy.web_port}")
    assert answer.returncode == 0, answer.stderr
    return answer.stdout + answer.stderr


class Reader:
    """Somebody with a browser, who signs in: at a front proxy with a name alone, or from `source`
    with `name:password`."""

    def __init__(self, client: Client, name: str, source: str = FRONT_PROXY) -> None:
        self.client, self.name, self.source = client, name, source

    def at(self, client: Client, source: str = "") -> Reader:
        """The same person at another proxy or desk."""
        return Reader(client, self.name, source or self.source)

    def open(self, url: str, **more: object) -> Reply:
        """Open a page."""
        return self.client.open(url, source=self.source, user=self.name, **more)

    def get(self, url: str, headers: dict[str, str], *args: str) -> Reply:
        """Ask for something that is no page."""
        return self.client.get(url, *args, source=self.source, user=self.name, headers=headers)

    def send(self, url: str, **fields: str) -> Reply:
        """Send a form of our own page."""
        data = "&".join(f"{key}={value}" for key, value in fields.items())
        return self.client.get(
            url, "-H", f"Origin: {PAGE}", "--data", data, source=self.source, user=self.name
        )

    def confirm(self) -> None:
        """Read and confirm."""
        sent = fields(self.open(f"{PAGE}/policy"))
        answer = self.send(f"{PAGE}/policy", **sent, action="confirm", read="yes")
        assert answer.status == 303, answer

    def later(self) -> None:
        """Put it off."""
        sent = fields(self.open(f"{PAGE}/policy"))
        answer = self.send(f"{PAGE}/policy", **sent, action="later")
        assert answer.status == 303, answer


def link(reply: Reply, words: str) -> str:
    """Where a link with these words leads."""
    for href, text in re.findall(r'<a [^>]*href="([^"]+)"[^>]*>(.*?)</a>', reply.text, re.S):
        if words in text:
            return html.unescape(href)
    raise AssertionError(f"no link {words!r} in {reply.text}")


def fields(reply: Reply) -> dict[str, str]:
    """The hidden fields of the form."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', reply.text)
    return {name: html.unescape(value) for name, value in found}
