"""Fixtures of the tests of layers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.origins import Origins
from tests.proxy.odd_office import OddOffice


@pytest.fixture(scope="module")
def odd_office(tmp_path_factory: pytest.TempPathFactory, origins: Origins) -> Iterator[OddOffice]:
    """A proxy between odd clients and odd sites, for all tests of a module."""
    with OddOffice(tmp_path_factory.mktemp("odd"), origins) as made:
        yield made


@pytest.fixture
def office(odd_office: OddOffice) -> Iterator[OddOffice]:
    """The same; nothing has crashed after each test, and no site remembers anything."""
    odd_office.failures()
    for site in (odd_office.plain, odd_office.one, odd_office.two):
        site.seen.clear()
        site.scripts.clear()
    yield odd_office
    assert odd_office.failures() == []
