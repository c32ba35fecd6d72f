"""The installed system as a user meets it: started by its own command, killed, stopped, gone."""

import concurrent.futures
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import psutil
import pytest
from sklearn.datasets import load_iris
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import Matern
from sklearn.linear_model import LogisticRegression

from controlplane.client import Client, ClientError
from loadtests.benchmarks.installation import installation
from tests import waiting

WITHIN_S = 60.0
until = partial(waiting.until, within_s=WITHIN_S)


@pytest.fixture(scope="module")
def system() -> Iterator[tuple[Client, Path]]:
    with installation() as running:
        yield running
    leftover = [p for p in psutil.process_iter(["cmdline"]) if str(running[1]) in str(p.info)]
    assert leftover == []


@pytest.fixture(scope="module")
def iris(system: tuple[Client, Path]) -> tuple[np.ndarray, np.ndarray]:
    """Deploy iris; gives rows and scikit-learn's own probabilities."""
    client, home = system
    x, y = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=500).fit(x, y)
    joblib.dump(model, home / "iris.joblib")
    client.push(home / "iris.joblib", "iris")
    client.deploy("iris")
    return x, model.predict_proba(x)


def keeper(home: Path) -> psutil.Process:
    return psutil.Process(int((home / "keeper.pid").read_text().split()[0]))


def role(home: Path, name: str) -> psutil.Process:
    found = [p for p in keeper(home).children() if name in " ".join(p.cmdline())]
    assert len(found) == 1, found
    return found[0]


def words_of(process: psutil.Process) -> str:
    """Give a command line; none if the process ended between two looks."""
    with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
        return " ".join(process.cmdline())
    return ""


def answers(client: Client, rows: np.ndarray, expected: np.ndarray) -> bool:
    ours = client.predict("iris", rows, output="predict_proba")
    np.testing.assert_allclose(np.asarray(ours), expected, rtol=1e-12, atol=1e-12)
    return True


@pytest.mark.parametrize("victim", ["supervisor", "postgres", " api"])
def test_whatever_is_killed_comes_back(
    system: tuple[Client, Path], iris: tuple[np.ndarray, np.ndarray], victim: str
) -> None:
    client, home = system
    url = client.endpoint("iris").url
    killed = role(home, victim)
    killed.send_signal(signal.SIGKILL)

    def back() -> bool:
        others = [p for p in keeper(home).children() if p.pid != killed.pid]
        return any(victim in words_of(p) for p in others)

    until(back)

    def serves() -> bool:
        try:
            return client.endpoint("iris").url == url and answers(client, *iris)
        except ClientError:
            return False

    until(serves)


def test_killed_workers_cost_nobody_an_answer(
    system: tuple[Client, Path], iris: tuple[np.ndarray, np.ndarray]
) -> None:
    _, home = system
    kept = json.loads((home / "credentials.json").read_text())
    # One whose budget of retries nobody has spent.
    client = Client(kept["url"], kept["client_id"], kept["client_secret"])
    (zygote,) = role(home, "supervisor").children()
    killed = 0

    def kill_one() -> bool:
        nonlocal killed
        workers = zygote.children()
        for worker in workers:
            with contextlib.suppress(psutil.NoSuchProcess):
                worker.kill()
                killed += 1
        return bool(workers)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for _ in range(2):  # a third in a row is a crash loop, which is answered with a 503
            asked = [pool.submit(answers, client, *iris) for _ in range(40)]
            until(kill_one)
            assert all(one.result() for one in asked)
    client.close()
    assert killed >= 2


def test_secrets_are_for_the_owner_alone(system: tuple[Client, Path]) -> None:
    _, home = system
    for name in ("credentials.json", "secrets/signing"):
        assert (home / name).stat().st_mode & 0o077 == 0, name
    kept = json.loads((home / "credentials.json").read_text())
    for log in (home / "logs").iterdir():
        assert kept["client_secret"] not in log.read_text(errors="replace"), log


def test_a_second_keeper_is_refused(system: tuple[Client, Path]) -> None:
    _, home = system
    ended = subprocess.run(
        [sys.executable, "-m", "controlplane", "keeper"],
        env={**os.environ, "KUBESERVE_HOME": str(home)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 75
    assert "kubeserve down" in ended.stderr


def test_a_model_without_a_plan_is_served_by_scikit_learn_and_says_why(
    system: tuple[Client, Path],
) -> None:
    client, home = system
    x, y = load_iris(return_X_y=True)
    model = GaussianProcessClassifier(Matern(nu=2), max_iter_predict=20).fit(x[::3], y[::3])
    joblib.dump(model, home / "gp.joblib")
    version = client.push(home / "gp.joblib", "gp")
    assert version.backend == "fallback"
    assert "GaussianProcessClassifier" in (version.fallback_because or "")
    client.deploy("gp")
    ours = client.predict("gp", x[:20], output="predict_proba")
    np.testing.assert_allclose(np.asarray(ours), model.predict_proba(x[:20]), atol=1e-12)
