"""What a rollout is asked to be, checked before anything is moved. Reads and writes nothing."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from controlplane.endpoints.moving import Routed
from controlplane.endpoints.service import HUNDRED
from controlplane.loadtests.limits import longest_s
from controlplane.loadtests.schemas import Load
from controlplane.loadtests.service import Admit
from controlplane.rollouts.rules import Replay, Rules, Shadow
from loadtests.slo import Objectives
from runtime.codecs import v1
from runtime.plan.signature import from_json, has_labels
from runtime.problems import InvalidInput

MOST_ROWS: Final = 10_000  # of a replay


def check_steps(steps: Sequence[int]) -> None:
    """Refuse steps that do not lead to all traffic."""
    rising = all(low < high for low, high in pairwise(steps))
    if not steps or not rising or steps[0] < 1 or steps[-1] != HUNDRED:
        raise InvalidInput(
            f"The steps {','.join(map(str, steps))} must grow, from 1 or more, and end with 100: "
            "for example 5,25,100.",
            field="steps",
        )


def check_rows(rows: bytes, running: Routed) -> None:
    """Refuse rows that the running revision would refuse: its answers are what is compared with."""
    try:
        v1.decode(b'{"instances":' + rows + b"}", from_json(running.signature), max_rows=MOST_ROWS)
    except InvalidInput as error:
        raise InvalidInput(
            f"The rows do not fit {running.model}:{running.version}, which runs: {error.detail}",
            **{**error.members, "field": "replay.instances"},
        ) from error


def loadtest(load: Load, name: str, rules: Rules, tag: str, admit: Admit) -> dict[str, Any]:
    """Give the plan of a rollout's load test; raises InvalidInput and QuotaExceeded."""
    nothing = Objectives()
    held_to = nothing if rules.slo is None else rules.slo
    chosen = held_to if load.objectives == nothing else load.objectives
    asked = chosen.model_dump(mode="json", exclude_none=True)
    if not asked:
        raise InvalidInput(
            "A load test without objectives proves nothing: name some, or an SLO that it is held "
            "to.",
            field="loadtest.objectives",
        )
    if load.shape.kind == "wake":
        raise InvalidInput(
            "The shape wake waits until nothing runs, and callers are served meanwhile: choose "
            "another.",
            field="loadtest.shape",
        )
    plan = load.plan(endpoint=name, tag=tag, objectives=asked)
    if (takes_s := longest_s(plan)) >= rules.give_up_s:
        raise InvalidInput(
            f"The load test takes {takes_s:g} s, and a step is given up after "
            f"{rules.give_up_s:g} s (give_up_s).",
            field="loadtest.shape",
        )
    return admit(plan)


def check_flips(
    bounds: Shadow | Replay | None, field: str, running: Routed, candidate: Routed
) -> None:
    """Refuse a gate that nothing could pass or fail."""
    if bounds is None or bounds.max_flips is None:
        return
    for one in (running, candidate):
        if not has_labels(from_json(one.signature)):
            raise InvalidInput(
                f"{one.model}:{one.version} predicts no labels, so none can flip: bound the shift "
                "of its predictions instead (--max-shift).",
                field=field,
            )
