"""The protocol's own clients, unchanged, against a real worker: tritonclient's and kserve's."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from tritonclient.utils import InferenceServerException

from runtime.launch import RevisionLaunch
from runtime.plan.plan import load
from tests.integration.runtime_rig import Keys, Served, digest_of, linear_plan, plan_of, serving

X = load_iris().data
KSERVE = "kserve==0.21.0"
CODINGS = [None, "gzip", "deflate"]


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("iris")) as served:
        yield served


@pytest.fixture(scope="module")
def proba(tmp_path_factory: pytest.TempPathFactory) -> Any:
    plan = load(linear_plan(tmp_path_factory.mktemp("plan") / "iris.plan"))
    return lambda x: plan.run("predict_proba", np.asarray(x, np.float64))


FRAME = pd.DataFrame(
    {
        "age": [30.0, 41.0, 25.0, 60.0, 33.0, 52.0],
        "island": ["Biscoe", "Dream", "Dream", "Torgersen", "Biscoe", "Torgersen"],
        "rooms": [1, 2, 1, 4, 3, 2],
    }
)
LABELS = ["yes", "no", "yes", "no", "yes", "no"]


@pytest.fixture(scope="module")
def fitted() -> Any:
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["island"]), (StandardScaler(), ["age", "rooms"])
    )
    return make_pipeline(encode, LogisticRegression()).fit(FRAME, LABELS)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory, fitted: Any) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("mixed")
    plan = plan_of(folder / "mixed.plan", fitted, list(FRAME.columns))
    revision = RevisionLaunch("people-00007", "people", 7, str(plan), digest_of(plan))
    keys = Keys(folder)
    with serving(folder, keys, endpoint="people", revisions=(revision,)) as served:
        yield served


def bearer(served: Served) -> dict[str, str]:
    return {"Authorization": f"Bearer {served.keys.token()}"}


@pytest.fixture
def client(iris: Served) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(f"127.0.0.1:{iris.port}") as opened:
        yield opened


def tensor(name: str, values: Any, datatype: str, *, binary: bool) -> triton.InferInput:
    array = np.asarray(values)
    sent = triton.InferInput(name, list(array.shape), datatype)
    sent.set_data_from_numpy(array, binary_data=binary)
    return sent


def test_triton_asks_what_there_is(client: triton.InferenceServerClient, iris: Served) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    headers = bearer(iris)
    assert client.is_model_ready("iris", headers=headers)
    assert client.is_model_ready("iris", "1", headers=headers)
    assert not client.is_model_ready("other", headers=headers)
    assert not client.is_model_ready("iris", "2", headers=headers)
    server = client.get_server_metadata(headers=headers)
    assert "binary_tensor_data" in server["extensions"]
    for version in ("", "1"):
        model = client.get_model_metadata("iris", version, headers=headers)
        assert (model["name"], model["versions"]) == ("iris", ["1"])
        assert model["inputs"] == [{"name": "input", "datatype": "FP64", "shape": [-1, 4]}]
        assert {"name": "predict_proba", "datatype": "FP64", "shape": [-1, 3]} in model["outputs"]
        config = client.get_model_config("iris", version, headers=headers)
        assert config["input"] == [{"name": "input", "data_type": "TYPE_FP64", "dims": [-1, 4]}]
    assert client.get_model_repository_index(headers=headers) == [
        {"name": "iris", "version": "1", "state": "READY", "reason": ""}
    ]


def test_triton_reads_statistics(client: triton.InferenceServerClient, iris: Served) -> None:
    headers = bearer(iris)
    seen = client.get_inference_statistics("iris", "1", headers=headers)["model_stats"][0]
    client.infer("iris", [tensor("input", X[:7], "FP64", binary=True)], headers=headers)
    now = client.get_inference_statistics(headers=headers)["model_stats"][0]
    assert now["inference_count"] == seen["inference_count"] + 7
    assert now["execution_count"] == seen["execution_count"] + 1
    counts = [stats["inference_stats"]["success"]["count"] for stats in (seen, now)]
    assert counts[1] == counts[0] + 1


def test_triton_is_told_what_there_is_not(
    client: triton.InferenceServerClient, iris: Served
) -> None:
    headers = bearer(iris)
    for ask in (
        lambda: client.get_model_metadata("other", headers=headers),
        lambda: client.load_model("iris", headers=headers),
        lambda: client.get_trace_settings(headers=headers),
        lambda: client.get_log_settings(headers=headers),
        lambda: client.get_system_shared_memory_status(headers=headers),
    ):
        with pytest.raises(InferenceServerException) as caught:
            ask()
        assert caught.value.status() == "404"
        assert "There is nothing at /v2/" in caught.value.message()
    with pytest.raises(InferenceServerException) as caught:
        client.get_model_metadata("iris")
    assert caught.value.status() == "401"


@pytest.mark.parametrize("packed", CODINGS)
@pytest.mark.parametrize("answer", CODINGS)
@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
@pytest.mark.parametrize("rows", [1, 150])
def test_triton_infers_in_every_form(
    client: triton.InferenceServerClient,
    iris: Served,
    proba: Any,
    rows: int,
    binary: bool,
    answer: str | None,
    packed: str | None,
) -> None:
    x = X[:rows]
    found = client.infer(
        "iris",
        [tensor("input", x, "FP64", binary=binary)],
        outputs=[
            triton.InferRequestedOutput("predict_proba", binary_data=binary),
            triton.InferRequestedOutput("predict", binary_data=not binary),
        ],
        request_id="r-1",
        headers=bearer(iris),
        request_compression_algorithm=packed,
        response_compression_algorithm=answer,
    )
    assert found.get_response()["id"] == "r-1"
    assert found.get_response()["model_name"] == "iris"
    assert np.array_equal(found.as_numpy("predict_proba"), proba(x))
    assert found.as_numpy("predict").tolist() == proba(x).argmax(axis=1).tolist()


@pytest.mark.parametrize("dtype", ["f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?"])
def test_triton_sends_numbers_of_every_datatype(
    client: triton.InferenceServerClient, iris: Served, proba: Any, dtype: str
) -> None:
    x = X.astype(dtype)
    datatype = triton.np_to_triton_dtype(x.dtype)
    columns = [
        tensor(name, np.ascontiguousarray(x[:, i]), datatype, binary=True)
        for i, name in enumerate(("sepal_l", "sepal_w", "petal_l", "petal_w"))
    ]
    for inputs in ([tensor("input", x, datatype, binary=True)], columns[::-1]):
        found = client.infer(
            "iris",
            inputs,
            model_version="1",
            headers=bearer(iris),
            outputs=[triton.InferRequestedOutput("predict_proba")],
        )
        assert np.array_equal(found.as_numpy("predict_proba"), proba(x))


def test_triton_sends_bf16(client: triton.InferenceServerClient, iris: Served, proba: Any) -> None:
    import ml_dtypes

    x = X.astype(ml_dtypes.bfloat16)
    found = client.infer(
        "iris",
        [tensor("input", x, "BF16", binary=True)],
        headers=bearer(iris),
        outputs=[triton.InferRequestedOutput("predict_proba")],
    )
    assert np.array_equal(found.as_numpy("predict_proba"), proba(x))


def columns(*, binary: bool) -> list[triton.InferInput]:
    return [
        tensor("rooms", FRAME["rooms"].to_numpy(), "INT64", binary=binary),
        tensor("island", FRAME["island"].to_numpy(object), "BYTES", binary=binary),
        tensor("age", FRAME["age"].to_numpy().reshape(-1, 1), "FP64", binary=binary),
    ]


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_triton_sends_columns_by_name_and_reads_labels(
    mixed: Served, fitted: Any, binary: bool
) -> None:
    with triton.InferenceServerClient(f"127.0.0.1:{mixed.port}") as client:
        headers = bearer(mixed)
        inputs = client.get_model_metadata("people", headers=headers)["inputs"]
        assert [(i["name"], i["datatype"]) for i in inputs] == [
            ("age", "FP64"),
            ("island", "BYTES"),
            ("rooms", "FP64"),
        ]
        outputs = [
            triton.InferRequestedOutput(name, binary_data=binary)
            for name in ("predict", "predict_proba")
        ]
        found = client.infer("people", columns(binary=binary), outputs=outputs, headers=headers)
        texts = [v.decode() if binary else v for v in found.as_numpy("predict").tolist()]
        assert texts == fitted.predict(FRAME).tolist()
        assert np.allclose(
            found.as_numpy("predict_proba"), fitted.predict_proba(FRAME), rtol=0, atol=1e-12
        )
        found = client.infer("people", columns(binary=binary), headers=headers)
        assert found.get_response()["model_version"] == "7"
        assert [v.decode() for v in found.as_numpy("predict").tolist()] == texts


def test_triton_names_what_is_wrong(client: triton.InferenceServerClient, iris: Served) -> None:
    headers = bearer(iris)
    bad = X[:2].copy()
    bad[1, 2] = np.nan
    for inputs, status, said in (
        ([tensor("input", bad, "FP64", binary=True)], "422", 'row 1, column "petal_l": is missing'),
        ([tensor("input", X[:2, :3], "FP64", binary=True)], "422", "has 3 columns"),
        ([tensor("colour", X[:2, 0], "FP64", binary=True)], "422", 'column "colour"'),
    ):
        with pytest.raises(InferenceServerException) as caught:
            client.infer("iris", inputs, headers=headers)
        assert caught.value.status() == status
        assert said in caught.value.message()
    with pytest.raises(InferenceServerException, match="no output"):
        client.infer(
            "iris",
            [tensor("input", X[:1], "FP64", binary=True)],
            outputs=[triton.InferRequestedOutput("colour")],
            headers=headers,
        )
    with pytest.raises(InferenceServerException, match="classification"):
        client.infer(
            "iris",
            [tensor("input", X[:1], "FP64", binary=True)],
            outputs=[triton.InferRequestedOutput("predict_proba", class_count=2)],
            headers=headers,
        )
    with pytest.raises(InferenceServerException, match="token"):
        client.infer("iris", [tensor("input", X[:1], "FP64", binary=True)])


def test_triton_asks_many_at_once(
    client: triton.InferenceServerClient, iris: Served, proba: Any
) -> None:
    asked = [
        client.async_infer(
            "iris",
            [tensor("input", X[i : i + 3], "FP64", binary=bool(i % 2))],
            outputs=[triton.InferRequestedOutput("predict_proba")],
            headers=bearer(iris),  # each its own: the client writes into what it is given
        )
        for i in range(20)
    ]
    for i, one in enumerate(asked):
        found = one.get_result(timeout=20).as_numpy("predict_proba")
        assert np.allclose(found, proba(X[i : i + 3]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
@pytest.mark.parametrize("coding", CODINGS)
async def test_triton_with_asyncio(
    iris: Served, proba: Any, coding: str | None, binary: bool
) -> None:
    headers = bearer(iris)
    async with triton_aio.InferenceServerClient(f"127.0.0.1:{iris.port}") as client:
        assert await client.is_server_ready()
        assert await client.is_model_ready("iris", headers=dict(headers))
        assert (await client.get_model_repository_index(headers=dict(headers)))[0]["name"] == "iris"
        found = await client.infer(
            "iris",
            [tensor("input", X, "FP64", binary=binary)],
            outputs=[triton.InferRequestedOutput("predict_proba", binary_data=binary)],
            headers=dict(headers),
            request_compression_algorithm=coding,
            response_compression_algorithm=coding,
        )
        assert np.array_equal(found.as_numpy("predict_proba"), proba(X))
        with pytest.raises(InferenceServerException, match="token"):
            await client.infer("iris", [tensor("input", X, "FP64", binary=binary)])


# It pins other versions of what we use ourselves, so it lives in an environment of its own.
UNREACHABLE = ("error sending request", "dns error", "Failed to fetch", "operation timed out")


def test_kserve_infers_by_v1_and_v2(iris: Served, proba: Any) -> None:
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not there to make kserve's environment")
    script = Path(__file__).with_name("kserve_client.py")
    own = {"PYTHONDONTWRITEBYTECODE": "1", "TOKEN": iris.keys.token(), "PORT": str(iris.port)}
    ran = subprocess.run(
        [uv, "run", "--no-project", "--python", sys.executable, "--with", KSERVE, "python", script],
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        timeout=570,
    )
    if "started" not in ran.stdout and any(said in ran.stderr for said in UNREACHABLE):
        pytest.skip(f"the package index cannot be reached: {ran.stderr[-300:]}")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.split()[-1] == "done"
