"""What of an endpoint's requests is logged, as it was asked for. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from controlplane.engines.engine import DesiredPayloadLog

SHOWN: Final = 100  # columns that a refusal lists


class UnknownColumns(ValueError):
    """Columns are named that no revision of the endpoint has; the message lists those it has."""


@dataclass(frozen=True, slots=True)
class PayloadLog:
    """One endpoint's payload log.

    sample             share of the requests, above 0 to 1
    redact             columns that are left out; hashed: as a keyed hash
    predictions        are logged too
    retention_days     after which a day's files are deleted
    max_bytes_per_day  of Parquet; what is beyond it is dropped, and counted
    key                of the hashes, hexadecimal; shown to nobody
    """

    sample: float
    redact: tuple[str, ...] = ()
    hashed: tuple[str, ...] = ()
    predictions: bool = True
    retention_days: int = 30
    max_bytes_per_day: int = 1 << 30
    key: str = ""

    def desired(self) -> DesiredPayloadLog:
        """Give what workers are told."""
        return DesiredPayloadLog(self.sample, self.redact, self.hashed, self.key, self.predictions)

    def shown(self) -> dict[str, Any]:
        """Give what the API shows."""
        return {
            "sample": self.sample,
            "redact": list(self.redact),
            "hash": list(self.hashed),
            "predictions": self.predictions,
            "retention_days": self.retention_days,
            "max_bytes_per_day": self.max_bytes_per_day,
        }

    def to_json(self) -> dict[str, Any]:
        """Give the row's document, which `payload_log_from` reads."""
        return {**self.shown(), "key": self.key}


def payload_log_from(document: Mapping[str, Any] | None) -> PayloadLog | None:
    """Read a row's document."""
    if not document:
        return None
    values = dict(document)
    redact, hashed = tuple(values.pop("redact")), tuple(values.pop("hash"))
    return PayloadLog(redact=redact, hashed=hashed, **values)


def check_columns(log: PayloadLog, signatures: Iterable[Mapping[str, Any]]) -> None:
    """Raise UnknownColumns for a column that is in none of some signatures."""
    columns = list(dict.fromkeys(c["name"] for one in signatures for c in one["columns"]))
    unknown = [name for name in (*log.redact, *log.hashed) if name not in columns]
    if unknown:
        more = f" and {len(columns) - SHOWN} more" if len(columns) > SHOWN else ""
        raise UnknownColumns(
            f"No version that is served has a column {', '.join(map(repr, unknown))}. "
            f"Its columns are {', '.join(columns[:SHOWN])}{more}."
        )
    both = sorted({*log.redact} & {*log.hashed})
    if both:
        raise UnknownColumns(f"{', '.join(both)} cannot be left out and hashed: choose one.")
