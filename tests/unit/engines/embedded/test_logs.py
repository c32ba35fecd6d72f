"""The log of an endpoint: what workers write, line by line, in two files of a bounded size."""

import asyncio
import json
import os
import stat
from datetime import UTC, datetime

import pytest

from controlplane.engines.embedded.logs import MAX_LINE, EndpointLog, LineReader


@pytest.fixture
def log(tmp_path):
    return EndpointLog(tmp_path / "e.log")


def texts(log, count=1000):
    return [json.loads(line)["text"] for line in log.tail(count)]


async def until_texts(log, expected):
    """Let the loop read the pipe until these lines are there."""
    async with asyncio.timeout(5):
        while texts(log) != expected:
            await asyncio.sleep(0)


def test_a_line_tells_when_and_who_and_only_the_owner_reads_it(log):
    before = datetime.now(UTC)
    log.write("e-1-1", "größe ✓")
    (line,) = log.tail(10)
    entry = json.loads(line)
    assert (entry["replica"], entry["text"]) == ("e-1-1", "größe ✓")
    assert before <= datetime.fromisoformat(entry["at"]) <= datetime.now(UTC)
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


def test_the_tail_is_the_last_lines_oldest_first(log):
    for number in range(10):
        log.write("w", str(number))
    assert texts(log, 3) == ["7", "8", "9"]
    assert texts(log, 0) == texts(log, -1) == []
    assert EndpointLog(log.path.with_name("none.log")).tail(5) == []


def test_two_files_hold_the_newest_lines_and_no_more_than_allowed(tmp_path):
    log = EndpointLog(tmp_path / "e.log", max_bytes=2000)
    written = [f"line {number}" for number in range(500)]
    for text in written:
        log.write("w", text)
    kept = texts(log)
    assert kept == written[-len(kept) :]
    assert 15 < len(kept) < 60
    assert sorted(p.name for p in tmp_path.iterdir()) == ["e.log", "e.log.1"]
    assert all(p.stat().st_size < 2200 for p in tmp_path.iterdir())


def test_the_tail_goes_over_the_edge_of_the_two_files(tmp_path):
    log = EndpointLog(tmp_path / "e.log", max_bytes=300)
    written = []
    while not (tmp_path / "e.log.1").exists() or not log.path.exists():
        written.append(f"line {len(written)}")
        log.write("w", written[-1])
    assert texts(log) == written


def test_a_line_that_a_crash_cut_off_is_not_given(log):
    log.write("w", "whole")
    with log.path.open("a") as file:
        file.write('{"at": "2026-01-')
    assert texts(log) == ["whole"]


def test_a_cut_off_line_does_not_spoil_the_next_one(log):
    log.write("w", "whole")
    with log.path.open("a") as file:
        file.write('{"at": "2026-01-')  # a full disk, or the machine went down
    log.write("w", "next")
    log.write("w", "last")
    assert [text for text in texts(log) if text != "next"] == ["whole", "last"]


def test_a_log_that_cannot_be_written_is_no_error_and_followers_see_the_line(tmp_path):
    log = EndpointLog(tmp_path / "gone" / "e.log")
    seen = []
    log.followers.add(seen.append)
    log.write("w", "still seen")
    assert [json.loads(line)["text"] for line in seen] == ["still seen"]
    assert log.tail(5) == []


def test_a_follower_may_leave_while_it_is_told(log):
    seen = []

    def once(line):
        log.followers.discard(once)
        seen.append(line)

    log.followers.update({once, lambda line: seen.append(line)})
    log.write("w", "a")
    log.write("w", "b")
    assert len(seen) == 3


def test_removed_it_leaves_no_file_and_makes_none(tmp_path):
    log = EndpointLog(tmp_path / "e.log", max_bytes=100)
    for _ in range(5):
        log.write("w", "x" * 50)
    log.remove()
    log.remove()
    assert not list(tmp_path.iterdir())
    seen = []
    log.followers.add(seen.append)
    log.write("w", "told to stop")
    assert not list(tmp_path.iterdir())
    assert len(seen) == 1


async def test_a_pipe_gives_whole_lines_however_they_arrive(log):
    reader = LineReader(log, "w")
    for part in (b"on", b"e\ntw", b"o\n\nthr", "ü".encode()[:1], "ü".encode()[1:], b"e\n"):
        os.write(reader.write_end, part)
    os.close(reader.write_end)
    await until_texts(log, ["one", "two", "", "thrüe"])


async def test_the_last_words_need_no_line_end(log):
    reader = LineReader(log, "w")
    os.write(reader.write_end, b"first\nkilled amid a wo")
    os.close(reader.write_end)
    reader.finish()
    assert texts(log) == ["first", "killed amid a wo"]
    reader.close()
    assert texts(log) == ["first", "killed amid a wo"]


async def test_a_child_that_holds_the_pipe_does_not_hold_the_end_up(log):
    reader = LineReader(log, "w")
    os.write(reader.write_end, b"last words")
    reader.finish()  # the other end is still open
    assert texts(log) == ["last words"]
    with pytest.raises(BrokenPipeError):
        os.write(reader.write_end, b"nobody reads")
    os.close(reader.write_end)


@pytest.mark.parametrize("ends", [True, False])
async def test_a_line_without_end_is_cut_and_holds_no_memory(log, ends):
    reader = LineReader(log, "w")
    os.set_blocking(reader.write_end, False)
    size = os.write(reader.write_end, b"x" * (3 * MAX_LINE))
    assert size == 3 * MAX_LINE
    if ends:
        os.close(reader.write_end)
    reader.finish()
    assert all(len(text) <= MAX_LINE for text in texts(log))
    if not ends:
        os.close(reader.write_end)


async def test_what_is_no_text_does_not_stop_the_reader(log):
    reader = LineReader(log, "w")
    os.write(reader.write_end, b"\xff\xfe\x00\nnext\n")
    os.close(reader.write_end)
    reader.finish()
    first, second = texts(log)
    assert "\ufffd" in first
    assert second == "next"
