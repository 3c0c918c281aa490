"""ClientHellos as real clients send them, in as many records and packets as one likes."""

from __future__ import annotations

import ssl
from collections.abc import Sequence


def client_hello(name: str | None, alpn: Sequence[str] = ("h2", "http/1.1")) -> bytes:
    """What OpenSSL sends first, in one record."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(list(alpn))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def in_records(hello: bytes, *sizes: int) -> bytes:
    """The same message, split into records after so many bytes each."""
    message, version = hello[5:], hello[1:3]
    parts = []
    for size in sizes:
        parts.append(message[:size])
        message = message[size:]
    parts.append(message)
    return b"".join(b"\x16" + version + len(part).to_bytes(2) + part for part in parts if part)
