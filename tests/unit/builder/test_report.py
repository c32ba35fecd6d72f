"""A report is kept in the database, whose JSON knows no classes of ours."""

import orjson

from controlplane.builder.report import Outcome, Report
from runtime.plan import Cost


def test_report_of_a_plan_is_json() -> None:
    document = Report(Outcome.PLAN, cost=Cost(1.5, 0.25), families=("linear",)).to_json()
    kept = orjson.loads(orjson.dumps(document))
    assert kept["cost"] == {"c0_us": 1.5, "c1_us": 0.25}
    assert kept["outcome"] == "plan"
