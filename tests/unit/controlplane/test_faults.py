"""What pydantic found, in words: one fault a place, and nothing of Python in it."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from controlplane.endpoints.schemas import NewRelease
from controlplane.faults import faults_of, sentence
from controlplane.rollouts.schemas import NewRollout
from loadtests.slo import Objectives


class Strange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern="^a+$")] = "a"
    either: Literal["one"] | list[int] | None = None
    share: Annotated[float, Field(gt=0.5)] = 1


def told(kind: type[BaseModel], body: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(body)
    errors = [{**one, "loc": ("body", *one["loc"])} for one in caught.value.errors()]
    return list(map(sentence, faults_of(errors, body)))


DURATION = "write a duration with its unit, such as 50ms, 1.5s or 10m, not '50'"
TAG = "it must be lower-case letters, digits and dashes, 40 at most, with a letter first"


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        (Objectives, {"p99": "50"}, [f"p99: {DURATION}"]),
        (Objectives, [], ["body: it must be an object"]),
        (NewRollout, {"model": "m", "slo": {"p99": "50"}}, [f"slo.p99: {DURATION}"]),
        (NewRollout, {"model": "m", "slo": "mine"},
         ["slo: it must be 'endpoint', or it must be an object"]),
        (NewRollout, {"model": "m", "shadow": {"max_flips": 2.0}},
         ["shadow.max_flips: it must be less than 1"]),
        (NewRollout, {"replay": {}},
         ["model: it is missing", "replay.instances: it is missing"]),
        (NewRollout, {"model": "m", "steps": []}, ["steps: its length must be at least 1, not 0"]),
        (NewRollout, {"model": "m", "loadtest": {"shape": {"kind": "steady", "rate": -1.0}}},
         ["loadtest.shape.rate: it must be more than 0"]),
        (NewRelease, {"scaling": {"window_s": 3, "metric": "x"}, "version": 1.5},
         ["version: it must be a whole number, or it must be a text",
          "scaling.metric: it must be concurrency or rps",
          "scaling.window_s: it must be at least 6"]),
        (NewRelease, {"traffic": [{"percent": 1, "tag": "A"}]},
         [f"traffic.0.tag: {TAG} and no dash last"]),
        (Strange, {"name": "b", "more": 1},
         ["name: it is not written as the reference at /docs tells",
          "more: there is no such member"]),
        (Strange, {"either": [1, "x"], "share": 0.5},
         ["either.1: it must be a whole number", "share: it must be more than 0.5"]),
    ],
)  # fmt: skip
def test_faults_are_sentences(kind: type[BaseModel], body: Any, expected: list[str]) -> None:
    assert told(kind, body) == expected
