"""Every hostile upload ends as a failed build with a reason, and no canary sings."""

import os
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from controlplane.builder.job import Builder
from controlplane.builder.report import Limits, Outcome
from tests.hostile.corpus import ATTACKS, Canaries

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "canary-3f1c9a"
LIMITS = Limits(
    memory_bytes=256 << 20,
    cpu_s=4,
    wall_s=1.5,
    decompressed_bytes=200 << 20,
    work_bytes=64 << 20,
    file_bytes=64 << 20,
)
# A good model comes with the attack: the lie is refused, the model is left to the fallback.
FALLBACK = {"poisons_the_plan", "lies_about_its_plan"}


@pytest.fixture(scope="module")
def canaries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canaries]:
    watched = tmp_path_factory.mktemp("watched")
    watched.chmod(0o777)
    (watched / "precious").write_text(SECRET)
    (watched / "precious").chmod(0o666)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("KUBESERVE_CANARY", SECRET)
            yield Canaries(listener.getsockname()[1], watched, SECRET, os.getpid())
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def builder() -> AsyncIterator[Builder]:
    before = set(psutil.Process().children(recursive=True))
    builder = Builder(LIMITS)
    await builder.start()
    yield builder
    await builder.close()
    assert not set(psutil.Process().children(recursive=True)) - before


@pytest.mark.parametrize("name", ATTACKS)
async def test_hostile_upload_is_held(
    name: str, canaries: Canaries, builder: Builder, tmp_path: Path
) -> None:
    source, work = tmp_path / "upload", tmp_path / "work"
    source.write_bytes(ATTACKS[name](canaries))
    work.mkdir()
    before = state(canaries.watched)
    family = {process.pid for process in psutil.Process().children(recursive=True)}

    report = await builder.build(source, work)

    assert report.outcome is (Outcome.FALLBACK if name in FALLBACK else Outcome.FAILED), report
    assert report.reason or report.fallback_because
    assert SECRET not in repr(report)
    assert "root:" not in report.output
    assert "\x1b" not in repr(report.output) + (report.reason or "")
    assert len(report.output) <= LIMITS.output_bytes
    assert state(canaries.watched) == before
    assert list(work.iterdir()) == []
    assert {p.pid for p in psutil.Process().children(recursive=True)} == family


def state(folder: Path) -> list[tuple[str, bytes, int]]:
    return sorted(
        (entry.name, entry.read_bytes(), entry.stat().st_mode) for entry in folder.iterdir()
    )
