"""Translate NetworkPolicies to packet filter rules; pure: documents in, `iptables-restore` out.

One chain for each direction in which a pod is isolated: what a policy allows returns, the rest is
rejected, so that a forbidden connection fails at once. As everywhere, a node may reach its pods.
"""

import hashlib
import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

Json = dict[str, Any]
Named = tuple[str, str]
ENTRY: Final = "KS-POLICY"
ENDED: Final = ("Succeeded", "Failed")


def render(
    policies: Iterable[Json], pods: Iterable[Json], namespaces: Mapping[str, Json]
) -> tuple[dict[str, list[str]], list[str]]:
    """Give the chains by name, and the rules of the entry chain that lead to them."""
    labels = {name: found["metadata"].get("labels", {}) for name, found in namespaces.items()}
    living = [pod for pod in pods if address_of(pod)]
    chains: dict[str, list[str]] = {}
    entry = ["-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN"]
    for policy in sorted(policies, key=lambda found: str(found["metadata"]["uid"])):
        for pod in _selected(policy, living):
            for direction in _directions(policy["spec"]):
                chain = _chain(direction, pod)
                if chain not in chains:
                    chains[chain] = []
                    entry.append(
                        f"{'-d' if direction == 'Ingress' else '-s'} {address_of(pod)} -j {chain}"
                    )
                allowed = _allowed(direction, policy, pod, living, labels)
                chains[chain] += [f"{match} -j RETURN".strip() for match in allowed]
    for rules in chains.values():
        rules.append("-j REJECT --reject-with icmp-admin-prohibited")
    return chains, entry


def _selected(policy: Json, pods: Sequence[Json]) -> list[Json]:
    namespace, selector = policy["metadata"]["namespace"], policy["spec"].get("podSelector", {})
    return [
        pod
        for pod in pods
        if pod["metadata"]["namespace"] == namespace and matches(selector, _labels(pod))
    ]


def _directions(spec: Json) -> Sequence[str]:
    default = ["Ingress", "Egress"] if "egress" in spec else ["Ingress"]
    return spec.get("policyTypes") or default


def _allowed(
    direction: str, policy: Json, pod: Json, pods: Sequence[Json], labels: Mapping[str, Json]
) -> Iterator[str]:
    ingress = direction == "Ingress"
    flag = "-s" if ingress else "-d"
    for rule in policy["spec"].get(direction.lower()) or []:
        wanted = rule.get("ports")
        peers = rule.get("from" if ingress else "to")
        if not peers:
            # A named port of no known pod has no number: it allows nothing.
            yield from _ports(wanted, pod if ingress else None)
            continue
        for peer in peers:
            for address, other in _addresses(peer, policy, pods, labels):
                for ports in _ports(wanted, pod if ingress else other):
                    yield f"{flag} {address} {ports}"


def _addresses(
    peer: Json, policy: Json, pods: Sequence[Json], labels: Mapping[str, Json]
) -> Iterator[tuple[str, Json | None]]:
    if block := peer.get("ipBlock"):
        for network in without(block["cidr"], block.get("except") or []):
            yield network, None
        return
    for pod in pods:
        namespace = pod["metadata"]["namespace"]
        if "namespaceSelector" in peer:
            near = matches(peer["namespaceSelector"], labels.get(namespace, {}))
        else:
            near = namespace == policy["metadata"]["namespace"]
        if near and matches(peer.get("podSelector", {}), _labels(pod)):
            yield f"{address_of(pod)}/32", pod


def without(cidr: str, excepted: Sequence[str]) -> list[str]:
    """Take networks out of a network; IPv6 has no addresses here."""
    whole = ipaddress.ip_network(cidr)
    if whole.version != 4:
        return []
    left: list[ipaddress.IPv4Network] = [ipaddress.IPv4Network(cidr)]
    for hole in map(ipaddress.IPv4Network, excepted):
        parts: list[ipaddress.IPv4Network] = []
        for network in left:
            if hole.subnet_of(network):
                parts += network.address_exclude(hole)
            elif not network.subnet_of(hole):
                parts.append(network)
        left = parts
    return [str(network) for network in sorted(left)]


def _ports(wanted: Sequence[Json] | None, owner: Json | None) -> Iterator[str]:
    """Give a match for each port; `owner` is the pod whose ports the names are."""
    if not wanted:
        yield ""
        return
    for item in wanted:
        protocol = item.get("protocol", "TCP")
        match = f"-p {protocol.lower()}"
        port = item.get("port")
        if port is None:
            yield match
        elif isinstance(port, int):
            last = item.get("endPort", port)
            yield f"{match} --dport {port if last == port else f'{port}:{last}'}"
        else:
            for number in _named_ports(owner, port, protocol):
                yield f"{match} --dport {number}"


def _named_ports(pod: Json | None, name: str, protocol: str) -> Iterator[int]:
    for container in pod["spec"]["containers"] if pod else ():
        for port in container.get("ports") or []:
            if port.get("name") == name and port.get("protocol", "TCP") == protocol:
                yield port["containerPort"]


def matches(selector: Json, labels: Mapping[str, str]) -> bool:
    """Tell whether labels fit a selector; an empty one fits all."""
    exact = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in exact.items()) and all(
        _fits(expression, labels) for expression in selector.get("matchExpressions") or []
    )


def _fits(expression: Json, labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case other:
            raise ValueError(f"operator {other}")


def address_of(pod: Json) -> str:
    """Give the address of a pod that has one of its own and has not ended."""
    status = pod.get("status", {})
    if pod["spec"].get("hostNetwork") or status.get("phase") in ENDED:
        return ""
    return str(status.get("podIP", ""))


def _labels(pod: Json) -> Mapping[str, str]:
    found: Mapping[str, str] = pod["metadata"].get("labels", {})
    return found


def _chain(direction: str, pod: Json) -> str:
    digest = hashlib.sha256(str(pod["metadata"]["uid"]).encode()).hexdigest()[:16]
    return f"KS-{direction[0]}-{digest}"
