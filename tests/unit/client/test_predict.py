"""Whatever people hold goes in, arrays come out; what breaks on the way is tried again."""

import numpy as np
import orjson
import pandas as pd
import pytest

from controlplane.client import ApiError, BadAnswer, NotFound, TimedOut, Unreachable, serving
from tests.unit.client.fake_api import CUT, NUMBERS, PENGUINS, RESET, SILENCE

INFER = "/v2/models/iris/infer"
ROWS = [[1.0, 2.0], [3.0, 4.5]]
NAMED = [{"x0": 1, "x1": 2}, {"x1": 4.5, "x0": 3}]


@pytest.mark.parametrize("protocol", [None, "v2", "v1"])
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(ROWS, id="lists"),
        pytest.param(tuple(map(tuple, ROWS)), id="tuples"),
        pytest.param(np.array(ROWS), id="array"),
        pytest.param(np.array(ROWS, np.float32), id="float32 array"),
        pytest.param(np.asfortranarray(ROWS), id="array in Fortran order"),
        pytest.param([np.array(row) for row in ROWS], id="list of arrays"),
        pytest.param(pd.DataFrame(ROWS), id="frame without names"),
        pytest.param(pd.DataFrame(ROWS, columns=["x0", "x1"]), id="frame"),
        pytest.param(pd.DataFrame(NAMED)[["x1", "x0"]], id="frame in another order"),
        pytest.param(NAMED, id="objects"),
        pytest.param({"x1": [2, 4.5], "x0": np.array([1, 3])}, id="columns"),
    ],
)
def test_numbers_are_predicted_from(client, data, protocol):
    found = client.predict("iris", data, protocol=protocol)
    assert found.dtype == np.float64
    assert found.tolist() == [3.0, 7.5]


@pytest.mark.parametrize("protocol", [None, "v2", "v1", "short"])
@pytest.mark.parametrize(
    "data",
    [
        pytest.param([{"mass": 1, "island": "a"}, {"mass": None, "island": "b"}], id="objects"),
        pytest.param(pd.DataFrame({"island": ["a", "b"], "mass": [1, np.nan]}), id="frame"),
        pytest.param({"island": ["a", "b"], "mass": [1, None]}, id="columns"),
    ],
)
def test_text_and_missing_cells_arrive_and_several_outputs_come_back(client, data, protocol):
    found = client.predict("penguins", data, ["predict", "predict_proba"], protocol=protocol)
    assert found["predict"].tolist() == ["a!", "b!"]
    assert np.array_equal(found["predict_proba"], [[1, 1], [np.nan, np.nan]], equal_nan=True)


def test_rows_of_text_by_position_take_the_short_form(api, client):
    assert client.predict("penguins", [[1, "a"]]).tolist() == ["a!"]
    assert api.count("/predict") == 1
    with pytest.raises(ValueError, match="V2 tensors have one type"):
        client.predict("penguins", [[1, "a"]], protocol="v2")


def test_one_row_as_an_object_and_one_output_by_name(client):
    found = client.predict("penguins", {"mass": 4, "island": "c"}, "predict_proba")
    assert found.tolist() == [[4, 4]]


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        ([1.0, 2.0], ValueError, r"for one row write \[\["),
        (np.array([1.0, 2.0]), ValueError, r"x.reshape\(1, -1\)"),
        ("rows.csv", TypeError, "not str"),
        (3, TypeError, "not int"),
        ([[1, float("inf")]], ValueError, "infinity cannot be sent"),
        (np.array([[0, -np.inf]]), ValueError, "row 0, column 1: infinity"),
        ([[1, 10**400]], ValueError, "too large"),
        ([[1, object()]], TypeError, "not object"),
        ([[1, pd.Timestamp(0)]], TypeError, "not Timestamp"),
        ({"x0": [1], "x1": [1, 2]}, ValueError, "differ in length"),
        ([{"x0": 1}, [1, 2]], ValueError, "row 1 is not an object"),
    ],
)
def test_what_are_no_rows_is_refused_before_anything_is_sent(api, client, data, error, said):
    with pytest.raises(error, match=said):
        client.predict("iris", data)
    assert not api.seen


def test_the_faults_of_an_input_are_in_the_error(client):
    with pytest.raises(ApiError) as caught:
        client.predict("iris", [[1, 2], [1, 2, 3]], protocol="v1")
    assert (caught.value.status, caught.value.kind) == (422, "invalid-input")
    assert caught.value.errors == [{"row": 1, "detail": "has 3 values, this model takes 2"}]


@pytest.mark.parametrize("broken", [RESET, CUT, (503, {}, {"retry-after": "0"}), (502, {})])
def test_a_prediction_that_breaks_is_tried_again(api, client, broken):
    api.misbehave(INFER, broken, broken)
    assert client.predict("iris", ROWS).tolist() == [3.0, 7.5]
    assert api.count(INFER) == 3


