"""Sketches of training data, as the SDK makes them: whatever is held, and what does not fit."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from controlplane.cli.training import columns_of
from controlplane.client.payloads import sketches_of
from runtime.sketches import sketch_from

FRAME = pd.DataFrame(
    {"age": [1.0, 2.0, None, 4.0], "job": ["a", "b", "a", None], "target": [0, 1, 0, 1]}
)
CSV = "age,job,target\n1,a,0\n2,b,1\n,a,0\n4,,1\n"


@pytest.mark.parametrize("data", [FRAME, columns_of(CSV)], ids=["frame", "CSV"])
def test_a_column_is_sketched_by_name_and_others_are_left_out(data: Any) -> None:
    body = sketches_of(data, ["age", "job"])
    assert (body["rows"], set(body["columns"])) == (4, {"age", "job"})
    age, job = (sketch_from(body["columns"][name]) for name in ("age", "job"))
    assert (age.bins.kind, age.missing, sum(age.counts)) == ("number", 1, 3)
    assert (job.bins.values, job.counts, job.missing) == (("a", "b"), (2, 1, 0), 1)


def test_an_array_has_the_columns_by_position() -> None:
    body = sketches_of(np.arange(20.0).reshape(10, 2), ["x0", "x1"])
    assert sketch_from(body["columns"]["x1"]).rows == 10
    with pytest.raises(ValueError, match="2 columns"):
        sketches_of(np.ones((3, 3)), ["x0", "x1"])


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="no column 'salary'; it has age, job, target"):
        sketches_of(FRAME, ["age", "salary"])
