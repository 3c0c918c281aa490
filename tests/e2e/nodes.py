"""Two nodes as two machines would be: one database, the same rules, CA and passwords."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.office import office, policy
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy


class Nodes:
    """The nodes `all`, which run."""

    def __init__(self, first: OfficeProxy, second: OfficeProxy) -> None:
        self.all = (first, second)
        self.origins = first.origins
        self.trust = first.client.trust  # their CA and that of the sites

    def add(self, user: str) -> None:
        """Somebody who signs in; `user` is `name:password`."""
        name, _, password = user.partition(":")
        answer = self.all[0].cli("people", "add", name, "--password-stdin", stdin=password)
        assert answer.returncode == 0, answer.stderr


@contextmanager
def nodes[N: Nodes](
    kind: type[N],
    folder: Path,
    origins: Origins,
    url: str,
    limit: float,
    people: str,
    settings: Mapping[str, Any],
    policies: Callable[[OfficeProxy], None] = lambda node: None,
) -> Iterator[N]:
    """Two nodes with a limit of so many seconds. `policies` changes the rules of each before it
    starts."""
    made = [
        office(folder / name, origins, policy(short=f"{limit:g}s"), people, settings)
        for name in ("first", "second")
    ]
    for node in made:
        policies(node)
        node.database = url.replace("postgresql://", "postgresql+psycopg://")
    first, second = made
    second.confdir = first.confdir
    second.flags["passwords"] = first.shared["passwords"]
    with first, second:  # the first one makes the CA and the tables
        yield kind(first, second)
