"""Load tests of the demo's endpoints, and their reports: `task loadtest`.

Starts the whole product, pushes and deploys the demo's four models, sends each one its rows as
wake, steady and spike, and leaves the reports in a folder. Exit code 0 if every test passed, 6 if
one could not tell (a busy machine), 1 if one failed.
"""

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np
from rich.console import Console
from rich.table import Table

from controlplane.client import Client
from loadtests.benchmarks.installation import COMMAND, installation
from loadtests.reports.words import figure
from tests.e2e.demo import SHORT_WINDOWS, TRAIN, Model

console = Console(highlight=False, soft_wrap=True, width=150)
# A machine with two cores runs the server, the generator and the control plane.
SUITE: Final = {
    "wake": ["--burst", "20", "--times", "6", "--cold-start", "500ms", "--error-rate", "0"],
    "steady": ["--rate", "200", "--duration", "20s", "--p50", "20ms", "--p95", "50ms",
               "--p99", "250ms", "--error-rate", "0.1%", "--throughput", "200"],
    # 4500 requests: 0.1 % of errors is bounded by 3838 without one at least.
    "spike": ["--rate", "50", "--peak", "400", "--duration", "10s", "--rest", "5s",
              "--p95", "100ms", "--error-rate", "0.1%"],
}  # fmt: skip
OUTCOMES: Final = {0: "passed", 1: "failed", 6: "inconclusive"}


def main() -> int:
    """Run the suite; gives the exit code."""
    parser = argparse.ArgumentParser(description="Load tests of the demo's endpoints.")
    parser.add_argument("--out", type=Path, default=Path("loadtest-reports"))
    out = parser.parse_args().out
    table = Table(title="Load tests of four models")
    for heading in ("endpoint", "test", "verdict", "requests", "p50", "p95", "p99", "report"):
        table.add_column(heading)
    codes = []
    with tempfile.TemporaryDirectory(prefix="kubeserve-loadtest-") as folder:
        console.print("[bold]Training four models on real data[/bold]")
        models = [train() for train in TRAIN]
        with installation() as (client, home):
            for model in models:
                sample = deployed(client, Path(folder), model)
                for shape, arguments in SUITE.items():
                    report = out / model.name / shape
                    code = run(home, model.name, shape, [*arguments, "--sample", sample], report)
                    codes.append(code)
                    table.add_row(model.name, shape, *row(code, report))
    console.print(table)
    return next((code for code in (1, 6) if code in codes), 0)


def deployed(client: Client, folder: Path, model: Model) -> str:
    """Push and deploy a model; gives a file of rows that it has not seen."""
    path = folder / f"{model.name}.joblib"
    joblib.dump(model.estimator, path)
    version = client.push(path, model.name)
    client.deploy(model.name, version=version.number, scaling=SHORT_WINDOWS)
    rows = model.rows
    if isinstance(rows, np.ndarray):
        document: Any = rows.tolist()
    else:
        document = rows.astype(object).where(rows.notna(), None).to_dict("records")
    sample = folder / f"{model.name}.ndjson"
    sample.write_text("\n".join(map(json.dumps, document)))
    return str(sample)


def run(home: Path, endpoint: str, shape: str, arguments: list[str], report: Path) -> int:
    """Run one test as one types it; gives its exit code."""
    console.print(f"[bold]{endpoint}: {shape}[/bold]")
    code = subprocess.run(
        [*COMMAND, "loadtest", endpoint, "--shape", shape, *arguments, "--out", str(report)],
        env={**os.environ, "KUBESERVE_HOME": str(home)},
        check=False,
    ).returncode
    if code not in OUTCOMES:
        raise SystemExit(f"the test ended with {code}")
    return code


def row(code: int, report: Path) -> list[str]:
    """Give a test's line of the table."""
    totals = json.loads((report / "report.json").read_text())["totals"]
    seconds = {one["name"]: one["seconds"] for one in totals["latencies"]}
    shown = [figure(seconds[name], "s") for name in ("p50", "p95", "p99")]
    return [OUTCOMES[code], str(totals["sent"]), *shown, str(report / "report.html")]


if __name__ == "__main__":
    raise SystemExit(main())
