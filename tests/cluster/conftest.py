"""The cluster of a test run: the one that is up, or one of its own that goes with the run."""

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from tests.cluster import lifecycle, needs, product
from tests.cluster.home import Home
from tests.cluster.kube import Cluster

# What says the least of the product for its minutes: the cluster by itself, and long outages.
LAST: Final = (
    *("test_no_room", "test_chaos", "test_outages", "test_outage_of_the_api_server"),
    *("test_environments", "test_rig", "test_rig_faults"),
)
UNTIL: Final = "TEST_UNTIL"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put last what time may not reach."""
    items.sort(key=lambda item: LAST.index(item.path.stem) if item.path.stem in LAST else -1)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin nothing after the Unix second in TEST_UNTIL: a machine of CI has an end."""
    if datetime.now(UTC).timestamp() > float(os.environ.get(UNTIL, "inf")):
        pytest.skip(f"no time left for it here: `pytest {item.nodeid}`")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Give a cluster with Knative, MinIO and an ingress; skips where there can be none."""
    home = Home.default()
    if all(lifecycle.status(home).values()):
        yield Cluster(home)
        return
    if "CI" in os.environ:
        needs.install_packages()
    if reasons := needs.missing(for_build=True):
        pytest.skip(f"no test cluster here: {'; '.join(reasons)}")
    with tempfile.TemporaryDirectory(prefix="ks-cluster-") as folder:
        home = Home(Path(folder, "home"))
        # For whatever asks for the default home while these tests run.
        os.environ["TEST_CLUSTER_HOME"] = str(home.root)
        try:
            yield lifecycle.up(home, held=True)
        finally:
            lifecycle.down(home)
            del os.environ["TEST_CLUSTER_HOME"]


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """Give a namespace of the test's own."""
    name = f"test-{os.urandom(4).hex()}"
    cluster.kubectl("create", "namespace", name)
    try:
        yield name
    finally:
        cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="session")
def runtime_image(cluster: Cluster) -> str:
    """Give the runtime's image by digest."""
    return product.build("runtime")


@pytest.fixture(scope="session")
def builder_image(cluster: Cluster) -> str:
    """Give the builder's image by digest; it serves fallbacks too."""
    return product.build("builder")


@pytest.fixture(scope="session")
def controlplane_image(cluster: Cluster) -> str:
    """Give the control plane's image by digest."""
    return product.build("controlplane")
