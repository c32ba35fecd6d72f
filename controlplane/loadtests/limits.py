"""What a test may ask of an endpoint, by its tenant's quota. Pure."""

import math
from typing import Final

from controlplane.tenants.limits import RAISE, Limits
from loadtests.plan import Plan
from loadtests.shapes import Knee, Wake
from runtime.problems import QuotaExceeded

RATE_OF_ONE: Final = 5000.0  # requests a second that a generator with half a core sends on time


def admitted(plan: Plan, most: Limits, most_generators: int) -> Plan:
    """Give the plan with its generators, and a `knee` that goes no further than allowed.

    Raises QuotaExceeded, naming the limit.
    """
    shape = plan.shape
    if isinstance(shape, Knee) and "most" not in shape.model_fields_set:
        capped = min(shape.most, max(most.loadtest_rate, shape.start))
        plan = plan.model_copy(update={"shape": shape.model_copy(update={"most": capped})})
    if isinstance(shape, Wake):
        _check("loadtest_rate", shape.burst, most.loadtest_rate, "requests at once")
    else:
        _check("loadtest_rate", rate(plan), most.loadtest_rate, "requests a second")
    _check("loadtest_s", longest_s(plan), most.loadtest_s, "seconds")
    return _with_generators(plan, most_generators)


def _with_generators(plan: Plan, most: int) -> Plan:
    """Say how many generators a test has, where it was not told."""
    if "processes" not in plan.model_fields_set:
        wanted = max(1, min(most, math.ceil(rate(plan) / RATE_OF_ONE), plan.connections))
        return plan.model_copy(update={"processes": wanted})
    if plan.processes > most:
        raise QuotaExceeded(
            f"This test asks for {plan.processes} processes that send; this installation has"
            f" {most} for a test (KUBESERVE_LOADTEST_GENERATORS). Ask for less, or leave it out.",
            quota="loadtest_generators",
            limit=most,
            needed=plan.processes,
        )
    return plan


def rate(plan: Plan) -> float:
    """Give the most requests a second that a test sends."""
    return max((max(one.start, one.end) for one in plan.shape.phases()), default=0.0)


def longest_s(plan: Plan) -> float:
    """Give the seconds that a test sends, or waits to send, at most."""
    if isinstance(plan.shape, Wake):
        return plan.shape.times * (plan.shape.zero_within + plan.timeout)
    return sum(one.seconds for one in plan.shape.phases())


def _check(quota: str, wanted: float, limit: int, unit: str) -> None:
    if wanted <= limit:
        return
    raise QuotaExceeded(
        f"This test takes up to {wanted:.6g} {unit}; the tenant's quota {quota} is {limit}. Ask "
        f"for less, {RAISE}",
        quota=quota,
        limit=limit,
        needed=wanted,
    )
