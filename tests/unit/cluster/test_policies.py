"""NetworkPolicies as packet filter rules."""

import ipaddress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cluster.policies import matches, render, without

Json = dict[str, Any]
SPACES: dict[str, Json] = {
    name: {"metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}}}
    for name in ("ours", "other")
}
REJECT = "-j REJECT --reject-with icmp-admin-prohibited"


def pod(name: str, ip: str, namespace: str = "ours", **labels: str) -> Json:
    ports = [{"name": "web", "containerPort": 8080}]
    return {
        "metadata": {"uid": name, "name": name, "namespace": namespace, "labels": labels},
        "spec": {"containers": [{"ports": ports}]},
        "status": {"podIP": ip, "phase": "Running"},
    }


def policy(**spec: Any) -> Json:
    return {
        "metadata": {"uid": "p", "name": "p", "namespace": "ours"},
        "spec": {"podSelector": {}, **spec},
    }


PODS = [pod("a", "10.0.0.1", app="a"), pod("b", "10.0.0.2", app="b"), pod("c", "10.0.0.3", "other")]


def rules_of(*policies: Json) -> dict[str, list[str]]:
    """Give the rules by what leads to them: `-s IP` or `-d IP`."""
    chains, entry = render(policies, PODS, SPACES)
    return {rule.split(" -j ")[0]: chains[rule.split(" -j ")[1]] for rule in entry[1:]}


def test_without_policies_nothing_is_isolated() -> None:
    assert rules_of() == {}


def test_a_policy_without_rules_denies_only_its_directions_in_its_namespace() -> None:
    assert rules_of(policy()) == {"-d 10.0.0.1": [REJECT], "-d 10.0.0.2": [REJECT]}
    assert rules_of(policy(policyTypes=["Egress"])).keys() == {"-s 10.0.0.1", "-s 10.0.0.2"}
    # An egress section makes it one of both directions.
    assert len(rules_of(policy(egress=[]))) == 4


def test_policies_add_up() -> None:
    by_a = policy(ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "a"}}}]}])
    by_other = policy(ingress=[{"from": [{"namespaceSelector": {}}], "ports": [{"port": 80}]}])
    rules = rules_of(by_a, by_other, policy())["-d 10.0.0.2"]
    assert rules[0] == "-s 10.0.0.1/32  -j RETURN"
    assert "-s 10.0.0.3/32 -p tcp --dport 80 -j RETURN" in rules
    assert rules[-1] == REJECT


def test_an_empty_rule_allows_everything() -> None:
    assert rules_of(policy(ingress=[{}]))["-d 10.0.0.1"] == ["-j RETURN", REJECT]


def test_peers_of_both_selectors_fit_both() -> None:
    peer = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ours"}},
        "podSelector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["a"]}]},
    }
    rules = rules_of(policy(egress=[{"to": [peer]}], policyTypes=["Egress"]))["-s 10.0.0.1"]
    assert rules == ["-d 10.0.0.2/32  -j RETURN", REJECT]


@pytest.mark.parametrize(
    ("port", "match"),
    [
        ({"port": 53, "protocol": "UDP"}, "-p udp --dport 53"),
        ({"port": 1000, "endPort": 2000}, "-p tcp --dport 1000:2000"),
        ({"port": "web"}, "-p tcp --dport 8080"),
        ({"protocol": "UDP"}, "-p udp"),
    ],
)
def test_ports(port: Json, match: str) -> None:
    rules = rules_of(policy(ingress=[{"ports": [port]}]))["-d 10.0.0.1"]
    assert rules == [f"{match} -j RETURN", REJECT]


def test_a_named_port_that_no_container_has_allows_nothing() -> None:
    assert rules_of(policy(ingress=[{"ports": [{"port": "none"}]}]))["-d 10.0.0.1"] == [REJECT]


def test_pods_without_an_address_of_their_own_have_no_rules() -> None:
    ended = pod("d", "10.0.0.4")
    ended["status"]["phase"] = "Succeeded"
    of_the_host = pod("e", "10.0.0.5")
    of_the_host["spec"]["hostNetwork"] = True
    starting = pod("f", "")
    assert render([policy()], [ended, of_the_host, starting], SPACES)[0] == {}


networks = st.builds(
    lambda address, bits: ipaddress.IPv4Network((address, bits), strict=False),
    st.integers(0, 2**32 - 1),
    st.integers(0, 32),
)


@given(networks, st.lists(networks, max_size=3), st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_a_network_without_others(
    whole: ipaddress.IPv4Network, holes: list[ipaddress.IPv4Network], number: int
) -> None:
    left = [ipaddress.IPv4Network(part) for part in without(str(whole), list(map(str, holes)))]
    probes = [ipaddress.IPv4Address(number), whole[0], whole[-1], *(hole[0] for hole in holes)]
    for address in probes:
        wanted = address in whole and not any(address in hole for hole in holes)
        assert sum(address in part for part in left) == wanted


def test_selectors() -> None:
    def fits(operator: str, *values: str, key: str = "a") -> bool:
        expression = {"key": key, "operator": operator, "values": list(values)}
        return matches({"matchExpressions": [expression]}, {"a": "1"})

    assert matches({}, {})
    assert fits("In", "1", "2")
    assert not fits("In", "2")
    assert fits("NotIn", "2")
    assert fits("NotIn", "1", key="b")
    assert fits("Exists")
    assert fits("DoesNotExist", key="b")
    assert not fits("DoesNotExist")
