"""What revisions answered, as their pods tell it. Pure.

A pod knows its revision by Knative's name, which has the digest of a template behind ours: a
candidate whose template changed while it was rolled out is the same revision still.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from controlplane.engines.engine import Answers, Measured
from controlplane.engines.knative import names


class Answered(Protocol):
    """What one process answered with a revision."""

    @property
    def errors(self) -> int: ...
    @property
    def refusals(self) -> int: ...
    @property
    def latency(self) -> tuple[int, ...]: ...


class Report(Protocol):
    """What one process of a pod tells."""

    @property
    def process(self) -> str: ...
    @property
    def answered(self) -> Mapping[str, Answered]: ...


class Reports(Protocol):
    """Where pods tell it."""

    async def read_of(self, tenant: str, endpoint: str) -> tuple[Report, ...]:
        """Give what the pods of an endpoint told last; raises StoreUnavailable."""


def measured(reports: Iterable[Report]) -> tuple[Measured, ...]:
    """Give answers by our names of revisions; each process is a source of its own."""
    return tuple(
        Measured(
            one.process,
            {
                names.of_revision(name): Answers(found.errors, found.refusals, found.latency)
                for name, found in one.answered.items()
            },
        )
        for one in reports
    )
