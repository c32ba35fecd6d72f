"""The whole product once, on this machine, with real data: `task demo`.

Starts everything in a folder of its own, trains four models, pushes and deploys them, compares
every answer with scikit-learn's own, lets all endpoints fall to zero, wakes them again, says where
the dashboard is, and stops everything. Exit code 0 only if all of it was right.
"""

import contextlib
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from palmerpenguins import load_penguins
from rich.console import Console
from rich.table import Table
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from controlplane.client import Client, ColdStart, Endpoint
from loadtests.benchmarks.installation import installation

console = Console(highlight=False, soft_wrap=True, width=150)
SHORT_WINDOWS = {"window_s": 6, "scale_to_zero_grace_period_s": 0, "max_scale": 2}
ZERO_WITHIN_S = 30.0


@dataclass
class Model:
    """A trained model, rows it has not seen, and what scikit-learn says of them."""

    name: str
    data: str
    estimator: Any
    rows: Any
    output: str

    def expected(self) -> Any:
        return getattr(self.estimator, self.output)(self.rows)


def breast_cancer() -> Model:
    x, y = load_breast_cancer(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(x[:400], y[:400])
    return Model("breast-cancer", "load_breast_cancer", model, x[400:], "predict_proba")


def digits() -> Model:
    x, y = load_digits(return_X_y=True)
    model = RandomForestClassifier(n_estimators=100, random_state=0).fit(x[:1400], y[:1400])
    return Model("digits", "load_digits", model, x[1400:1600], "predict_proba")


def diabetes() -> Model:
    x, y = load_diabetes(return_X_y=True)
    model = HistGradientBoostingRegressor(random_state=0).fit(x[:350], y[:350])
    return Model("diabetes", "load_diabetes", model, x[350:], "predict")


def penguins() -> Model:
    table = load_penguins()
    rows, species = table.drop(columns=["species", "year"]), table["species"]
    text, numbers = ["island", "sex"], [c for c in rows.columns if c not in ("island", "sex")]
    rows[text] = rows[text].astype(object).where(rows[text].notna(), None)
    prepare = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore"), text),
    )
    model = make_pipeline(prepare, LogisticRegression(max_iter=500)).fit(rows[::2], species[::2])
    return Model("penguins", "palmerpenguins", model, rows[1::2], "predict")


TRAIN: tuple[Callable[[], Model], ...] = (breast_cancer, digits, diabetes, penguins)


def same(ours: Any, theirs: Any) -> str:
    """Say how equal two answers are; stops the demo when they are not."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    if theirs.dtype.kind in "OU":
        if ours.tolist() != theirs.tolist():
            raise SystemExit("an answer differs from scikit-learn's")
        return "all equal"
    if np.array_equal(ours, theirs):
        return "bit-equal"
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)
    return f"within {np.abs(ours - theirs).max():.0e}"


def serve(client: Client, folder: Path, model: Model) -> tuple[str, float]:
    """Push, deploy, call. Gives how equal the answers are and the seconds until the first one."""
    path = folder / f"{model.name}.joblib"
    joblib.dump(model.estimator, path)
    began = time.perf_counter()
    version = client.push(path, model.name)
    client.deploy(model.name, version=version.number, scaling=SHORT_WINDOWS)
    answer = client.predict(model.name, model.rows, output=model.output)
    took = time.perf_counter() - began
    return same(answer, model.expected()), took


def wait_for_zero(client: Client, name: str) -> float:
    """Wait until nothing runs for the endpoint; gives the seconds it took."""
    began = time.perf_counter()
    while time.perf_counter() - began < ZERO_WITHIN_S:
        if client.endpoint(name).replicas == 0:
            return time.perf_counter() - began
        time.sleep(0.2)
    raise SystemExit(f"{name} is still running after {ZERO_WITHIN_S:.0f} s")


def cold_start(client: Client, name: str) -> tuple[Endpoint, ColdStart]:
    """Give the endpoint with the start its call waited for; it is told a little later."""
    deadline = time.perf_counter() + 10
    while time.perf_counter() < deadline:
        endpoint = client.endpoint(name)
        if endpoint.cold_start is not None:
            return endpoint, endpoint.cold_start
        time.sleep(0.05)
    raise SystemExit(f"{name} answered without having been woken")


def main() -> None:
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="kubeserve-demo-") as folder:
        console.print("[bold]Training four models on real data[/bold]")
        models = [train() for train in TRAIN]
        with installation() as (client, _):
            table = run(client, Path(folder), models)
            console.print(table)
            took = time.perf_counter() - began
            console.print(f"[bold green]All of it worked[/bold green], {took:.0f} s")
            look_around(client)


def look_around(client: Client) -> None:
    """Say where the dashboard is; where somebody sits in front of it, stay until they are done."""
    console.print(f"Dashboard: {client.url}/dashboard")
    console.print(f"Sign in by making an account: {client.invite(None, 'owner').link}")
    if not sys.stdin.isatty():
        console.print("Nobody is at a terminal, so this KubeServe ends now: kubeserve up has one.")
        return
    console.print("Have a look. [bold]Enter[/bold] ends it and leaves nothing behind.")
    with contextlib.suppress(KeyboardInterrupt):
        sys.stdin.readline()


def run(client: Client, folder: Path, models: list[Model]) -> Table:
    """Walk all models through push, deploy, predict, zero and back; gives the table of results."""
    served: dict[str, tuple[str, float]] = {}
    for model in models:
        served[model.name] = serve(client, folder, model)
        equal, took = served[model.name]
        console.print(
            f"  {model.name}: pushed, deployed and answered {len(model.rows)} rows "
            f"in {took:.2f} s; {equal}"
        )
    console.print("[bold]Waiting for all of them to fall to zero[/bold]")
    with ThreadPoolExecutor(len(models)) as pool:
        zero = list(pool.map(lambda model: wait_for_zero(client, model.name), models))
    table = Table(title="Four models, from file to endpoint, to zero and back")
    for heading in (
        "endpoint",
        "data",
        "served by",
        "equal to scikit-learn",
        "push → answer",
        "at zero after",
        "cold start",
        "phases, ms",
    ):
        table.add_column(heading)
    for model, idle in zip(models, zero, strict=True):
        equal, took = served[model.name]
        again = client.predict(model.name, model.rows, output=model.output)
        same(again, model.expected())
        endpoint, start = cold_start(client, model.name)
        table.add_row(
            model.name,
            model.data,
            endpoint.revisions[0].backend or "",
            equal,
            f"{took:.2f} s",
            f"{idle:.0f} s",
            f"{start.total_ms:.1f} ms",
            ", ".join(f"{phase} {ms:.1f}" for phase, ms in start.phases_ms.items()),
        )
    return table


if __name__ == "__main__":
    main()
