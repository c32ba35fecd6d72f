"""Rows one after the other: predictions as they come, and where it broke off."""

import numpy as np
import orjson
import pandas as pd
import pytest

from controlplane.client import ApiError, AsyncClient, BadAnswer
from runtime.codecs import ndjson
from tests.unit.client.conftest import FAST, SECRET
from tests.unit.client.fake_api import CUT, RESET

MANY = [[float(i), 0.5] for i in range(30_000)]
SUMS = [i + 0.5 for i in range(30_000)]


def sizes(api):
    return [body.count(b"\n") for _, path, _, body, _ in api.seen if path == "/predict"]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(lambda: MANY, id="list"),
        pytest.param(lambda: (tuple(row) for row in MANY), id="generator"),
        pytest.param(lambda: np.array(MANY), id="array"),
        pytest.param(lambda: ({"x1": b, "x0": a} for a, b in MANY), id="objects"),
        pytest.param(lambda: pd.DataFrame(MANY, columns=["x0", "x1"]), id="frame"),
    ],
)
def test_each_row_is_predicted_in_its_turn(api, client, rows):
    assert list(client.predict_stream("iris", rows())) == SUMS
    asked = sizes(api)
    assert asked[0] == 64  # who reads along does not wait long
    assert sum(asked) == len(MANY)
    assert all(len(call[3]) < 2 * 64 * 1024 for call in api.seen)


def test_rows_are_read_no_further_than_predictions_are_taken(api, client):
    taken = []

    def rows():
        for row in MANY:
            taken.append(row)
            yield row

    found = client.predict_stream("iris", rows())
    assert [next(found) for _ in range(65)] == SUMS[:65]
    assert len(taken) == 64 + 128
    found.close()
    assert len(taken) == 64 + 128


def test_no_rows_ask_for_nothing(api, client):
    assert list(client.predict_stream("iris", [])) == []
    assert sizes(api) == []


def test_several_outputs_come_as_objects(client):
    found = list(client.predict_stream("iris", MANY[:2], ["predict", "predict_proba"]))
    assert found == [{"predict": s, "predict_proba": s} for s in SUMS[:2]]
    assert list(client.predict_stream("iris", MANY[:2], "predict")) == SUMS[:2]


@pytest.mark.parametrize("bad", [0, 1, 63, 64, 100, 9_999])
def test_a_wrong_row_is_named_behind_the_predictions_of_those_before(client, bad):
    rows = [*MANY[:bad], [1, "x"], *MANY]
    found = []
    with pytest.raises(ApiError, match=f'row {bad}, column "x1": "x" is not a number') as caught:
        found.extend(client.predict_stream("iris", rows))
    assert found == SUMS[:bad]
    assert caught.value.errors[0]["row"] == bad


@pytest.mark.parametrize("broken", [RESET, CUT, (503, {}, {"retry-after": "0"}), (502, {})])
def test_a_request_that_breaks_is_sent_again(api, client, broken):
    api.misbehave("/predict", broken, broken)
    assert list(client.predict_stream("iris", MANY[:200])) == SUMS[:200]


def test_a_replica_that_ends_is_followed_by_the_next(api, client):
    def ends(handler):
        text = ndjson.encode_answer(("predict",), {"predict": np.array(SUMS[:10])})
        text += orjson.dumps({"error": {"status": 503, "detail": "Ending.", "row": 10}})
        handler.answer(200, raw=text, headers={"content-type": ndjson.MEDIA})

    api.misbehave("/predict", ends)
    assert list(client.predict_stream("iris", MANY[:200])) == SUMS[:200]
    assert sizes(api) == [64, 54, 128, 8]
    queries = [call[4] for call in api.seen if call[1] == "/predict"]
    assert [query.split("&")[0] for query in queries] == [
        "first=0",
        "first=10",
        "first=64",
        "first=192",
    ]


def test_an_answer_with_rows_missing_is_a_bad_answer(api, client):
    for text in (b"1\n", b"1\n" * 9, b"1\n{"):
        api.misbehave("/predict", (200, None, {}, text))
        with pytest.raises(BadAnswer):
            list(client.predict_stream("iris", MANY[:3]))


@pytest.mark.parametrize(
    ("rows", "error", "said"),
    [
        ("rows.csv", TypeError, "one after the other, not str"),
        ({"x0": 1}, TypeError, "not dict"),
        (3, TypeError, "not int"),
        ([[1, 2], [1, float("inf")]], ValueError, "row 1: infinity cannot be sent"),
        ([[1, object()]], TypeError, "row 0: a cell must be"),
    ],
)
def test_what_are_no_rows_is_refused(client, rows, error, said):
    with pytest.raises(error, match=said):
        list(client.predict_stream("iris", rows))


async def test_rows_may_come_asynchronously(api):
    async def rows():
        for row in MANY[:100]:
            yield row

    async with AsyncClient(api.url, "c-1", SECRET, retries=FAST) as client:
        assert [p async for p in client.predict_stream("iris", rows())] == SUMS[:100]
