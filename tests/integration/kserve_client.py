"""What kserve's own client asks of a worker; run in an environment of its own.

It is started by test_official_clients.py, which tells it where the worker is.
"""

import asyncio
import os
from typing import Any

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

URL = f"http://127.0.0.1:{os.environ['PORT']}"
HEADERS = {"authorization": f"Bearer {os.environ['TOKEN']}"}
ROWS = np.array([[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]])
COLUMNS = ("sepal_l", "sepal_w", "petal_l", "petal_w")


async def v1() -> None:
    client = InferenceRESTClient(RESTConfig(protocol="v1"))
    assert await client.is_server_live(URL)
    assert await client.is_model_ready(URL, "iris", headers=HEADERS)
    found = await client.infer(
        URL, {"instances": ROWS.tolist()}, model_name="iris", headers=HEADERS
    )
    assert found == {"predictions": [0, 2]}
    refusal = None
    try:
        await client.infer(URL, {"instances": [[1]]}, model_name="iris", headers=HEADERS)
    except httpx.HTTPStatusError as error:
        refusal = error.response
    assert refusal is not None, "a wrong row was answered"
    assert refusal.status_code == 422
    assert refusal.json()["error"].startswith("row 0: has 1 values")
    await client.close()


async def v2() -> None:
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    assert await client.is_server_live(URL)
    assert await client.is_server_ready(URL)
    assert await client.is_model_ready(URL, "iris", headers=HEADERS)
    assert not await client.is_model_ready(URL, "other", headers=HEADERS)
    for binary in (False, True):
        for wanted in (False, True):
            await infer(client, [matrix(binary)], wanted)
            await infer(client, by_name(binary), wanted)
    await client.close()


def matrix(binary: bool) -> InferInput:
    sent = InferInput("input", list(ROWS.shape), "FP64")
    sent.set_data_from_numpy(ROWS, binary_data=binary)
    return sent


def by_name(binary: bool) -> list[InferInput]:
    found = []
    for name, cells in zip(COLUMNS, ROWS.T, strict=True):
        sent = InferInput(name, [len(cells)], "FP64")
        sent.set_data_from_numpy(np.ascontiguousarray(cells), binary_data=binary)
        found.append(sent)
    return found


async def infer(client: InferenceRESTClient, inputs: list[InferInput], wanted: bool) -> None:
    request = InferRequest(
        "iris",
        inputs,
        request_id="r-1",
        request_outputs=[
            RequestedOutput("predict", {"binary_data": wanted}),
            RequestedOutput("predict_proba", {"binary_data": wanted}),
        ],
    )
    heard: dict[str, Any] = {}
    answer = await client.infer(
        URL, request, model_name="iris", headers=dict(HEADERS), response_headers=heard
    )
    assert answer.id == "r-1"
    assert answer.model_name == "iris"
    raw = heard["content-type"] == "application/octet-stream"
    assert raw == wanted, heard
    labels, proba = answer.outputs
    assert labels.as_numpy().tolist() == [0, 2]
    assert proba.as_numpy().shape == (2, 3)
    assert np.allclose(proba.as_numpy().sum(axis=1), 1)


if __name__ == "__main__":
    print("started", flush=True)
    asyncio.run(v1())
    asyncio.run(v2())
    print("done")
