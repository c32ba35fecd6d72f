"""Hostile models that are served: the fallback's locked process, while it loads and predicts."""

import asyncio
import json
import os
import pickle
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import pytest_asyncio

from runtime.fallback.front import Front, start
from runtime.launch import Backend, Launch, RevisionLaunch
from runtime.problems import DeadlinePassed, EngineUnavailable, Internal, InvalidInput
from tests.hostile import lacking
from tests.hostile.canaries import Canaries
from tests.hostile.corpus import ATTACKS, RUNS, TELLING, Call
from tests.hostile.corpus.registry import source_of

SIGNATURE = {
    "columns": [{"name": "a", "kind": "number", "missing": False}],
    "outputs": [{"name": "predict", "datatype": "FP64", "width": None, "columns": []}],
    "named": False,
}
X = np.ones((2, 1))
# What the model does when it is asked, once it is loaded and answers: one for each kind of harm.
PREDICTING = (
    *("shell", "exec_writes", "exec_deletes", "reads_watched", "reads_another_tenant"),
    *("reads_parents_environment", "prints_own_environment", "connects", "sends_udp"),
    *("connects_to_a_path", "connects_to_an_abstract_name", "talks_over_what_it_inherited"),
    *("starves_its_parent", "kills_another", "kills_parent", "kills_everyone", "kills_own_parent"),
    *("traces_another", "makes_shared_memory", "makes_a_posix_queue", "fork_bomb", "thread_bomb"),
    *("allocates_slowly", "writes_into_the_packages", "becomes_a_program_in_memory"),
    *("new_namespace", "becomes_root", "asks_the_kernels_doors", "sleeps", "spins", "exits"),
    *("segfaults", "raises_words_for_a_terminal", "prints_words_for_a_terminal", "aborts"),
)


# The front measures a call four times at the start.
HONEST_CALLS = 5


def predicting(*sources: str) -> bytes:
    """A model that answers the front's first calls, and then runs the source its input names."""
    made = f"""
class Model:
    calls = 0
    def predict(self, x):
        self.calls += 1
        if self.calls > {HONEST_CALLS}:
            exec({sources!r}[int(x[0, 0])], {{}})
        return x[:, 0]
result = Model()
"""
    return pickle.dumps(Call(eval, f"(lambda g: exec({made!r}, g) or g['result'])({{}})"))


async def served(content: bytes, folder: Path) -> Front:
    (folder / "model").write_bytes(content)
    (folder / "signature").write_text(json.dumps(SIGNATURE))
    revision = RevisionLaunch(
        "r",
        "m",
        1,
        str(folder / "model"),
        "",
        backend=Backend.FALLBACK,
        signature=str(folder / "signature"),
    )
    launch = Launch("t", "e", "i", "a", "k", (revision,), timeout_s=3)
    return await start(revision, launch)


class Victim:
    """A served model of all attacks, started again after those that end it."""

    def __init__(self, canaries: Canaries, folder: Path) -> None:
        self._folder = folder
        self._content = predicting(*(source_of(name, canaries) for name in PREDICTING))
        self.front: Front | None = None

    async def ask(self, name: str) -> str:
        """Have one attack run; gives what the caller was told."""
        rows = np.full((2, 1), float(PREDICTING.index(name)))
        try:
            return str((await (await self._ready()).run("predict", rows)).tolist())
        except (DeadlinePassed, EngineUnavailable, Internal, InvalidInput) as problem:
            return str(problem)

    async def close(self) -> None:
        if self.front is not None:
            await self.front.close()

    async def _ready(self) -> Front:
        if self.front is None or self.front.pid is None:
            await self.close()
            self.front = await served(self._content, self._folder)
            assert {"seccomp", "rlimits", "no_new_privs"} <= set(self.front.sandbox)
            assert (await self.front.run("predict", X)).tolist() == [1.0, 1.0]
        return self.front


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def victim(
    canaries: Canaries, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Victim]:
    family = descendants()
    victim = Victim(canaries, tmp_path_factory.mktemp("served"))
    yield victim
    await victim.close()
    assert descendants() == family
    assert groups_of_ours() == []


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", PREDICTING)
async def test_hostile_prediction_is_held(
    name: str, canaries: Canaries, victim: Victim, capfd: pytest.CaptureFixture[str]
) -> None:
    said, printed = await victim.ask(name), ""
    async with asyncio.timeout(10):  # what a model prints comes by another way than its answers
        while RUNS not in printed:
            await asyncio.sleep(0.01)
            printed += "".join(capfd.readouterr())
    assert canaries.sung(said + printed) == []
    assert "\x1b" not in printed + said


@pytest.mark.parametrize("name", ["exec_writes", "connects", "kills_everyone", "reads_passwords"])
async def test_hostile_model_is_held_while_it_loads(
    name: str, canaries: Canaries, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert name in TELLING
    with pytest.raises(ValueError, match=r"does not load|did not start|no .*predict"):
        await (await served(ATTACKS[name](canaries), tmp_path)).close()
    captured = capfd.readouterr()
    assert RUNS in captured.err + captured.out
    assert canaries.sung(captured.err + captured.out) == []


async def test_next_model_of_the_machine_is_not_hurt(canaries: Canaries, tmp_path: Path) -> None:
    """Two tenants on one machine, one of whom does all it can while the other answers."""
    for who in ("evil", "good"):
        (tmp_path / who).mkdir()
    evil = await served(predicting(source_of("allocates_slowly", canaries)), tmp_path / "evil")
    good = await served(predicting("pass"), tmp_path / "good")
    try:
        await evil.run("predict", X * 0)
        harm = asyncio.ensure_future(evil.run("predict", X * 0))
        for _ in range(20):
            assert (await good.run("predict", X * 0)).tolist() == [0.0, 0.0]
        with pytest.raises((DeadlinePassed, EngineUnavailable, Internal)):
            await harm
        assert (await good.run("predict", X * 0)).tolist() == [0.0, 0.0]
    finally:
        await evil.close()
        await good.close()


SERVING = """
import asyncio, sys
from pathlib import Path
from tests.hostile.lacking import lack
from tests.hostile.test_serving import served
lack([int(number) for number in sys.argv[2:]])
async def main():
    front = await served(Path(sys.argv[1], "content").read_bytes(), Path(sys.argv[1]))
    print(front.sandbox)
    await front.close()
asyncio.run(main())
"""


@pytest.mark.parametrize("policy", ["required", "degraded"])
def test_host_without_the_layers_serves_no_fallback_unless_that_is_accepted(
    policy: str, tmp_path: Path
) -> None:
    (tmp_path / "content").write_bytes(predicting("pass"))
    missing = [str(n) for n in (*lacking.LANDLOCK, *lacking.NAMESPACES)]
    tried = subprocess.run(
        [sys.executable, "-c", SERVING, str(tmp_path), *missing],
        env={**os.environ, "KUBESERVE_SANDBOX": policy},
        capture_output=True,
        check=False,
        text=True,
    )
    if policy == "required":
        assert "this host lacks Landlock" in tried.stderr
        assert tried.returncode != 0
    else:
        assert "seccomp" in tried.stdout
        assert "landlock" not in tried.stdout


def groups_of_ours() -> list[Path]:
    return [*Path("/sys/fs/cgroup").rglob(f"kubeserve-{os.getpid()}-*")]


def descendants() -> set[int]:
    return {process.pid for process in psutil.Process().children(recursive=True)}
