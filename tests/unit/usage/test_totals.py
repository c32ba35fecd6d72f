"""Tenants' usage for Prometheus: sums that only grow, and a bounded number of them."""

from uuid import UUID

from controlplane.usage.totals import FAMILIES, OTHER, Totals


def key(number: int) -> UUID:
    return UUID(int=number)


def shown(totals: Totals, name: str = "kubeserve_usage_requests") -> dict[tuple[str, str], float]:
    family = next(one for one in totals.collect() if one.name == name)
    return {(s.labels["tenant"], s.labels["endpoint"]): s.value for s in family.samples}


def test_what_is_metered_is_added_up() -> None:
    totals = Totals()
    totals.add(key(1), ("acme", "iris"), {"requests": 3, "rows": 5, "busy_s": 0.5})
    totals.add(key(1), ("acme", "iris"), {"requests": 4, "rows": None, "busy_s": 0.25})
    assert shown(totals) == {("acme", "iris"): 7}
    assert shown(totals, "kubeserve_usage_rows") == {("acme", "iris"): 5}
    assert shown(totals, "kubeserve_usage_busy_seconds") == {("acme", "iris"): 0.75}
    assert {one.name for one in totals.collect()} == {name for name, _ in FAMILIES.values()}


def test_endpoints_beyond_the_bound_are_one_sum_of_their_tenant() -> None:
    totals = Totals(most=100)
    for number in range(5000):
        totals.add(key(number), (f"t-{number % 3}", f"e-{number}"), {"requests": 1})
    found = shown(totals)
    assert len(found) == 100 + 3
    assert sum(found.values()) == 5000
    before = found["t-0", OTHER]
    totals.forget(key(4998))
    assert shown(totals)["t-0", OTHER] == before, "a sum does not fall"


def test_endpoints_that_are_gone_have_no_series_and_make_room() -> None:
    totals = Totals(most=1)
    totals.add(key(1), ("acme", "old"), {"requests": 1})
    totals.forget(key(1))
    totals.add(key(2), ("acme", "new"), {"requests": 2})
    assert shown(totals) == {("acme", "new"): 2}
    totals.clear()
    assert shown(totals) == {}
