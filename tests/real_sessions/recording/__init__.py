"""How a session of real software is recorded: `python -m tests.real_sessions.record`."""
