"""The leader's lease as a document: what is written is read back, whoever else wrote it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from controlplane.engines.knative import cluster as kube
from controlplane.engines.knative.leases import NAME, KubernetesLeases, lease, record
from controlplane.leading import Record
from runtime.problems import Conflict

NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


class Objects:
    """One object, with the API server's rules about versions."""

    def __init__(self) -> None:
        self.stored: dict[str, Any] | None = None

    def get(self, kind: kube.Kind, namespace: str | None, name: str) -> Any:
        assert (kind, namespace, name) == (kube.LEASE, "ks", NAME)
        return self.stored

    def create(self, document: Any) -> Any:
        if self.stored is not None:
            raise Conflict("it exists")
        return self._keep(document, 1)

    def replace(self, document: Any) -> Any:
        last = (self.stored or {"metadata": {}})["metadata"].get("resourceVersion")
        if document["metadata"]["resourceVersion"] != last:
            raise Conflict("it changed")
        return self._keep(document, int(last) + 1)

    def _keep(self, document: Any, version: int) -> Any:
        metadata = {**document["metadata"], "resourceVersion": str(version)}
        self.stored = {**document, "metadata": metadata}
        return self.stored


def test_what_is_written_is_read_back() -> None:
    wanted = Record("pod-1_ab", 10.0, 3, version="7")
    document = lease(wanted, "ks", NOW)
    assert document["metadata"]["resourceVersion"] == "7"
    assert document["spec"]["renewTime"] == "2026-01-02T03:04:05.000678Z"
    assert record(document) == Record("pod-1_ab", 10.0, 3, document["spec"]["renewTime"], "7")
    assert "resourceVersion" not in lease(Record("a"), "ks", NOW)["metadata"]


@pytest.mark.parametrize("spec", [None, {}, {"holderIdentity": None}, {"holderIdentity": ""}])
def test_a_lease_that_says_nothing_is_nobodys(spec: dict[str, Any] | None) -> None:
    found = record({"metadata": {"resourceVersion": "1"}, "spec": spec})
    assert found == Record("", 0.0, 0, "", "1")
    assert record(None) == Record()


async def test_a_write_over_what_changed_is_a_conflict() -> None:
    leases = KubernetesLeases(Objects(), "ks")
    first = await leases.put(Record("a", 10.0, 1))
    assert await leases.get() == first
    with pytest.raises(Conflict):
        await leases.put(Record("b", 10.0, 1))
    second = await leases.put(Record("a", 10.0, 1, version=first.version))
    assert second.version != first.version
    with pytest.raises(Conflict):
        await leases.put(Record("b", 10.0, 2, version=first.version))
