"""The site behind all proxies: nginx with a certificate of its own, on loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.e2e.authority import Authority
from tests.e2e.waiting import accepts, free_port, until

LIMITED, FREE = "www.facebook.com", "work.example"
TITLE = "Test origins"  # of the site's own authority: what a client sees in a relayed tunnel
SMALL, LARGE, PAGE = "/small", "/large", "/page.html"
LARGE_BYTES = 50_000_000

CONFIG = """
worker_processes 1;
worker_rlimit_nofile {descriptors};
pid {folder}/pid;
error_log {folder}/errors error;
daemon off;
events {{ worker_connections {connections}; }}
http {{
    access_log off;
    types {{ text/html html; }}
    default_type application/json;
    sendfile on;
    tcp_nodelay on;
    keepalive_requests 100000000;
    keepalive_timeout 900s;
    http2_max_concurrent_streams 200;
    ssl_session_cache shared:sessions:4m;
    client_body_temp_path {folder};
    proxy_temp_path {folder};
    fastcgi_temp_path {folder};
    uwsgi_temp_path {folder};
    scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port} ssl http2 backlog=4096;
        ssl_certificate {certificate};
        ssl_certificate_key {certificate};
        root {folder}/www;
    }}
}}
"""


class Site(NamedTuple):
    """Where it listens, and the file with the certificate that proxies have to trust."""

    port: int
    ca_file: Path


def nginx() -> str | None:
    """The program; it is often in a folder that only root has on its path."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")


@contextmanager
def running_site(folder: Path, descriptors: int) -> Iterator[Site]:
    """Start nginx; it is ended with the context. `descriptors`: how many it may have open."""
    program = nginx()
    assert program is not None, "nginx is missing"
    authority = Authority(folder / "ca", TITLE)
    pages = folder / "www"
    pages.mkdir()
    (pages / SMALL[1:]).write_text('{"answer": "' + "x" * 2000 + '"}')
    (pages / PAGE[1:]).write_text(f"<!doctype html><title>A page</title><p>{'x' * 2000}")
    with (pages / LARGE[1:]).open("wb") as file:
        file.truncate(LARGE_BYTES)
    for path in (folder.parent, folder, pages, *pages.iterdir()):
        path.chmod(0o755)  # its worker is somebody else when we are root
    port = free_port()
    text = CONFIG.format(
        folder=folder,
        port=port,
        certificate=authority.leaf_file(LIMITED, FREE),
        descriptors=descriptors,
        connections=max(512, descriptors - 500),
    )
    (folder / "nginx.conf").write_text(text)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, "-p", str(folder), "-c", str(folder / "nginx.conf")], stdout=log, stderr=log
        )
    try:
        until(lambda: process.poll() is not None or accepts(port), "nginx to listen")
        assert process.poll() is None, (folder / "log").read_text()
        yield Site(port, authority.ca_file)
    finally:
        process.terminate()
        process.wait(10)