def test_it_is_given_up_after_three_tries(api, client):
    api.misbehave(INFER, RESET, RESET, RESET)
    with pytest.raises(Unreachable, match="kubeserve up"):
        client.predict("iris", ROWS)
    assert api.count(INFER) == 3
    assert client.predict("iris", ROWS).tolist() == [3.0, 7.5]


def test_a_refusal_is_not_tried_again(api, client):
    api.misbehave(INFER, (500, {"type": "/problems/internal", "detail": "Sorry."}))
    with pytest.raises(ApiError, match="Sorry"):
        client.predict("iris", ROWS)
    assert api.count(INFER) == 1


def test_a_server_that_asks_for_a_long_wait_is_not_waited_for(api, client):
    api.misbehave(INFER, (503, {"detail": "Later."}, {"retry-after": "3600"}))
    with pytest.raises(ApiError) as caught:
        client.predict("iris", ROWS)
    assert (api.count(INFER), caught.value.retry_after_s) == (1, 3600)


def test_retries_have_a_budget(api, client):
    client.predict("iris", ROWS)
    for _ in range(30):
        api.misbehave(INFER, RESET, RESET, RESET)
        with pytest.raises(Unreachable):
            client.predict("iris", ROWS)
    # Ten retries are in hand at first; each request earns a tenth of one.
    assert 30 + 1 + 10 <= api.count(INFER) <= 30 + 1 + 10 + 10


def test_patience_ends_without_another_try(api, client):
    client.predict("iris", ROWS)
    api.misbehave(INFER, SILENCE)
    with pytest.raises(TimedOut, match=r"within 0\.05 s"):
        client.predict("iris", ROWS, timeout_s=0.05)
    assert api.count(INFER) == 2


def test_tokens_and_addresses_are_asked_for_once(api, client):
    for _ in range(3):
        client.predict("iris", ROWS)
    assert api.count("/oauth2/token") == 2
    assert api.count("/v1/endpoints/iris", "GET") == 1
    sent = [body for _, path, _, body, _ in api.seen if path == "/oauth2/token"]
    assert sent[0] == b"grant_type=client_credentials"
    assert b"resource=" in sent[1]
    assert b"scope=predict" in sent[1]


def test_an_endpoint_that_was_made_again_is_found_again(api, client):
    client.predict("iris", ROWS)
    made = api.endpoint
    api.endpoint = lambda name, **more: made(name, audience=f"{api.url}/endpoints/new", **more)
    api.tokens[:] = [token for token in api.tokens if "/endpoints/" not in token]
    gone = {"error": "invalid_target", "error_description": "There is no such resource."}
    api.misbehave("/oauth2/token", (400, gone))
    assert client.predict("iris", ROWS).tolist() == [3.0, 7.5]
    assert api.tokens[-1].endswith("/endpoints/new")


NO_ROUTE = (404, None, {"content-type": "text/plain"}, b"")


def test_a_way_that_is_not_there_yet_is_waited_for(api, client):
    api.misbehave(INFER, *[NO_ROUTE] * 5)
    assert client.predict("iris", ROWS).tolist() == [3.0, 7.5]
    api.misbehave(INFER, NO_ROUTE)
    assert client.predict("iris", ROWS).tolist() == [3.0, 7.5]
    assert api.count(INFER) == 8


def test_a_way_that_does_not_come_is_said_so(api, client, monkeypatch):
    monkeypatch.setattr(serving, "ROUTED_WITHIN_S", 0.0)
    api.misbehave(INFER, NO_ROUTE)
    with pytest.raises(NotFound, match=r"iris is ready, and .* kubeserve why iris"):
        client.predict("iris", ROWS)
    assert api.count(INFER) == 1


def test_no_way_to_what_is_not_ready_or_gone_is_not_waited_for(api, client):
    made = api.endpoint
    client.predict("iris", ROWS)
    starting = {"status": "Unknown", "reason": "Starting", "message": "", "since": None}
    api.endpoint = lambda name, **more: made(name, ready=starting, **more)
    api.misbehave(INFER, NO_ROUTE)
    with pytest.raises(NotFound, match="answered 404"):
        client.predict("iris", ROWS)
    del api.endpoints["iris"]
    with pytest.raises(NotFound, match="There is no endpoint iris"):
        client.predict("iris", ROWS)
    assert api.count(INFER) == 2


def test_a_404_of_ours_is_not_waited_for(api, client):
    said = {"type": "/problems/not-found", "status": 404, "detail": "There is no output nope."}
    api.misbehave(INFER, (404, said))
    with pytest.raises(NotFound, match="There is no output nope"):
        client.predict("iris", ROWS)
    assert api.count(INFER) == 1


def test_an_endpoint_that_is_not_there_is_said_so(client):
    with pytest.raises(NotFound, match="There is no endpoint nope"):
        client.predict("nope", ROWS)


@pytest.mark.parametrize(
    "raw", [b"<html>", b"{}", b'{"outputs": [{"name": "predict", "shape": [9], "data": [1]}]}']
)
def test_an_answer_that_is_none_is_a_bad_answer(api, client, raw):
    api.misbehave(INFER, (200, None, None, raw))
    with pytest.raises(BadAnswer):
        client.predict("iris", ROWS)


