"""Whose ConfigMaps are written when keys change, and whose pods are made to read them."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from controlplane.artifacts.folder import FolderStore
from controlplane.engines.knative import cluster as kube
from controlplane.engines.knative import names
from controlplane.engines.knative.engine import Keys, KnativeEngine
from controlplane.engines.knative.install import Install, ObjectStore

STORE = ObjectStore("http://minio:9000", "bucket", "us-east-1", "minio")


INSTALL = Install("https://k", "runtime", "builder")


class Recorded:
    """Tenants' namespaces with a pod each; remembers which pods were annotated."""

    owned = "app=ours"

    def __init__(self, *tenants: str) -> None:
        self.tenants = tenants
        self.annotated: Sequence[str] = ()

    def list(self, kind: kube.Kind, namespace: str = "", *_: Any, **how: Any) -> Any:
        if kind is kube.POD:
            assert how["fields"] == "status.phase=Running"
            return [{"metadata": {"name": f"{namespace}-pod"}}], "1"
        return [{"metadata": {"labels": {names.TENANT: name}}} for name in self.tenants], "1"

    def annotate_pod(self, namespace: str, pod: str, annotations: dict[str, str]) -> None:
        assert list(annotations) == [names.KEYS_AT]
        self.annotated = [*self.annotated, pod]

    def taken(self) -> Sequence[str]:
        taken, self.annotated = self.annotated, ()
        return taken


@pytest.fixture
def recorded() -> Recorded:
    return Recorded("acme", "rival")


def engine(recorded: Recorded, folder: Path, store: ObjectStore | None) -> Any:
    install = dataclasses.replace(INSTALL, store=store)
    made = KnativeEngine(recorded, FolderStore(folder), None, install)  # type: ignore[arg-type]
    ensured: list[str] = []

    async def ensure(tenant: str) -> None:
        ensured.append(tenant)

    made.ensure_tenant = ensure  # type: ignore[method-assign]
    return made, ensured


async def test_without_a_store_pods_are_made_to_read_what_changed(
    recorded: Recorded, tmp_path: Path
) -> None:
    made, ensured = engine(recorded, tmp_path, None)
    await made.publish_keys(b"1", {})
    assert (ensured, recorded.taken()) == (["acme", "rival"], ["acme-pod", "rival-pod"])
    await made.publish_keys(b"1", {"acme": b"2"})
    assert (ensured[2:], recorded.taken()) == (["acme"], ["acme-pod"])
    # Once more: the kubelet may have looked before it had seen the new ConfigMap.
    await made.publish_keys(b"1", {"acme": b"2"})
    assert recorded.taken() == ["acme-pod"]
    await made.publish_keys(b"3", {"acme": b"2"})
    assert recorded.taken() == ["rival-pod"]


async def test_with_a_store_pods_look_there_by_themselves(
    recorded: Recorded, tmp_path: Path
) -> None:
    made, ensured = engine(recorded, tmp_path, STORE)
    await made.publish_keys(b"1", {"acme": b"2"})
    assert (ensured, recorded.taken()) == (["acme", "rival"], ())


def test_a_tenant_that_has_no_keys_of_its_own_gets_what_everybody_gets() -> None:
    keys = Keys(b"all", {"acme": b"theirs"})
    assert (keys.of("acme"), keys.of("rival")) == (b"theirs", b"all")
