"""The sync and the async client are one: the same methods, the same arguments."""

import inspect

import kubeserve

from controlplane import client
from controlplane.client.retries import Budget, RetryPolicy, delay


def methods(kind):
    return {
        name: [(p.name, p.default, p.kind) for p in inspect.signature(found).parameters.values()]
        for name, found in vars(kind).items()
        if callable(found) and not name.startswith("_")
    }


def test_both_clients_have_the_same_methods():
    assert methods(client.Client) == methods(client.AsyncClient)
    assert len(methods(client.Client)) >= 20


def test_every_method_is_documented():
    for kind in (client.Client, client.AsyncClient):
        assert all(getattr(kind, name).__doc__ for name in methods(kind))


def test_kubeserve_is_the_client():
    assert kubeserve.Client is client.Client
    assert set(kubeserve.__all__) == set(client.__all__)


def test_waits_grow_up_to_a_cap_and_differ():
    policy = RetryPolicy(first_s=0.1, most_s=1.0)
    assert [delay(policy, attempt, lambda: 1.0) for attempt in (1, 2, 4, 9)] == [0.1, 0.2, 0.8, 1.0]
    assert delay(policy, 1, lambda: 0.0) == 0.05


def test_the_budget_is_a_tenth_of_the_requests():
    budget = Budget(RetryPolicy(reserve=2.0))
    assert [budget.spend() for _ in range(3)] == [True, True, False]
    for _ in range(11):
        budget.earn()
    assert [budget.spend() for _ in range(2)] == [True, False]
