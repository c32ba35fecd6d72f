"""The suite of every engine, on real Knative."""

from collections.abc import Iterator

import pytest

from tests.cluster.kube import Cluster
from tests.cluster.platform import outside
from tests.conformance.platform import Platform
from tests.conformance.test_conformance import *  # noqa: F403  (its tests and fixtures are ours)


@pytest.fixture(scope="session")
def platform(cluster: Cluster, runtime_image: str, builder_image: str) -> Iterator[Platform]:
    with outside(cluster, runtime_image, builder_image) as running:
        yield running
