"""Packages of models with a stand-in for uv: chosen once, made once, beside the environment."""

import asyncio
import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from controlplane.builder import packages as module
from controlplane.builder.environments import Environments, installed, pins
from controlplane.builder.needs import Needs, Recipe, Wheel
from controlplane.builder.packages import Packages, Python
from controlplane.builder.uv import Unavailable
from runtime.problems import EngineUnavailable
from tests.unit.runtime.test_bundle import packed

STAND_IN = """#!/bin/sh
echo "$@" >> {log}
for each; do
  case "$last" in
  --output-file) out="$each"; cp "$each" {log}.preferred ;;
  --target) target="$each" ;;
  --requirement) cat "$each" > {log}.given ;;
  esac
  case "$each" in *asked.txt) cat "$each" > {log}.asked ;; esac
  case "$each" in *.whl) cat "$each" > {log}.wheel ;; esac
  last="$each"
done
case "$2" in
compile) {compile} ;;
install) {install} ;;
esac
"""
HASH = " --hash=sha256:" + "a" * 64
OWN = packed(("own.py", b"# our own"))
WHEEL = Wheel("own", "own-1.0-py3-none-any.whl", hashlib.sha256(OWN).hexdigest())
Make = Callable[..., Packages]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def make(tmp_path: Path, log: Path) -> Make:
    def made(
        compile: str = "exit 0",  # noqa: A002
        install: str = 'echo x > "$target/package.py"',
        **more: float,
    ) -> Packages:
        uv = tmp_path / "uv"
        uv.write_text(STAND_IN.format(log=log, compile=compile, install=install))
        uv.chmod(0o755)
        folder = tmp_path / "made"
        folder.mkdir(exist_ok=True)
        return Packages(Environments(folder, int(more.pop("kept", 8)), uv=str(uv), **more))

    return made


async def fetch(path: Path) -> None:
    content = packed(("model.joblib", b"x"), (f"wheels/{WHEEL.file}", OWN))
    await asyncio.to_thread(path.write_bytes, content)


