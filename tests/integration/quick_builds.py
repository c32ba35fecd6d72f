"""A builder that finds every upload fit to be served, for tests of who may do what with it."""

from pathlib import Path
from typing import Any

from controlplane.builder.job import Builder
from controlplane.builder.report import Limits, Outcome, Report
from runtime.plan.signature import from_json

SIGNATURE = from_json(
    {
        "columns": [{"name": "x0", "kind": "number", "missing": False}],
        "outputs": [{"name": "predict", "datatype": "FP64", "width": None, "columns": []}],
        "named": False,
    }
)


class QuickBuilder(Builder):
    """Looks at nothing; real builds have tests of their own."""

    def __init__(self) -> None:
        super().__init__(Limits(), warm=False)

    async def build(self, source: Path, work: Path, *_: Any) -> Report:
        return Report(
            Outcome.FALLBACK,
            sklearn_version="1.9.0",
            estimator="sklearn.dummy.DummyRegressor",
            signature=SIGNATURE,
            fallback_because="nobody looked",
        )