def test_what_is_sent_is_what_the_protocol_says(api, client):
    client.predict("iris", np.array(ROWS))
    sent = orjson.loads(api.seen[-1][3])
    assert sent == {
        "inputs": [{"name": "input-0", "datatype": "FP64", "shape": [2, 2], "data": [1, 2, 3, 4.5]}]
    }
    assert len(NUMBERS.columns) == 2


def test_an_ingress_is_asked_for_an_endpoint_by_name(api, connect):
    api.address = "http://iris.acme.example.test"
    assert connect(ingress=api.url).predict("iris", ROWS).tolist() == [3.0, 7.5]
    hosts = [headers["host"] for _, path, headers, *_ in api.seen if path == INFER]
    assert hosts == ["iris.acme.example.test"]


TALL = np.linspace(0, 1, 2000).reshape(1000, 2)


@pytest.mark.parametrize(
    ("data", "names"),
    [
        pytest.param(TALL, ["input-0"], id="array"),
        pytest.param(TALL.astype(np.float32), ["input-0"], id="float32 array"),
        pytest.param(TALL.tolist(), ["input-0"], id="lists"),
        pytest.param(pd.DataFrame(TALL), ["input-0"], id="frame without names"),
        pytest.param(pd.DataFrame(TALL, columns=["x0", "x1"]), ["x0", "x1"], id="frame"),
        pytest.param({"x1": TALL[:, 1], "x0": TALL[:, 0]}, ["x1", "x0"], id="columns"),
    ],
)
def test_many_numbers_go_and_come_as_raw_tensors(api, client, data, names):
    found = client.predict("iris", data)
    expected = (
        TALL if names != ["input-0"] or "float32" not in str(getattr(data, "dtype", "")) else data
    )
    assert np.array_equal(found, np.asarray(expected, np.float64).sum(axis=1))
    found[0] = 7  # the answer is the caller's own
    _, _, headers, body, _ = api.seen[-1]
    head_bytes = int(headers["inference-header-content-length"])
    assert head_bytes % 8 == 0
    head = orjson.loads(body[:head_bytes])
    assert [tensor["name"] for tensor in head["inputs"]] == names
    assert len(body) == head_bytes + 16_000
    few = data[:2] if not isinstance(data, dict) else {k: v[:2] for k, v in data.items()}
    client.predict("iris", few)
    assert "inference-header-content-length" not in api.seen[-1][2]


def test_whole_numbers_and_truths_of_a_frame_stay_whole(api, client):
    frame = pd.DataFrame({"x0": np.arange(600, dtype=np.int16), "x1": [True, False] * 300})
    for few in (frame, frame[:3]):
        found = client.predict("iris", few)
        assert found.tolist() == (few["x0"] + few["x1"]).tolist()
    first, second = (call for call in api.seen if call[1] == INFER)
    head = orjson.loads(first[3][: int(first[2]["inference-header-content-length"])])
    assert [tensor["datatype"] for tensor in head["inputs"]] == ["INT64", "INT64"]
    assert b'"data":[1,0,1]' in second[3]


def test_missing_numbers_of_a_frame_are_told_as_missing(client):
    frame = pd.DataFrame({"x0": [1.0, np.nan] * 400, "x1": [2.0] * 800})
    for few in (frame, frame[:3]):
        with pytest.raises(ApiError, match='row 1, column "x0": is missing'):
            client.predict("iris", few)
    with pytest.raises(ValueError, match="infinity cannot be sent"):
        client.predict("iris", frame.replace(2.0, np.inf))


@pytest.mark.parametrize("where", ["x", "-1", "99999", ""])
def test_an_answer_whose_head_lies_is_a_bad_answer(api, client, where):
    api.misbehave(INFER, (200, {}, {"inference-header-content-length": where}))
    with pytest.raises(BadAnswer, match="could not be read"):
        client.predict("iris", TALL)


def test_a_token_for_an_endpoint_is_kept_until_it_is_refused(api, client):
    token = client.token("iris")
    assert token.endswith("/endpoints/id-iris")  # its audience, as this server writes its tokens
    assert client.token("iris") == token
    assert client.token("iris", refused=token) != token
    with pytest.raises(NotFound):
        client.token("wine")


def test_an_endpoint_tells_what_it_takes(api, client):
    assert client.signature("penguins") == PENGUINS
    tagged = {"name": "r", "model": "m", "version": 7, "tag": "new", "tag_url": api.url}
    revisions = {"revisions": [tagged]}
    api.misbehave("/v1/endpoints/penguins", *[(200, api.endpoint("penguins", **revisions))] * 2)
    assert client.signature("penguins", tag="new") == PENGUINS
    asked = [(method, path) for method, path, *_ in api.seen if path.startswith("/v2")]
    assert asked == [("GET", "/v2/models/penguins"), ("GET", "/v2/models/penguins/versions/7")]
    api.misbehave("/v2/models/iris", (200, {"signature": {"columns": []}}))
    with pytest.raises(BadAnswer, match="no signature"):
        client.signature("iris")