def calls(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def recipe(*lines: str, wheels: tuple[Wheel, ...] = ()) -> Recipe:
    held = [f"{name}=={version}{HASH}" for name, version in pins(installed()).items()]
    return Recipe(installed(), tuple(sorted([*held, *lines])), wheels)


async def test_versions_are_chosen_with_hashes_and_ours_are_preferred(
    make: Make, log: Path
) -> None:
    lock = f"numpy==1.0 \\\\\\n    --hash=sha256:{'b' * 64} \\\\\\n    --hash=sha256:{'c' * 64}\\n"
    needs = Needs(requirements=("extra==1.0",), wheels=(WHEEL,))
    packages = make(compile=f"printf '{lock}extra==1.0 \\\\\\n   {HASH}\\n' > \"$out\"")
    found = await packages.resolve(needs, installed(), fetch, None)
    assert found.lock == (
        f"extra==1.0{HASH}",
        f"numpy==1.0 --hash=sha256:{'b' * 64} --hash=sha256:{'c' * 64}",
    )
    assert found.wheels == (WHEEL,)
    # What scikit-learn needs is asked alone, with no wheel of the model.
    assert found.base == found.lock
    call, second = calls(log)
    assert "--only-binary :all: --generate-hashes" in call
    assert "--no-emit-package own" in call
    assert "own" not in second
    assert "index" not in call.replace("--no-emit-index-url", "")
    assert "numpy==1.0\n" in log.with_name("log.preferred").read_text()
    assert "own" not in log.with_name("log.asked").read_text()


async def test_what_is_asked_and_preferred(make: Make, log: Path) -> None:
    needs = Needs(requirements=("extra==1.0",), wheels=(WHEEL,))
    packages = make(compile="exit 1")
    with pytest.raises(Unavailable):
        await packages.resolve(needs, installed(), fetch, None)
    asked = log.with_name("log.asked").read_text().splitlines()
    assert asked[0] == f"scikit-learn=={installed()}"
    assert "extra==1.0" in asked
    assert asked[-1].startswith("own @ file:///")
    assert asked[-1].endswith(f"/wheels/{WHEEL.file}")
    preferred = log.with_name("log.preferred").read_text()
    assert f"numpy=={pins(installed())['numpy']}\n" in preferred
    assert list(packages.environments.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("says", "reason", "advice"),
    [
        (
            "error: No solution found\n  cause: Because a was not found in the registry",
            "No versions fulfil what the model asks for: because a was not found",
            "Change requirements.txt",
        ),
        ("error: Failed to fetch: https://me:s@index.example/", "cannot be reached", "Push the"),
        ("No space left on device", "disk is full", "Push the same file again"),
        ("odd", "failed", "Push the same file again"),
    ],
)
async def test_what_cannot_be_chosen_is_told(
    says: str, reason: str, advice: str, make: Make
) -> None:
    packages = make(compile=f"echo '{says}'; exit 1")
    with pytest.raises(Unavailable) as raised:
        await packages.resolve(Needs(requirements=("a",)), installed(), fetch, None)
    assert reason in raised.value.reason
    assert advice in raised.value.advice
    assert "example" not in raised.value.reason


async def test_packages_are_a_folder_of_their_own_and_made_once(make: Make, log: Path) -> None:
    packages, told = make(), []

    async def tell(words: str) -> None:
        told.append(words)

    wanted = recipe(f"extra==1.0{HASH}")
    python = await packages.ready(wanted, "acme", fetch, tell)
    assert python == Python(None, str(packages.environments.packages.place(wanted.key("acme"))))
    (call,) = calls(log)
    assert "--only-binary :all: --no-deps" in call
    assert "--require-hashes" in call
    assert "--target" in call
    # scikit-learn and its companions are where they were.
    assert log.with_name("log.given").read_text() == f"extra==1.0{HASH}"
    several = [packages.ready(wanted, tenant, fetch) for tenant in ("acme", "other")]
    assert await asyncio.gather(*several) == [python, python], "of the index: for everybody"
    assert await packages.serving(None, wanted.to_json(), "acme", fetch) == python
    assert len(calls(log)) == 1
    assert len(told) == 1


async def test_nothing_is_made_where_nothing_is_beyond_ours(make: Make, log: Path) -> None:
    assert await make().ready(recipe(), "acme", fetch) == Python()
    assert calls(log) == []


async def test_wheels_are_one_tenants_and_those_that_were_looked_into(
    make: Make, log: Path
) -> None:
    packages, private = make(), recipe(wheels=(WHEEL,))
    python = await packages.ready(private, "acme", fetch)
    (call,) = calls(log)
    assert "--no-cache --no-index" in call
    assert log.with_name("log.wheel").read_bytes() == OWN
    assert (await packages.ready(private, "other", fetch)).packages != python.packages
    changed = replace(private, wheels=(replace(WHEEL, sha256="0" * 64),))
    with pytest.raises(Unavailable, match="is not the wheel that was looked into"):
        await packages.ready(changed, "acme", fetch)
    missing = replace(private, wheels=(replace(WHEEL, file="b-1-py3-none-any.whl"),))
    with pytest.raises(Unavailable, match="could not be taken out"):
        await packages.ready(missing, "acme", fetch)
    assert len(list(packages.environments.folder.glob("packages-*"))) == 2
    assert list(packages.environments.folder.glob(".work-*")) == []
    assert list(packages.environments.folder.glob(".making-*")) == []


async def test_what_cannot_be_installed_is_tried_again(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = recipe(f"extra==1.0{HASH}")
    with pytest.raises(Unavailable, match="cannot be reached"):
        await make(install="echo 'dns error'; exit 2").ready(wanted, "acme", fetch)
    away = make(install="echo 'dns error'; exit 2")
    with pytest.raises(EngineUnavailable, match="cannot be reached"):
        await away.serving(installed(), wanted.to_json(), "acme", fetch)
    with pytest.raises(Unavailable, match=r"longer than 0\.5 s"):
        await make(install="sleep 600", within_s=0.5).ready(wanted, "acme", fetch)
    monkeypatch.setattr(module, "MOST_BYTES", 0)
    with pytest.raises(Unavailable, match="0 MiB are the limit"):
        await make().ready(wanted, "acme", fetch)
    monkeypatch.undo()
    assert (await make().ready(wanted, "acme", fetch)).packages is not None


async def test_the_longest_unused_go_and_what_endpoints_need_stays(make: Make) -> None:
    packages = make(kept=2)
    wanted = [recipe(f"extra=={number}.0{HASH}") for number in range(4)]
    for number, one in enumerate(wanted[:3]):
        await make().ready(one, "acme", fetch)
        place = packages.environments.packages.place(one.key("acme"))
        os.utime(place, (number, number))

    async def in_use() -> list[str]:
        return [str(packages.environments.packages.place(wanted[0].key("acme")))]

    packages.environments.ask(in_use)
    await packages.ready(wanted[3], "acme", fetch)
    kept = {path.name for path in packages.environments.folder.glob("packages-*")}
    assert kept == {f"packages-{wanted[number].key('acme')}" for number in (0, 3)}


async def test_what_a_crash_left_is_removed(make: Make) -> None:
    packages = make()
    left, running = (packages.environments.folder / f".work-{name}" for name in ("old", "new"))
    for place in (left, running):
        place.mkdir()
        (place / "bundle").touch()
    os.utime(left, (0, 0))
    await packages.ready(recipe(f"extra==1.0{HASH}"), "acme", fetch)
    assert not left.exists()
    assert running.exists()
