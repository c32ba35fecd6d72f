"""Causes that lie in the cluster itself: its ingress, its API server, Knative's controller."""

import asyncio
import contextlib

import pytest

from controlplane.engines.engine import DesiredEndpoint
from controlplane.engines.knative import causes
from controlplane.engines.knative.engine import KnativeEngine
from runtime.problems import EngineUnavailable
from tests.cluster import knative, node, processes, test_why
from tests.cluster.test_why import Rig, endpoint, named

image, rig, tidy = test_why.image, test_why.rig, test_why.tidy  # fixtures


async def recovered(engine: KnativeEngine, wanted: DesiredEndpoint) -> None:
    """Wait until it serves; what comes back takes its time, and until then is what is wrong."""
    async with asyncio.timeout(120):
        while True:
            with contextlib.suppress(EngineUnavailable):
                if (await engine.explain(wanted)).reason == "Serving":
                    return
            await asyncio.sleep(0.2)


async def test_an_ingress_that_is_down(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(causes, "ADDRESS_WITHIN_S", 1)  # a minute in earnest
    engine, wanted = await rig.engine(), endpoint("ingress")
    processes.stop(rig.cluster.home.run, "ingress")
    try:
        await rig.apply(engine, wanted)
        found = await named(engine, wanted, "IngressNotReady")
        assert "the address is not published" in found.message
    finally:
        knative.start_ingress(rig.cluster.home)
    await recovered(engine, wanted)


async def test_an_api_server_that_is_down(rig: Rig) -> None:
    engine, wanted = await rig.engine(), endpoint("server")
    await rig.apply(engine, wanted)
    processes.stop(rig.cluster.home.run, "apiserver")
    try:
        with pytest.raises(EngineUnavailable, match="Kubernetes API does not answer"):
            await engine.explain(wanted)
    finally:
        node.start_apiserver(rig.cluster.home)
    await recovered(engine, wanted)


async def test_a_controller_that_is_down(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(causes, "KNATIVE_WITHIN_S", 2)  # ten seconds in earnest
    engine, wanted = await rig.engine(), endpoint("controller")
    scale = ("-n", "knative-serving", "scale", "deployment/controller")
    rig.cluster.kubectl(*scale, "--replicas=0")
    try:
        rig.cluster.wait("delete", "-n", "knative-serving", "pods", "-l", "app=controller")
        await rig.apply(engine, wanted)
        found = await named(engine, wanted, "KnativeDown")
        assert "knative-serving" in found.next_step
    finally:
        rig.cluster.kubectl(*scale, "--replicas=1")
    await recovered(engine, wanted)
