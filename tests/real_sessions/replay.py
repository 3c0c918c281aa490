"""What today's meter charges in recorded sessions: `python -m tests.real_sessions.replay`.

Arguments are the `NAME.json` of sessions, with the trace beside each; without any, all that the
repository keeps.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.real_sessions.recorded_session import charge, load, recorded
from tests.real_sessions.scoring import PersonScore, score
from tests.real_sessions.table import lines


def replay(notes: Sequence[Path]) -> list[PersonScore]:
    """Charge each session and compare."""
    sessions = [load(path) for path in notes]
    return [each for session in sessions for each in score(session, charge([session.trace]))]


if __name__ == "__main__":
    print("\n".join(lines(replay([Path(name) for name in sys.argv[1:]] or recorded()))))
