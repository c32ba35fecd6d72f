"""What each revision of an endpoint answered on this machine, since the supervisor started."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from controlplane.engines.engine import Answers, Measured
from runtime.latencies import BUCKETS


@dataclass(slots=True)
class Counts:
    """Answers of one revision; see `engine.Answers`."""

    errors: int = 0
    refusals: int = 0
    latency: list[int] = field(default_factory=lambda: [0] * BUCKETS)

    def add(self, told: Mapping[str, Any]) -> None:
        """Add what a worker answered since it last told."""
        self.errors += int(told.get("errors", 0))
        self.refusals += int(told.get("refusals", 0))
        for bucket, count in told.get("latency", {}).items():
            self.latency[int(bucket)] += int(count)


@dataclass(slots=True)
class Measures:
    """Counters by revision that only grow; a supervisor that starts anew is another source."""

    source: str = field(default_factory=lambda: uuid.uuid4().hex)
    revisions: dict[str, Counts] = field(default_factory=dict)

    def add(self, stats: Mapping[str, Any]) -> None:
        """Add a worker's `stats` packet."""
        for name, told in stats.get("revisions", {}).items():
            self.revisions.setdefault(name, Counts()).add(told)

    def keep(self, revisions: set[str]) -> None:
        """Forget what is routed no more."""
        for name in self.revisions.keys() - revisions:
            del self.revisions[name]

    def to_json(self) -> dict[str, Any]:
        """Give what `measured_from` reads."""
        revisions = {
            name: {"errors": one.errors, "refusals": one.refusals, "latency": one.latency}
            for name, one in self.revisions.items()
        }
        return {"source": self.source, "revisions": revisions}


def measured_from(document: Mapping[str, Any]) -> Measured:
    """Read what the supervisor measured."""
    revisions = {
        name: Answers(one["errors"], one["refusals"], tuple(one["latency"]))
        for name, one in document["revisions"].items()
    }
    return Measured(document["source"], revisions)
