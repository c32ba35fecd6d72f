"""What a test may ask of an endpoint, by its tenant's quota. Pure."""

from controlplane.tenants.limits import RAISE, Limits
from loadtests.plan import Plan
from loadtests.shapes import Knee, Wake
from runtime.problems import QuotaExceeded


def admitted(plan: Plan, most: Limits) -> Plan:
    """Give the plan, of which `knee` goes no further than allowed where it was not told how far.

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
