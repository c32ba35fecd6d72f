"""A report is plain JSON, whatever classes its parts are."""

import orjson

from controlplane.builder.report import Outcome, Report
from runtime.plan.plan import Cost
from runtime.plan.signature import Column, Output, Signature


def test_a_report_is_json_by_name() -> None:
    signature = Signature((Column("x0"),), (Output("predict", "FP64"),))
    report = Report(Outcome.PLAN, signature=signature, cost=Cost(1.5, 0.25))
    document = orjson.loads(orjson.dumps(report.to_json()))
    assert document["cost"] == {"c0_us": 1.5, "c1_us": 0.25}
    assert document["signature"] == signature.to_json()
    assert Report(Outcome.FAILED).to_json()["cost"] is None
