"""What crosses the supervisor's socket and its ledger: endpoints with artifacts as local paths."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from controlplane.engines.engine import (
    ColdStart,
    Condition,
    DesiredPayloadLog,
    DesiredShadow,
    EndpointId,
    ObservedEndpoint,
    Scaling,
    Status,
)
from runtime.launch import Backend, Launch, RevisionLaunch
from runtime.payload_log import PayloadLog


class WireError(ValueError):
    """The other side sent what cannot be an endpoint; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class LocalEndpoint:
    """A desired endpoint whose artifacts are files of this machine."""

    id: EndpointId
    tenant: str
    name: str
    generation: int
    issuer: str
    audience: str
    revisions: tuple[RevisionLaunch, ...]
    scaling: Scaling = field(default_factory=Scaling)
    container_concurrency: int = 0
    timeout_s: float = 60.0
    shadow: DesiredShadow | None = None
    warm: int = 0
    payload_log: DesiredPayloadLog | None = None

    @property
    def scaling_now(self) -> Scaling:
        """Give the scaling with what a warm window adds; it stays below `max_scale`."""
        least = max(self.scaling.min_scale, min(self.warm, self.scaling.max_scale))
        return replace(self.scaling, min_scale=least)

    def launch(self, keys_file: Path, port: int, payloads: Path) -> Launch:
        """Say to a worker what it serves; `payloads`: where what is logged of it is put."""
        log = self.payload_log
        return Launch(
            tenant=self.tenant,
            endpoint=self.name,
            issuer=self.issuer,
            audience=self.audience,
            keys_file=str(keys_file),
            revisions=self.revisions,
            container_concurrency=self.container_concurrency,
            timeout_s=self.timeout_s,
            port=port,
            payloads=(
                ""
                if log is None
                else PayloadLog(self.id, **asdict(log), folder=str(payloads / self.id)).write()
            ),
        )

    def to_json(self) -> dict[str, Any]:
        """Give what `endpoint_from` reads back to an equal endpoint."""
        return {**asdict(self), "revisions": [r._asdict() for r in self.revisions]}

    def files(self) -> set[str]:
        """Name the files its workers open."""
        named = {r.artifact for r in self.revisions}
        others = {path for r in self.revisions for path in (r.signature, r.interpreter, r.packages)}
        return named | {path for path in others if path is not None}


def endpoint_from(document: Mapping[str, Any]) -> LocalEndpoint:
    """Read an endpoint; raises WireError."""
    try:
        values = dict(document)
        revisions = tuple(
            RevisionLaunch(**{**r, "backend": Backend(r["backend"])}) for r in values["revisions"]
        )
        values["scaling"] = Scaling(**values["scaling"])
        values["revisions"] = revisions
        if values.get("shadow") is not None:
            values["shadow"] = DesiredShadow(**values["shadow"])
        if values.get("payload_log") is not None:
            values["payload_log"] = _payload_log(**values["payload_log"])
        endpoint = LocalEndpoint(**values)
    except (KeyError, TypeError, ValueError) as error:
        raise WireError(f"not an endpoint: {error!r}") from error
    if not endpoint.id or not endpoint.id.replace("-", "").isalnum():
        raise WireError(f"the id {endpoint.id!r} must be a uuid: it names files")
    if not revisions or sum(r.percent for r in revisions) != 100:
        raise WireError("the percentages of the revisions must sum to 100")
    return endpoint


def _payload_log(redact: list[str], hashed: list[str], **more: Any) -> DesiredPayloadLog:
    return DesiredPayloadLog(redact=tuple(redact), hashed=tuple(hashed), **more)


def observed_to_json(observed: ObservedEndpoint) -> dict[str, Any]:
    """Give what `observed_from` reads back to an equal observation."""
    document = asdict(observed)
    for condition in document["conditions"]:
        condition["since"] = condition["since"].isoformat()
    if observed.cold_start is not None:
        document["cold_start"]["at"] = observed.cold_start.at.isoformat()
    return document


def observed_from(document: Mapping[str, Any]) -> ObservedEndpoint:
    """Read an observation of the supervisor."""
    values = dict(document)
    values["conditions"] = tuple(
        Status(
            **{
                **c,
                "status": Condition(c["status"]),
                "since": datetime.fromisoformat(c["since"]),
            }
        )
        for c in values["conditions"]
    )
    if values.get("cold_start") is not None:
        start = values["cold_start"]
        values["cold_start"] = ColdStart(**{**start, "at": datetime.fromisoformat(start["at"])})
    return ObservedEndpoint(**values)
