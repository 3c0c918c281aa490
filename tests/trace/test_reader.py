"""Several files as one stream."""

from __future__ import annotations

import gzip
import json
import tempfile
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.trace.event import TraceFault
from proxy_addon.trace.reader import open_traces
from proxy_addon.trace.report import ReadReport, TraceError

SQUID = "{end:.3f} 1000 10.0.0.7 TCP_TUNNEL/200 900 CONNECT x.com:443 bo HIER_DIRECT/1 -\n"


def _line(at: float) -> str:
    return json.dumps({"at": at, "user": "ana", "url": "https://x.com/"}) + "\n"


def test_files_of_all_formats_merge_by_time(tmp_path: Path) -> None:
    """JSON lines (packed), Squid's log and HAR in one stream, sorted."""
    lines, squid, har = tmp_path / "a.gz", tmp_path / "b", tmp_path / "c"
    lines.write_bytes(gzip.compress("".join(map(_line, (100.0, 200.0, 300.0))).encode()))
    squid.write_text("".join(SQUID.format(end=1_000_000_000 + t) for t in (0, 2)))
    entry = {
        "startedDateTime": "2001-09-09T01:46:40.200Z",
        "time": 5,
        "request": {"method": "GET", "url": "https://x.com/"},
        "response": {"status": 200},
    }
    har.write_text(json.dumps({"log": {"entries": [entry]}}))
    report = ReadReport()
    events = list(open_traces([lines, str(squid), har], "chi", report=report))
    assert [e.user for e in events] == ["ana", "ana", "ana", "bo", "chi", "bo"]
    assert [e.at for e in events] == sorted(e.at for e in events)
    assert report.events == 6
    assert list(report.formats.values()) == ["JSON lines", "Squid access.log", "HAR"]
    assert report.bytes_read == report.bytes_total


def test_a_missing_or_unknown_file_is_a_problem_and_the_rest_is_read(tmp_path: Path) -> None:
    """Counted with the file's name."""
    good, picture = tmp_path / "good", tmp_path / "picture"
    good.write_text(_line(5.0))
    picture.write_bytes(b"\x89PNG")
    report = ReadReport()
    assert len(list(open_traces([tmp_path / "none", picture, good, tmp_path], report=report))) == 1
    assert report.problems == {TraceFault.FILE: 2, TraceFault.FORMAT: 1}


def test_strict_stops_at_the_first_problem(tmp_path: Path) -> None:
    """With the place in the message."""
    path = tmp_path / "a"
    path.write_text(_line(5.0) + "nonsense\n" + _line(6.0))
    with pytest.raises(TraceError, match="a:2: not readable"):
        list(open_traces([path], strict=True))


def test_a_long_tunnel_in_a_log_stands_at_its_start(tmp_path: Path) -> None:
    """Squid writes it last; it comes out first."""
    path = tmp_path / "access.log"
    early = SQUID.format(end=1_000_000_100)
    path.write_text(early + SQUID.format(end=1_000_000_200).replace(" 1000 ", " 190000 "))
    assert [e.duration for e in open_traces([path])] == [190.0, 1.0]


STARTS = st.sampled_from(
    [
        b"",
        b'{"log": {"entries": [',
        b'{"at": 1',
        b"\x1f\x8b\x08\x00",
        b"16:4:type;",
        b"1793610001.250 1 a b/2 3 GET ",
    ]
)


@settings(max_examples=100, deadline=None)
@given(STARTS, st.binary(max_size=400), st.booleans())
def test_random_bytes_never_crash(start: bytes, noise: bytes, packed: bool) -> None:
    """Whatever a file holds, reading ends, and every event that comes out is sound."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f"
        path.write_bytes(gzip.compress(start + noise) if packed else start + noise)
        for event in open_traces([path], "ana"):
            assert event.at > 0
            assert event.duration >= 0


def _har(url: str = "https://x.com/") -> str:
    entry = {
        "startedDateTime": "2026-11-02T09:00:00Z",
        "time": 5,
        "request": {"method": "GET", "url": url, "headers": [{"name": "Accept", "value": "*/*"}]},
        "response": {"status": 200, "content": {"size": 900, "mimeType": "text/html"}},
        "_webSocketMessages": [{"type": "send", "time": 1793610001.0, "data": "hello"}],
    }
    return json.dumps({"log": {"version": "1.2", "entries": [entry, entry]}})


def test_what_a_har_is_packed_in(tmp_path: Path) -> None:
    """zlib, UTF-16, JSONP, and a zip of several files, of which a broken one spoils no other."""
    (tmp_path / "a.zhar").write_bytes(zlib.compress(_har().encode()))
    (tmp_path / "b.har").write_text(_har(), encoding="utf-16")
    (tmp_path / "c.har").write_text(f"onInputData({_har()});")
    with zipfile.ZipFile(tmp_path / "d.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one.har", _har())
        archive.writestr("two.har", _har("https://y.com/"))
        archive.writestr("broken.har", _har()[:-90])
        archive.writestr("notes.txt", "nothing")
    for name, number in (("a.zhar", 4), ("b.har", 4), ("c.har", 4)):
        report = ReadReport()
        assert len(list(open_traces([tmp_path / name], "ana", report=report))) == number
        assert not report.unreadable
    report = ReadReport()
    events = list(open_traces([tmp_path / "d.zip"], "ana", report=report))
    assert {event.host for event in events} == {"x.com", "y.com"}
    assert report.problems == {TraceFault.SYNTAX: 1, TraceFault.FORMAT: 1}


def test_a_sign_in_that_was_asked_for_is_nobodys(tmp_path: Path) -> None:
    """Lines with 407 are counted as skipped, in every format."""
    (tmp_path / "a.log").write_text(
        "1793610000.000 0 10.0.7.33 TCP_DENIED/407 4120 CONNECT x.com:443 - HIER_NONE/- text/html\n"
    )
    line = {"at": 1793610000.0, "user": "ana", "url": "https://x.com/", "status": 407}
    (tmp_path / "b.jsonl").write_text(json.dumps(line))
    report = ReadReport()
    assert not list(open_traces([tmp_path / "a.log", tmp_path / "b.jsonl"], report=report))
    assert report.skipped.total() == 2
    assert not report.unreadable


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 700), st.binary(max_size=4)), min_size=1, max_size=4))
def test_damage_to_any_file_is_only_counted(changes: list[tuple[int, bytes]]) -> None:
    """HAR, a log and packed files with bytes overwritten: what is left is read, nothing is
    raised, and nobody appears but those who were there."""
    log = "1793610001.250 5 10.0.0.7 TCP_MISS/200 5 GET http://x.com/ - HIER_DIRECT/1 text/html\n"
    contents = [_har().encode(), zlib.compress(_har().encode()), gzip.compress(log.encode() * 9)]
    with tempfile.TemporaryDirectory() as folder:
        for number, content in enumerate(contents):
            damaged = bytearray(content)
            for at, piece in changes:
                damaged[at : at + len(piece)] = piece
            path = Path(folder) / str(number)
            path.write_bytes(damaged)
            for event in open_traces([path], "ana"):
                assert event.user == "ana"
