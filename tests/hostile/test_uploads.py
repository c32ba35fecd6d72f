"""Every hostile upload ends as a build with a reason, and no canary sings."""

import os
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from controlplane.builder.job import Builder
from controlplane.builder.report import Limits, Outcome, Report
from tests.hostile.canaries import SECRET, Canaries, flags_of, planted, run_free
from tests.hostile.corpus import ATTACKS, PROVED, RUNS, TELLING, code

LIMITS = Limits(
    memory_bytes=256 << 20,
    cpu_s=4,
    wall_s=2.5,
    decompressed_bytes=48 << 20,
    work_bytes=64 << 20,
    file_bytes=64 << 20,
)
# A good model comes with the attack: the lie is refused, the model is left to the fallback.
FALLBACK = {*("poisons_the_plan", "lies_about_its_plan", "leaves_a_draft_without_end")}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def builder() -> AsyncIterator[Builder]:
    before = set(psutil.Process().children(recursive=True))
    builder = Builder(LIMITS)
    await builder.start()
    yield builder
    await builder.close()
    assert not set(psutil.Process().children(recursive=True)) - before


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", ATTACKS)
async def test_hostile_upload_is_held(
    name: str, canaries: Canaries, builder: Builder, tmp_path: Path
) -> None:
    source, work = tmp_path / "upload", tmp_path / "work"
    source.write_bytes(ATTACKS[name](canaries))
    work.mkdir()
    before, family = state(source), descendants()

    report = await builder.build(source, work)

    assert canaries.sung(repr(asdict(report))) == [], report
    assert report.outcome is (Outcome.FALLBACK if name in FALLBACK else Outcome.FAILED), report
    assert report.reason or report.fallback_because
    assert RUNS in report.output or name not in TELLING, report
    assert harmless(report)
    assert state(source) == before
    assert list(work.iterdir()) == []
    assert descendants() == family


@pytest.mark.asyncio(loop_scope="module")
async def test_build_that_used_its_processor_time_says_so(builder: Builder, tmp_path: Path) -> None:
    limits = replace(LIMITS, cpu_s=1, wall_s=60.0)
    (tmp_path / "upload").write_bytes(code("while True: pass"))
    (tmp_path / "work").mkdir()
    report = await Builder(limits, process=builder.warm).build(
        tmp_path / "upload", tmp_path / "work"
    )
    assert report.reason is not None
    assert "took more than 1 s of processor time" in report.reason


@pytest.mark.parametrize("name", sorted(PROVED))
def test_attack_works_where_nothing_holds_it(name: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("some of it is for root alone")
    with planted() as canaries:
        said = run_free(ATTACKS[name](canaries))
        assert canaries.sung(said), said


def test_the_corpus_is_not_smaller_than_it_was_promised() -> None:
    assert len(ATTACKS) >= 60


def descendants() -> set[int]:
    return {process.pid for process in psutil.Process().children(recursive=True)}


def state(source: Path) -> tuple[object, ...]:
    status = source.stat()
    content = source.read_bytes()
    return content, status.st_mode, status.st_uid, status.st_mtime_ns, flags_of(source)


def harmless(report: Report) -> bool:
    """True when nothing of a report moves a terminal, and all of it is short."""
    texts = list(_texts(asdict(report)))
    allowed = all(c.isprintable() or c in "\n\t" for text in texts for c in text)
    return allowed and SECRET not in texts and max(map(len, texts)) <= LIMITS.output_bytes


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in _texts(part)]
    if isinstance(value, list | tuple):
        return [text for part in value for text in _texts(part)]
    return [value] if isinstance(value, str) else []
