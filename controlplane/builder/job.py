"""One build, from an uploaded file to a report."""

from pathlib import Path

from controlplane.builder.report import Limits, Report


class Builder:
    """Builds uploads, keeping a warm process so that a small model takes well under a second."""

    def __init__(self, limits: Limits, *, warm: bool = True) -> None:
        self._limits, self._warm = limits, warm

    async def start(self) -> None:
        """Import scikit-learn in the warm process now; without this the first build does."""
        raise NotImplementedError

    async def build(self, source: Path, work: Path) -> Report:
        """Build the file `source` in the folder `work`, which the caller deletes afterwards."""
        raise NotImplementedError

    async def close(self) -> None:
        """End the warm process and every build."""
        raise NotImplementedError


async def build(source: Path, work: Path, limits: Limits) -> Report:
    """Build one file without keeping anything warm; never raises for a bad model."""
    builder = Builder(limits, warm=False)
    try:
        return await builder.build(source, work)
    finally:
        await builder.close()
