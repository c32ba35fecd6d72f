"""What several tests of plans start from."""

import pytest

from controlplane.builder.coverage.plans import Drafted, every_plan


@pytest.fixture(scope="session")
def every() -> list[Drafted]:
    """A real plan of every family: one for each example of the coverage table that has one."""
    return list(every_plan())
