"""Judges of the meter that nobody made for it: software that others wrote, in a real browser, with
known attention."""
