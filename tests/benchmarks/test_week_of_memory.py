"""The verdict of week_of_memory.py, and a trial of it."""

from __future__ import annotations

import pytest

from tests.benchmarks.load.site import nginx
from tests.benchmarks.week_of_memory import main, verdict


def test_a_flat_line_is_told_from_one_that_grows() -> None:
    """What is reached in the second quarter may be exceeded by a twentieth in the last."""
    warm = [150.0, 180.0, 200.0, 204.0]
    assert verdict([*warm, *[205.0, 207.0, 206.0, 208.0] * 3])[1]
    assert not verdict([*warm, *(205.0 + step for step in range(0, 24, 2))])[1]
    text, is_flat = verdict([100.0] * 8 + [120.0] * 8)
    assert (text.split(":")[0], is_flat) == ("GROWS", False)


@pytest.mark.long
@pytest.mark.skipif(nginx() is None, reason="nginx is missing")
def test_a_trial(capsys: pytest.CaptureFixture[str]) -> None:
    """A minute with six people: the proxy answers, and its size is printed."""
    assert main(["--minutes", "1", "--people", "6"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("minute   1")
    assert int(lines[1].split()[4]) > 10  # requests
