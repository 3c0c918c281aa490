"""What the servers show: a film, pictures, a forum, a manual and a wiki, all of seeded words."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.real_sessions.recording.installation import SOFTWARE, Installation, prepare
from tests.real_sessions.recording.processes import run

WORDS = [
    "coffee",
    "train",
    "garden",
    "report",
    "meeting",
    "lunch",
    "release",
    "weather",
    "harbour",
    "music",
    "window",
    "paper",
    "planet",
    "river",
    "market",
    "summer",
    "bridge",
    "library",
    "ticket",
    "morning",
    "kitchen",
    "mountain",
    "letter",
    "colour",
    "engine",
]
FILM_SECONDS = 720
PICTURES = 60
PAGES = 36  # of the manual
TIDDLERS = 60
THEN = "run it by hand to see more; remove the folder `prepared` of the cache to begin again"


@dataclass(frozen=True, slots=True)
class Material:
    """The folder of each kind."""

    films: Path
    pictures: Path
    forum: Path
    manual: Path
    wiki: Path


def make(installation: Installation, say: Callable[[str], None]) -> Material:
    """Make what is missing; a film takes a minute, the rest seconds. A maker that was changed is
    run again."""

    def made(name: str, maker: Callable[[Path, Installation], None]) -> Path:
        files = [SOFTWARE / "fill_forum.txt", SOFTWARE / "requirements.lock"]
        text = inspect.getsource(maker) + "".join(path.read_text("utf-8") for path in files)
        made_from = hashlib.sha256(text.encode()).hexdigest()
        return prepare(
            installation, name, made_from, say, lambda folder: maker(folder, installation)
        )

    return Material(
        films=made("films", _films),
        pictures=made("pictures", _pictures),
        forum=made("forum", _forum) / "forum",
        manual=made("manual", _manual) / "site",
        wiki=made("wiki", _wiki),
    )


def _films(folder: Path, _: Installation) -> None:
    """One film of H.264 and AAC, some 700 kbit/s, as a file, in segments of two kinds for HLS, and
    for DASH."""
    seconds = str(FILM_SECONDS)
    picture = f"testsrc2=size=480x270:rate=24:duration={seconds},noise=alls=12:allf=t"
    sound = f"sine=frequency=330:duration={seconds}"
    video = (
        "-c:v libx264 -preset ultrafast -b:v 620k -maxrate 700k -bufsize 1400k -g 48 -keyint_min 48"
    )
    audio = "-c:a aac -b:a 64k -pix_fmt yuv420p -movflags +faststart"
    _ffmpeg(
        folder,
        ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound],
        f"{video} -sc_threshold 0 {audio} film.mp4",
    )
    for name in ("hls", "fragments", "dash"):
        (folder / name).mkdir()
    source = ["-i", "film.mp4"]
    hls = "-c copy -f hls -hls_playlist_type vod -hls_time"
    _ffmpeg(folder, source, f"{hls} 6 hls/film.m3u8")
    _ffmpeg(folder, source, f"{hls} 4 -hls_segment_type fmp4 fragments/film.m3u8")
    _ffmpeg(folder, source, "-c copy -f dash -seg_duration 4 -use_timeline 0 dash/film.mpd")


def _ffmpeg(folder: Path, source: list[str], options: str) -> None:
    quiet = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y"]
    run("ffmpeg", [*quiet, *source, *options.split()], folder, THEN)


def _pictures(folder: Path, _: Installation) -> None:
    """Pictures of 20 to 150 kB."""
    for number in range(PICTURES):
        size = ("480x320", "720x480", "960x640")[number % 3]
        picture = f"mandelbrot=size={size}:start_scale={3 / (1 + number * 0.4):.3f}"
        _ffmpeg(folder, ["-f", "lavfi", "-i", picture], f"-frames:v 1 -q:v 4 {number}.jpg")


def _forum(folder: Path, installation: Installation) -> None:
    """A Spirit forum with topics, comments and members, in SQLite."""
    spirit, python = installation.script("spirit"), installation.python
    programs = f"{spirit.parent}{os.pathsep}{os.environ['PATH']}"  # it calls django-admin
    run("Spirit", [spirit, "startproject", "forum"], folder, THEN, PATH=programs)
    project = folder / "forum"
    settings = project / "forum" / "settings" / "recorded.py"
    base = "from forum.settings.base import *\n"
    settings.write_text(
        f"{base}SECRET_KEY = 'recorded'\nDEBUG = False\nALLOWED_HOSTS = ['forum.test']\n"
        "SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')\n"
        "CSRF_TRUSTED_ORIGINS = ['https://forum.test']\n"
        "ST_RATELIMIT_ENABLE = False\nST_SITE_URL = 'https://forum.test/'\nLANGUAGE_CODE = 'en'\n"
        "EMAIL_BACKEND = 'django.core.mail.backends.dummy.EmailBackend'\n"
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3',"
        " 'NAME': BASE_DIR + '/forum.sqlite3'}}\n"
        "CACHES = {name: {'BACKEND': 'django.core.cache.backends.locmem.LocMemCache'}"
        " for name in ('default', 'st_rate_limit')}\n"
    )
    manage = [python, "manage.py"]
    with_settings = {"DJANGO_SETTINGS_MODULE": "forum.settings.recorded"}
    for command in ("migrate", "collectstatic --noinput"):
        run("Spirit", [*manage, *command.split()], project, THEN, **with_settings)
    fill = f"exec(open({str(SOFTWARE / 'fill_forum.txt')!r}).read(), {{}})"
    run("Spirit", [*manage, "shell", "-c", fill], project, THEN, **with_settings)


def _manual(folder: Path, installation: Installation) -> None:
    """A manual of mkdocs-material with instant loading: pages are fetched by its script."""
    random = Random(2)
    pages = folder / "docs"
    pages.mkdir()
    names = [f"{random.choice(WORDS)}-{number}" for number in range(PAGES)]
    for name in ["index", *names]:
        links = " ".join(f"[{each}]({each}.md)" for each in random.sample(names, 6))
        parts = [f"## {text(random, 3)}\n\n{text(random, 140)}\n" for _ in range(5)]
        (pages / f"{name}.md").write_text(f"# {text(random, 4)}\n\n{links}\n\n" + "\n".join(parts))
    features = (
        "[navigation.instant, navigation.instant.prefetch, navigation.tracking, search.suggest]"
    )
    (folder / "mkdocs.yml").write_text(
        "site_name: Manual\nsite_url: https://docs.test/\n"
        f"theme: {{name: material, font: false, features: {features}}}\n"
    )
    run("mkdocs", [installation.script("mkdocs"), "build", "-q"], folder, THEN)


def _wiki(folder: Path, installation: Installation) -> None:
    """A TiddlyWiki on its own server: texts are fetched when they are opened."""
    random = Random(3)
    edition = installation.modules / "tiddlywiki" / "editions" / "server"
    shutil.copytree(edition, folder, dirs_exist_ok=True)
    tiddlers = folder / "tiddlers"
    tiddlers.mkdir(exist_ok=True)
    names = [f"{random.choice(WORDS)} {number}" for number in range(TIDDLERS)]
    texts = {}
    for name in ["Start", *names]:
        links = " ".join(f"[[{each}]]" for each in random.sample(names, 6))
        texts[name] = f"{links}\n\n" + "\n\n".join(text(random, 90) for _ in range(4))
    records = [{"title": name, "text": body} for name, body in texts.items()]
    records.append({"title": "$:/DefaultTiddlers", "text": "Start"})
    for number, record in enumerate(records):
        (tiddlers / f"{number}.json").write_text(json.dumps([record]))


def text(random: Random, count: int) -> str:
    """So many words."""
    return " ".join(random.choices(WORDS, k=count))
