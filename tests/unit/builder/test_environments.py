"""Environments with a stand-in for uv: made once, whole or not at all, bounded, told in words."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from controlplane.builder import environments as module
from controlplane.builder.environments import Environments, installed
from controlplane.builder.foreign import version_of
from controlplane.builder.kept import taken
from controlplane.builder.loaders import Loaders
from controlplane.builder.needs import Asked, Needs
from controlplane.builder.packages import Packages, Python
from controlplane.builder.releases import NEWEST, OLDEST, VERSIONS, UnknownRelease, release
from controlplane.builder.uv import Unavailable
from controlplane.builder.warm import Warm
from runtime.problems import EngineUnavailable

STAND_IN = """#!/bin/sh
echo "$@" >> {log}
env > {log}.env
case "$1" in
venv)
  for last; do :; done
  mkdir -p "$last/bin"
  printf '#!/bin/sh\\n{python}\\n' > "$last/bin/python"
  chmod 755 "$last/bin/python" ;;
pip) {pip} ;;
python) {find} ;;
esac
"""
Make = Callable[..., Environments]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def make(tmp_path: Path, log: Path) -> Make:
    def made(
        pip: str = "exit 0", python: str = "exit 0", find: str = "exit 1", **more: float
    ) -> Environments:
        uv = tmp_path / "uv"
        uv.write_text(STAND_IN.format(log=log, pip=pip, python=python, find=find))
        uv.chmod(0o755)
        kept = int(more.pop("kept", 8))
        return Environments(tmp_path / "made", kept, uv=str(uv), **more)

    return made


async def fetch(path: Path) -> None:
    raise AssertionError("no bundle is needed")


def calls(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def folders(tmp_path: Path) -> list[str]:
    return sorted(place.name for place in (tmp_path / "made").iterdir() if place.is_dir())


async def test_an_environment_is_made_once_and_only_of_wheels(
    make: Make, log: Path, tmp_path: Path
) -> None:
    environments, told = make(), []

    async def tell(words: str) -> None:
        told.append(words)

    python = await environments.interpreter("1.3.2", tell)
    assert python == str(tmp_path / "made/scikit-learn-1.3.2/bin/python")
    assert os.access(python, os.X_OK)
    venv, pip = calls(log)
    assert "--relocatable" in venv
    assert f"--python {sys.executable}" in venv
    assert "--only-binary :all: --no-deps" in pip
    for requirement in release("1.3.2").requirements:
        assert requirement in pip
    assert len(told) == 1
    assert "scikit-learn 1.3.2" in told[0]
    assert await environments.interpreter("1.3.2", tell) == python
    another = Packages(Environments(tmp_path / "made", uv=str(tmp_path / "uv")))
    assert await another.serving("1.3.2", None, "acme", fetch) == Python(python)
    assert len(calls(log)) == 2
    assert len(told) == 1


async def test_of_many_that_want_it_at_once_one_makes_it(
    make: Make, log: Path, tmp_path: Path
) -> None:
    several = [make(), make(), make()]
    wanted = [e.interpreter(v) for e in several for v in ("1.5.2", "1.5.2", "1.6.1")]
    assert len(set(await asyncio.gather(*wanted))) == 2
    assert sorted(line.split()[0] for line in calls(log)) == ["pip", "pip", "venv", "venv"]
    assert folders(tmp_path) == ["scikit-learn-1.5.2", "scikit-learn-1.6.1"]


async def test_no_secret_of_ours_reaches_uv_and_its_own_settings_do(
    make: Make, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBESERVE_SIGNING_SECRET", "canary")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://index.example/simple")
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    await make().interpreter("1.3.2")
    given = log.with_name("log.env").read_text()
    assert "canary" not in given
    assert "UV_DEFAULT_INDEX=https://index.example/simple" in given
    assert "https_proxy=http://proxy.example:3128" in given
    assert "UV_PYTHON_DOWNLOADS=never" in given


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ("error: Failed to fetch: https://me:secret@index.example/simple", "cannot be reached"),
        ("No solution found when resolving dependencies", "no wheel for this machine"),
        ("No space left on device (os error 28)", "disk is full"),
        ("something else", "failed"),
    ],
)
async def test_what_uv_cannot_do_is_told_and_tried_again(
    says: str, words: str, make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Unavailable, match=words) as raised:
        await make(pip=f"echo '{says}'; exit 2").interpreter("1.3.2")
    assert "1.3.2" in raised.value.reason
    assert "Push the same file again" in raised.value.advice
    assert "example" not in raised.value.reason, "the tenant is not told of the operator's index"
    assert "secret" not in caplog.text
    assert says.partition("https")[0] in caplog.text
    assert folders(tmp_path) == []
    await make().interpreter("1.3.2")
    assert folders(tmp_path) == ["scikit-learn-1.3.2"]


async def test_an_environment_that_cannot_be_imported_is_none(make: Make, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be imported"):
        await make(python="exit 1").interpreter("1.3.2")
    assert folders(tmp_path) == []


async def test_making_is_bounded_in_time_and_leaves_no_process(make: Make, tmp_path: Path) -> None:
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    with pytest.raises(Unavailable, match=r"longer than 0\.5 s"):
        await make(pip="sleep 600 & sleep 600", within_s=0.5).interpreter("1.3.2")
    assert {p.pid for p in psutil.Process().children(recursive=True)} == before
    assert folders(tmp_path) == []


async def test_a_cancelled_build_leaves_nothing_half_made(make: Make, tmp_path: Path) -> None:
    environments = make(pip=f"touch {tmp_path}/began; sleep 600")
    task = asyncio.create_task(environments.interpreter("1.3.2"))
    async with asyncio.timeout(20):
        while not (tmp_path / "began").exists():
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert folders(tmp_path) == []


async def test_what_a_killed_process_left_is_removed_and_its_lock_is_free(
    make: Make, tmp_path: Path
) -> None:
    environments = make()
    left = tmp_path / "made/.making-1.3.2/lib"
    left.mkdir(parents=True)
    broken = tmp_path / "made/scikit-learn-1.3.2/bin"
    broken.mkdir(parents=True)
    (broken / "python").symlink_to(tmp_path / "gone")
    pid = os.fork()
    if pid == 0:
        taken(environments._kept.lock("1.3.2"))
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)  # noqa: ASYNC222
    await environments.interpreter("1.3.2")
    assert folders(tmp_path) == ["scikit-learn-1.3.2"]
    await environments.discard("1.3.2")
    await environments.discard("1.3.2")
    assert folders(tmp_path) == []


async def test_the_longest_unused_go_unless_something_needs_them(
    make: Make, tmp_path: Path
) -> None:
    environments = make(kept=2)
    for days, version in enumerate(["1.2.0", "1.2.1", "1.2.2", "1.3.0"]):
        await make().interpreter(version)
        place = tmp_path / f"made/scikit-learn-{version}"
        os.utime(place, ns=(0, time.time_ns() - (9 - days) * 86_400 * 10**9))

    async def in_use() -> list[str]:
        return [str(tmp_path / "made/scikit-learn-1.2.1/bin/python")]

    environments.ask(in_use)
    await environments.interpreter("1.5.2")
    expected = ["scikit-learn-1.2.1", "scikit-learn-1.5.2"]
    assert folders(tmp_path) == expected
    # Younger than an hour, so a build may still be at it; and the other is needed.
    await environments.interpreter("1.6.1")
    assert folders(tmp_path) == [*expected, "scikit-learn-1.6.1"]


async def test_nothing_goes_while_nobody_can_tell_what_is_needed(
    make: Make, tmp_path: Path
) -> None:
    environments = make(kept=1)
    await environments.interpreter("1.2.0")
    os.utime(tmp_path / "made/scikit-learn-1.2.0", ns=(0, 0))

    async def in_use() -> list[str]:
        raise EngineUnavailable("the supervisor does not answer")

    environments.ask(in_use)
    await environments.interpreter("1.5.2")
    assert folders(tmp_path) == ["scikit-learn-1.2.0", "scikit-learn-1.5.2"]


@pytest.mark.parametrize(
    ("version", "why"),
    [
        ("1.0.2", "no wheels for Python 3.11"),
        ("0.24.2", "no wheels for Python 3.11"),
        ("99.1.0", "newer than this KubeServe knows"),
        ("1.5.0rc1", "not a final release"),
        ("1.6.dev0", "not a final release"),
        ("1.3.2; rm -rf /", "not a final release"),
        ("../../1.3.2", "not a final release"),
        ("--index-url=x", "not a final release"),
    ],
)
async def test_unknown_versions_are_refused_in_words(
    version: str, why: str, make: Make, log: Path
) -> None:
    with pytest.raises(Unavailable, match=why) as raised:
        await make().interpreter(version)
    assert f"scikit-learn {OLDEST} to {NEWEST}" in raised.value.advice
    assert calls(log) == []


async def test_a_release_without_wheels_for_our_python_takes_another_that_is_here(
    make: Make, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Newer(tuple[int, ...]):
        minor = 15

    monkeypatch.setattr(module.sys, "version_info", Newer((3, 15, 0)))
    with pytest.raises(Unavailable, match=r"need Python 3\.11 to 3\.12; .* 3\.15 alone"):
        await make().interpreter("1.3.2")
    assert "python find" in calls(log)[0]
    await make(find="echo /opt/python3.12/bin/python3").interpreter("1.3.2")
    assert any("--python /opt/python3.12/bin/python3" in call for call in calls(log))


async def test_an_endpoint_waits_for_what_cannot_be_had_now(make: Make) -> None:
    assert await Packages(make()).serving(installed(), None, "acme", fetch) == Python()
    assert await Packages(make()).serving(None, None, "acme", fetch) == Python()
    away = Packages(make(pip="echo failed to fetch; exit 2"))
    with pytest.raises(EngineUnavailable, match="cannot be reached"):
        await away.serving("1.3.2", None, "acme", fetch)


def test_every_release_is_named_exactly() -> None:
    assert installed() in VERSIONS
    for version in VERSIONS:
        found = release(version)
        assert f"scikit-learn=={version}" in found.requirements
        assert all(text.count("==") == 1 for text in found.requirements)
        assert found.pythons[0] == 11 <= found.pythons[1]
    with pytest.raises(UnknownRelease):
        release("")


def test_a_file_is_loaded_by_the_version_that_wrote_it() -> None:
    here, none = installed(), Needs()
    assert version_of([], none) == here
    assert version_of([here], none) == here
    assert version_of(["1.3.2"], none) == "1.3.2"
    with pytest.raises(Unavailable, match=r"1\.2\.2 and 1\.3\.2"):
        version_of(["1.3.2", "1.2.2"], none)
    with pytest.raises(Unavailable, match="Parts of the model"):
        version_of(["1.3.2", here], none)


async def test_without_environments_it_is_said_what_there_is() -> None:
    loaders, here = Loaders(Warm(), None, pandas=False), installed()

    async def refused(asked: Asked) -> None:
        async with loaders.loader(asked, None):
            raise AssertionError("nothing is lent")

    asked = Asked(frozenset({"1.3.2"}), Needs(), "acme", Path("model"), None)
    with pytest.raises(Unavailable, match=f"1.3.2; this installation has {here}"):
        await refused(asked)
    older = Needs(requirements=("scikit-learn<1.5",))
    with pytest.raises(Unavailable, match="builds no other"):
        await refused(replace(asked, versions=frozenset(), needs=older))
    extra = Needs(requirements=("extra",))
    with pytest.raises(Unavailable, match="installs no others"):
        await refused(replace(asked, versions=frozenset(), needs=extra))


def test_requirements_choose_the_version_only_where_the_file_does_not() -> None:
    asking = Needs(requirements=("scikit-learn==1.3.2", "pandas"))
    assert version_of([], asking) == "1.3.2"
    assert version_of(["1.3.2"], asking) == "1.3.2"
    with pytest.raises(Unavailable, match=r"saved with scikit-learn 1\.5\.2; its requirements"):
        version_of(["1.5.2"], asking)
    with pytest.raises(Unavailable, match=f"saved with scikit-learn {installed()}; its"):
        version_of([installed()], asking)
    ranged = Needs(requirements=("scikit-learn>=1.5,<2",))
    assert version_of([installed()], ranged) == installed()
    assert version_of([], ranged) == installed()
    assert version_of([], Needs(requirements=("scikit-learn<1.5",))) == "1.4.2"
    unknown = Needs(requirements=("scikit-learn==1.0.2",))
    assert version_of([], unknown) == "1.0.2", "is refused where it is made"
