"""Tests that administrators write for their rules (`rules/tests/*.yaml`), run on a virtual
clock."""
