from collections.abc import Iterator

import pytest

from runtime.bulk import BULK_BYTES


@pytest.fixture(scope="module", params=[BULK_BYTES, 1], ids=["usual", "bulk"])
def shortcuts(request: pytest.FixtureRequest) -> Iterator[None]:
    """Have bodies take the shortcut of large ones from so many missing bytes on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("runtime.reading.BULK_BYTES", request.param)
        yield
