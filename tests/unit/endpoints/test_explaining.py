"""Causes above the engine."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controlplane.endpoints.explaining import Seen, asked, patient, undeployed, watched
from controlplane.engines.engine import Cause, DesiredEndpoint, EndpointId
from tests.fakes import FakeEngine

DESIRED = DesiredEndpoint(EndpointId("1"), "demo", "iris", 1, "http://x/endpoints/1", ())


def version(state: str, **more: Any) -> dict[str, Any]:
    return {"number": 2, "state": state, "reason": None, "advice": None, **more}


@pytest.mark.parametrize(
    ("newest", "reason", "ok"),
    [
        (version("uploaded"), "Building", True),
        (version("building"), "Building", True),
        (version("ready"), "NotDeployed", False),
        (version("failed", reason="It needs xgboost."), "BuildFailed", False),
    ],
)
def test_a_name_without_an_endpoint_is_explained_by_its_model(
    newest: dict[str, Any], reason: str, ok: bool
) -> None:
    found = undeployed("iris", newest)
    assert (found.reason, found.ok) == (reason, ok)
    assert "iris:2" in found.message
    assert found.next_step


def test_a_failed_build_gives_its_own_reason_and_advice() -> None:
    failed = version("failed", reason="It needs xgboost.", advice="Use HistGradientBoosting.")
    found = undeployed("iris", failed)
    assert "It needs xgboost." in found.message
    assert found.next_step == "Use HistGradientBoosting."


async def test_an_engine_that_is_away_is_the_cause() -> None:
    engine = FakeEngine()
    engine.down = True
    found = await asked(engine, DESIRED)
    assert (found.reason, found.ok) == ("EngineUnavailable", False)
    assert found.evidence == ("The fake engine is down.",)


def test_a_release_of_this_moment_starts_and_an_old_one_is_stuck() -> None:
    stuck = Cause("NotTaken", False, "Not taken over yet.")
    assert patient(stuck, timedelta(seconds=3)).reason == "Starting"
    assert patient(stuck, timedelta(seconds=3)).ok
    assert patient(stuck, timedelta(seconds=60)) is stuck


def test_what_goes_wrong_now_is_told_before_an_earlier_rollback() -> None:
    serves = Cause("Serving", True, "It serves.", ())
    breach = (datetime(2026, 11, 30, tzinfo=UTC), ["p99: 80 of 100 were slower than 50 ms"])
    found = watched(serves, Seen(breach, None), "rollback", "Rollout 1 failed.")
    assert found.reason == "SloBreached"
    assert breach[1][0] in found.evidence
    assert "Rollout 1 failed." in found.evidence
    assert watched(serves, Seen(None, None), "rollback", "It failed.").reason == "RolledBack"
