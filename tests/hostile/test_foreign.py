"""Hostile uploads that claim another scikit-learn: held in that environment as they are in ours.

The environment is shared by all tenants' models of the version, so what one could leave in it, or
read of ours from there, is tried too.
"""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from controlplane.builder.environments import Environments
from controlplane.builder.job import Builder
from controlplane.builder.report import Outcome
from tests.hostile.canaries import Canaries
from tests.hostile.corpus import ATTACKS, RUNS, code
from tests.hostile.test_uploads import LIMITS

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

VERSION = "1.3.2"
CLAIM = b"\x8c\x10_sklearn_version\x8c\x05" + VERSION.encode() + b"00"  # pushed, and popped twice
NAMES = (
    *("shell", "subprocess_call", "exec_writes", "exec_deletes", "exec_chmods", "reads_watched"),
    *("reads_passwords", "reads_parents_environment", "prints_own_environment", "connects"),
    *("sends_udp", "fork_bomb", "forks_and_leaves", "kills_parent", "kills_everyone"),
    *(
        "kills_own_parent",
        "starves_another",
        "traces_parent",
        "makes_shared_memory",
        "new_namespace",
    ),
    *("allocates", "fills_the_disk", "sleeps", "ignores_signals", "segfaults"),
    *("leaves_a_link_for_the_parent", "forges_its_result", "memo_bomb", "tuple_doubling"),
)


def claiming(pickled: bytes) -> bytes:
    """The same pickle, with the name and value of the version among its opcodes."""
    return pickled[:2] + CLAIM + pickled[2:]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environments")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def builder(folder: Path) -> AsyncIterator[Builder]:
    before = set(psutil.Process().children(recursive=True))
    builder = Builder(LIMITS, environments=Environments(folder))
    await builder.start()
    yield builder
    await builder.close()
    assert not set(psutil.Process().children(recursive=True)) - before


@pytest.mark.parametrize("name", NAMES)
async def test_hostile_upload_of_another_version_is_held(
    name: str, canaries: Canaries, builder: Builder, tmp_path: Path
) -> None:
    source, work = tmp_path / "upload", tmp_path / "work"
    source.write_bytes(claiming(ATTACKS[name](canaries)))
    work.mkdir()

    report = await builder.build(source, work)

    assert report.outcome is Outcome.FAILED, report
    assert report.sklearn_version == VERSION
    assert "prepare" in report.seconds, "it never came to be loaded"
    assert report.reason
    assert canaries.sung(repr(report)) == []
    assert list(work.iterdir()) == []


async def output_of(source_text: str, builder: Builder, place: Path) -> str:
    whole = f"exec({source_text!r}, {{}})"  # as a module is run: its lambdas see its names
    (place / "upload").write_bytes(claiming(code(whole)))
    (place / "work").mkdir()
    report = await builder.build(place / "upload", place / "work")
    assert report.outcome is Outcome.FAILED
    return report.output.removeprefix(f"{RUNS}\n")


async def test_it_runs_in_that_version(builder: Builder, tmp_path: Path) -> None:
    text = "import sklearn, sys; print(sklearn.__version__, sys.prefix)"
    output = await output_of(text, builder, tmp_path)
    assert output.split()[0] == VERSION
    assert sys.prefix not in output


async def test_the_environment_cannot_be_changed_for_the_next_model(
    builder: Builder, folder: Path, tmp_path: Path
) -> None:
    await output_of("1", builder, tmp_path)
    (tmp_path / "again").mkdir()
    before = {path: path.stat().st_mtime_ns for path in inside(folder)}
    tries = """
import os, sys, sklearn, numpy
for place in (sys.prefix, os.path.dirname(numpy.__file__), os.path.dirname(sklearn.__file__)):
    for path in (place + "/owned.pth", place + "/__init__.py", place + "/bin/python"):
        try:
            open(path, "a").write("x"); print("WROTE", path)
        except OSError as error:
            print(type(error).__name__)
    for act in (lambda: os.rename(place, place + "x"), lambda: os.symlink("/etc", place + "/etc"),
                lambda: os.unlink(place + "/__init__.py"), lambda: os.mkdir(place + "/new")):
        try:
            act(); print("DID", place)
        except OSError as error:
            print(type(error).__name__)
"""
    output = await output_of(tries, builder, tmp_path / "again")
    assert len(output.split()) == 3 * 7
    refusals = {"PermissionError", "FileNotFoundError", "NotADirectoryError", "OSError"}
    assert set(output.split()) <= refusals
    assert "WROTE" not in output
    assert "DID" not in output
    assert {path: path.stat().st_mtime_ns for path in inside(folder)} == before


async def test_our_packages_cannot_be_read_from_there(builder: Builder, tmp_path: Path) -> None:
    text = f"""
import os, sys
print([p for p in sys.path if p.startswith({sys.prefix!r})])
for read in (lambda: os.listdir({sys.prefix!r}), lambda: open({__file__!r}).read(),
             lambda: __import__("tortoise"), lambda: __import__("cryptography")):
    try:
        read(); print("READ")
    except (OSError, ImportError) as error:
        print(type(error).__name__)
"""
    lines = (await output_of(text, builder, tmp_path)).splitlines()
    assert lines[0] == "[]"
    assert set(lines[1:3]) <= {"PermissionError", "FileNotFoundError"}
    assert lines[3:] == ["ModuleNotFoundError"] * 2


def inside(folder: Path) -> list[Path]:
    """Give all in it but the environments' own folders, whose time is that of the last use."""
    return [path for place in folder.glob("scikit-learn-*") for path in place.rglob("*")]
