"""Readers of recorded traffic: our JSON lines, HAR 1.2, Squid access.log and mitmproxy flow
dumps."""
