"""Archives with a stand-in for uv: made once, named by what they are, refused in words."""

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from controlplane.builder import archives as module
from controlplane.builder.archives import Archives
from controlplane.builder.asking import Question, here
from controlplane.builder.environments import Environments, installed, pins
from controlplane.builder.needs import Needs, Recipe, Wheel
from controlplane.builder.packages import Packages
from controlplane.builder.uv import Unavailable
from runtime.archive import Archive
from runtime.problems import EngineUnavailable
from tests.unit.runtime.test_bundle import packed

STAND_IN = """#!/bin/sh
echo "$@" >> {log}
env > {log}.env
for each; do
  case "$last" in --target) mkdir -p "$each"; echo x > "$each/package.py" ;; esac
  last="$each"
done
{then}
"""
HASH = " --hash=sha256:" + "a" * 64
OWN = packed(("own.py", b"# our own"))
WHEEL = Wheel("own", "own-1.0-py3-none-any.whl", hashlib.sha256(OWN).hexdigest())


class Shelf:
    """Keeps archives in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kept: dict[str, Archive] = {}

    async def find(self, name: str) -> Archive | None:
        return self.kept.get(name)

    async def put(self, name: str, file: Path, unpacked_bytes: int) -> Archive:
        raw = await asyncio.to_thread(file.read_bytes)
        digest = hashlib.sha256(raw).hexdigest()
        self.kept[name] = Archive(digest, len(raw), unpacked_bytes)
        await asyncio.to_thread((self.folder / name).write_bytes, raw)
        return self.kept[name]

    async def fetch_to(self, sha256: str, path: Path) -> None:
        assert sha256 == "the upload"
        content = packed(("model.joblib", b"x"), (f"wheels/{WHEEL.file}", OWN))
        await asyncio.to_thread(path.write_bytes, content)


@pytest.fixture
def made(tmp_path: Path) -> Any:
    def make(then: str = "exit 0") -> tuple[Archives, Shelf, Path]:
        uv, log, folder = tmp_path / "uv", tmp_path / "log", tmp_path / "work"
        uv.write_text(STAND_IN.format(log=log, then=then))
        uv.chmod(0o755)
        shelf = Shelf(tmp_path / "shelf")
        shelf.folder.mkdir(exist_ok=True)
        inside = folder / "uv"
        environments = Environments(inside, uv=str(uv), scratch=inside, machine="x-manylinux_2_28")
        return Archives(Packages(environments), shelf, folder), shelf, log

    return make


async def tell(words: str) -> None: ...


async def test_a_version_is_made_once_and_nothing_of_it_is_run(made: Any, tmp_path: Path) -> None:
    archives, shelf, log = made()
    first, second = await asyncio.gather(
        archives.serving("1.3.2", None, "acme", "the upload"),
        archives.serving("1.3.2", None, "other", "the upload"),
    )
    assert first == second
    (part,) = first
    assert part.python
    assert part.what == "the environment of scikit-learn 1.3.2"
    (name,) = shelf.kept
    assert name.startswith("scikit-learn-1.3.2-cp3")
    (call,) = log.read_text().splitlines()
    assert call.startswith("pip install --only-binary :all: --no-deps --compile-bytecode --target")
    assert "--python-platform x-manylinux_2_28" in call
    assert "scikit-learn==1.3.2" in call
    # Neither the user's cache nor /tmp, which a pod has little of; and nothing is left.
    variables = log.with_name("log.env").read_text()
    scratch = tmp_path / "work/uv"
    assert f"UV_CACHE_DIR={scratch}/cache\n" in variables
    assert f"TMPDIR={scratch}\n" in variables
    assert not (tmp_path / "work").exists()


async def test_our_own_version_needs_none(made: Any) -> None:
    archives, shelf, _ = made("exit 1")
    assert await archives.serving(installed(), None, "acme", "") == ()
    assert await archives.serving(None, None, "acme", "") == ()
    assert shelf.kept == {}


async def test_packages_are_beside_our_own_or_beside_another(made: Any) -> None:
    archives, shelf, log = made()
    ours = [f"{name}=={version}{HASH}" for name, version in pins(installed()).items()]
    recipe = Recipe(installed(), tuple(sorted([*ours, f"toolz==1.0{HASH}"])), (WHEEL,))
    (part,) = await archives.serving(installed(), recipe.to_json(), "acme", "the upload")
    assert not part.python
    (other,) = await archives.serving(installed(), recipe.to_json(), "other", "the upload")
    assert len(shelf.kept) == 2, "wheels are one tenant's"
    assert other.what == part.what
    text = log.read_text()
    assert "scikit-learn==" not in text
    assert f"/{WHEEL.file}" in text

    base = (f"numpy==1.0{HASH}", f"scikit-learn==1.3.2{HASH}")
    another = Recipe("1.3.2", (*base, f"toolz==1.0{HASH}"), (), base)
    python, packages = await archives.serving("1.3.2", another.to_json(), "acme", "the upload")
    assert (python.python, packages.python) == (True, False)
    assert sum(name.startswith("scikit-learn-1.3.2-") for name in shelf.kept) == 1


async def test_what_is_not_there_is_only_looked_for_if_asked_so(made: Any) -> None:
    archives, _, log = made()
    with pytest.raises(EngineUnavailable, match=r"environment of scikit-learn 1\.3\.2 is not in"):
        await archives.serving("1.3.2", None, "acme", "the upload", make=False)
    assert not log.exists()
    found = await archives.serving("1.3.2", None, "acme", "the upload")
    assert await archives.serving("1.3.2", None, "acme", "the upload", make=False) == found


async def test_an_unknown_version_names_no_object(made: Any) -> None:
    archives, shelf, _ = made()
    for version in ("../../x", "0.1", "1.3.2-cp3"):
        with pytest.raises(EngineUnavailable, match="saved with scikit-learn"):
            await archives.serving(version, None, "acme", "the upload")
    assert shelf.kept == {}


async def test_a_build_of_another_release_is_refused(made: Any) -> None:
    archives, shelf, _ = made()
    question = Question("1.3.2", Needs(), here())
    parts, recipe = await archives.asked(question, None, "acme", "the upload", tell)
    assert (len(parts), recipe) == (1, None)
    for change in ({"python": "3.14"}, {"machine": "vax"}, {"installed": {"numpy": "1.0"}}, {}):
        place = here() | change if change else {}
        with pytest.raises(Unavailable, match="do not hold the same packages"):
            await archives.asked(replace(question, place=place), None, "acme", "", tell)
    assert len(shelf.kept) == 1


@pytest.mark.parametrize(
    ("then", "says"),
    [
        ("echo failed to fetch; exit 2", "index cannot be reached"),
        ("echo no wheels; exit 2", "no wheel for this machine"),
        ("echo No space left on device; exit 2", "the disk is full"),
    ],
)
async def test_why_it_cannot_be_made_is_said(
    made: Any, then: str, says: str, tmp_path: Path
) -> None:
    archives, shelf, _ = made(then)
    with pytest.raises(EngineUnavailable, match=says):
        await archives.serving("1.3.2", None, "acme", "the upload")
    assert shelf.kept == {}
    assert not (tmp_path / "work").exists()


async def test_what_is_too_large_is_refused_in_words(
    made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    archives, _, _ = made()
    monkeypatch.setattr("runtime.archive.MOST_BYTES", 1)
    with pytest.raises(EngineUnavailable, match="cannot be given to pods"):
        await archives.serving("1.3.2", None, "acme", "the upload")


async def test_what_fills_the_disk_is_ended_while_it_does(
    made: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    archives, shelf, log = made(
        f"head -c 3000000 /dev/zero > {tmp_path}/work/uv/large; echo $$ > {tmp_path}/pid; sleep 60"
    )
    monkeypatch.setattr(module, "MOST_DISK_BYTES", 2 << 20)
    monkeypatch.setattr(module, "_LOOK_S", 0.05)
    async with asyncio.timeout(30):
        with pytest.raises(EngineUnavailable, match="takes more than 2 MiB"):
            await archives.serving("1.3.2", None, "acme", "the upload")
    assert log.exists()
    assert shelf.kept == {}
    assert not (tmp_path / "work").exists()
    pid = int((tmp_path / "pid").read_text())
    assert not psutil.pid_exists(pid), "uv went on"


def test_a_folder_that_a_crash_left_is_removed(made: Any, tmp_path: Path) -> None:
    (tmp_path / "work/making/site").mkdir(parents=True)
    made()
    assert not (tmp_path / "work").exists()


def test_tests_of_packages_are_left_out_and_numpys_are_not(tmp_path: Path) -> None:
    for path in ("sklearn/tree/tests", "pandas/tests/io", "numpy/_core/tests", "own/tests", "bin"):
        (tmp_path / path).mkdir(parents=True)
        (tmp_path / path / "x.py").touch()
    module._without_tests(tmp_path)
    left = sorted(str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*.py"))
    assert left == ["numpy/_core/tests/x.py", "own/tests/x.py"]
