"""All tests: what is set for a KubeServe of the developer's is not set for those of the tests."""

import os


def pytest_configure() -> None:
    """Begin without settings; the tests' own variables begin with TEST_."""
    for name in [name for name in os.environ if name.startswith("KUBESERVE_")]:
        del os.environ[name]
