"""The payload log on the real thing: a store that is down, and whoever dies meanwhile."""

import contextlib
import io
import json
import os
import signal
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pyarrow.parquet as pq
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from controlplane.client import Client
from controlplane.client.errors import ClientError
from loadtests.benchmarks.installation import COMMAND, installation
from tests import waiting
from tests.e2e.test_rollouts import newest, push

until = partial(waiting.until, within_s=120.0)
CANARY = "123-45-6789"
ROWS = 200


def model() -> tuple[Any, pd.DataFrame]:
    x = pd.DataFrame({"age": [20.0, 30.0, 40.0, 50.0], "ssn": ["a", "b", CANARY, "d"]})
    encode = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["ssn"]),
                                     remainder="passthrough")  # fmt: skip
    return make_pipeline(encode, LogisticRegression()).fit(x, [0, 0, 1, 1]), x


def ask(client: Client, x: pd.DataFrame, times: int) -> None:
    rows = pd.concat([x] * (ROWS // len(x)), ignore_index=True)
    for _ in range(times):
        assert client.predict("people", rows).tolist() == [0, 0, 1, 1] * (ROWS // 4)


def kill(home: Path, what: str) -> None:
    """Kill a child of the keeper, and wait until another one is there."""
    keeper = psutil.Process(int((home / "keeper.pid").read_text().split()[0]))

    def found() -> int | None:
        for child in keeper.children():
            with contextlib.suppress(psutil.NoSuchProcess):  # or a zombie
                if what in " ".join(child.cmdline()):
                    return child.pid
        return None

    before = found()
    assert before is not None
    os.kill(before, signal.SIGKILL)
    until(lambda: found() not in (None, before))


def files(folder: Path, suffix: str) -> list[Path]:
    """Find files by how their names end; folders may go meanwhile."""
    return [
        Path(at, name)
        for at, _, names in os.walk(folder)
        for name in names
        if name.endswith(suffix)
    ]


def day(client: Client) -> dict[str, Any]:
    try:
        days = client.payload_log("people")["days"]
    except ClientError:  # the API is being started again
        return {}
    return dict(days[0]) if days else {}


def command(home: Path, *words: str) -> Any:
    env = {**os.environ, "KUBESERVE_HOME": str(home)}
    ran = subprocess.run([*COMMAND, "--json", *words], env=env, capture_output=True, check=True)
    return json.loads(ran.stdout)


def serves(client: Client) -> bool:
    try:
        return client.endpoint("people").replicas == 1
    except ClientError:
        return False


def test_with_the_store_down_and_all_killed_each_request_is_in_one_file_or_counted() -> None:
    fitted, x = model()
    with installation(3, payloads_every_s="1") as (client, home):
        push(client, fitted, "people")
        client.deploy("people", scaling={"min_scale": 1, "max_scale": 1})
        client.set_payload_log("people", 1.0, redact=["ssn"])
        client.wait_for_endpoint("people")
        objects, spool = home / "objects", home / "engine" / "payloads"
        objects.write_text("a store that takes nothing")
        ask(client, x, 60)
        until(lambda: "could not be kept yet" in (home / "logs" / "api.log").read_text())
        assert day(client).get("logged", 0) == 0
        kill(home, " api")
        kill(home, "supervisor")  # and with it all workers
        until(lambda: serves(client))
        ask(client, x, 20)
        until(lambda: files(spool, ".batch"))
        for path in files(spool, ".batch"):
            assert CANARY.encode() not in path.read_bytes()
        objects.unlink()

        def adds_up() -> bool:
            seen = day(client)
            dropped = sum(seen.get("dropped", {}).values())
            return bool(seen) and seen["sampled"] == 80 == seen["logged"] + dropped

        until(adds_up)
        # What the supervisor's end took from a worker's memory is of its last seconds.
        assert day(client)["dropped"]["lost"] + day(client)["logged"] == 80
        requests = list[str]()
        for file in client.payloads("people"):
            table = pq.read_table(io.BytesIO(client.payload_file("people", file.id)))
            assert "input.ssn" not in table.column_names
            assert set(table["input.age"].to_pylist()) == {20.0, 30.0, 40.0, 50.0}
            requests += [r["request_id"] for r in table.to_pylist() if r["row"] == 0]
        assert len(requests) == len({*requests}) == day(client)["logged"]
        shown = command(home, "payloads", "show", "people")
        assert shown["settings"]["redact"] == ["ssn"]
        taken = command(
            home, "payloads", "get", "people", "--since", "1h", "--out", str(home / "x")
        )
        assert len(pd.concat(map(pd.read_parquet, taken))) == ROWS * len(requests)
        assert command(home, "drift", "people")["references"][0]["kind"] == "first"
        assert client.delete_payloads("people") > 0
        until(lambda: not files(objects, ".parquet"))


def test_what_we_ask_is_not_logged_and_one_read_gives_all_that_callers_asked() -> None:
    fitted, x = model()
    rows = x.to_dict("records")
    with installation(3, payloads_every_s="1") as (client, home):
        for c in (1.0, 0.9):
            push(client, fitted.set_params(logisticregression__C=c), "people")
        client.deploy("people", 1, scaling={"min_scale": 1, "max_scale": 1})
        client.set_payload_log("people", 1.0)
        client.wait_for_endpoint("people")
        load = {"shape": {"kind": "steady", "rate": 50, "duration": "1s"}, "format": "v1"}
        load["objectives"] = {"p50": "30s", "error_rate": "50%"}
        replay = {"instances": rows, "max_flips": 0.0}
        begun = client.rollout("people:2", loadtest=load, replay=replay, step_s=0)
        until(lambda: newest(client, "people").step > 1 or newest(client, "people").is_over)
        seen = newest(client, "people")
        assert seen.raw["loadtest"] is not None
        assert seen.raw["replay"]["difference"]["rows"] == len(rows)
        if not seen.is_over:
            client.cancel_rollout("people", begun.number)
        client.deploy("people", 1, wait=True)
        client.predict("people", rows)
        until(lambda: day(client).get("logged") == 1)
        client.predict("people", rows, output="predict_proba")
        until(lambda: day(client).get("logged") == 2)
        assert day(client)["seen"] == day(client)["sampled"] == 2
        command(home, "payloads", "get", "people", "--out", str(home / "x"))
        (folder,) = (home / "x" / "people").iterdir()
        frame = pd.read_parquet(folder)
        assert len(frame) == 2 * len(rows)
        assert frame["output.predict_proba.0"].count() == len(rows)
        assert frame["input.ssn"].tolist() == [*x["ssn"], *x["ssn"]]
