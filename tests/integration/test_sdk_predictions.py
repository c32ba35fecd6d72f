"""The SDK's predictions against a real worker; only the API that names its address is a fake."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

from controlplane.client import ApiError, Client
from runtime.plan.plan import load
from tests.integration.runtime_rig import Served, linear_plan, serving
from tests.unit.client.fake_api import FakeApi

NAMES = ["sepal_l", "sepal_w", "petal_l", "petal_w"]
X = load_iris().data


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("sdk")) as served:
        yield served


@pytest.fixture
def client(worker: Served) -> Iterator[Client]:
    api = FakeApi()
    api.address = f"http://127.0.0.1:{worker.port}"
    api.tokens += ["token-0", worker.keys.token()]  # for the API, then for the endpoint
    given = [(200, {"access_token": token, "expires_in": 300}) for token in api.tokens]
    api.misbehave("/oauth2/token", *given)
    with Client(api.url, "c-1", "s:cret /") as opened:
        yield opened
    api.close()


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load(linear_plan(tmp_path_factory.mktemp("plan") / "iris.plan"))


@pytest.mark.parametrize("rows", [3, 150, 5000])
def test_arrays_and_frames_are_answered_to_the_last_bit(
    client: Client, plan: Any, rows: int
) -> None:
    x = np.resize(X, (rows, 4))
    frame = pd.DataFrame(x, columns=NAMES)
    for data in (x, frame, frame[NAMES[::-1]], {name: frame[name] for name in NAMES}):
        found = client.predict("iris", data, ["predict", "predict_proba"])
        assert isinstance(found, dict)
        assert found["predict"].dtype == np.int64
        assert np.array_equal(found["predict"], plan.run("predict", x))
        assert np.array_equal(found["predict_proba"], plan.run("predict_proba", x))


def test_a_wrong_cell_is_named_in_whichever_form_it_went(client: Client) -> None:
    for rows in (3, 5000):
        x = np.resize(X, (rows, 4)).copy()
        x[2, 1] = np.nan
        with pytest.raises(ApiError, match='row 2, column "sepal_w": is missing'):
            client.predict("iris", x)


def test_a_stream_of_rows_is_answered_in_order(client: Client, plan: Any) -> None:
    x = np.resize(X, (30_000, 4))
    found = list(client.predict_stream("iris", x, "predict_proba"))
    assert np.allclose(found, plan.run("predict_proba", x), rtol=0, atol=1e-12)
    labels: list[Any] = []
    rows: list[Any] = x.tolist()
    rows[20_000] = {"sepal_l": 1, "wing": 2}
    with pytest.raises(ApiError, match=r'row 20000, column "wing"') as caught:
        labels.extend(client.predict_stream("iris", iter(rows)))
    assert labels == plan.run("predict", x[:20_000]).tolist()
    assert caught.value.problem["row"] == 20_000


def test_an_endpoint_tells_what_it_takes(client: Client, plan: Any) -> None:
    assert client.signature("iris") == plan.signature


def test_lines_of_a_file_are_what_a_stream_takes(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "rows.ndjson"
    file.write_text("".join(json.dumps(row) + "\n" for row in X.tolist()))
    with file.open() as lines:
        found = list(client.predict_stream("iris", map(json.loads, lines)))
    assert found == client.predict("iris", X).tolist()  # type: ignore[union-attr]
