"""Logged requests and drift: what is asked of the API, and sketches of training data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from controlplane.client.core import Core
from controlplane.client.errors import BadAnswer
from controlplane.client.results import time_text
from controlplane.client.rows import table
from controlplane.client.serving import named
from controlplane.client.steps import Flow, members
from runtime import sketches

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PayloadFile:
    """A Parquet file of logged requests; `raw` is all that the API says of it.

    folder  alike for files of the same columns, which can be read as one
    """

    id: str
    day: str
    folder: str
    revision: str
    version: int
    requests: int
    rows: int
    size_bytes: int
    first_at: datetime
    last_at: datetime
    raw: Raw

    @classmethod
    def read(cls, raw: Raw) -> "PayloadFile":
        """Read what the API answers; raises BadAnswer."""
        plain = ("id", "day", "folder", "revision", "version", "requests", "rows", "size_bytes")
        try:
            return cls(
                **{name: raw[name] for name in plain},
                first_at=datetime.fromisoformat(raw["first_at"]),
                last_at=datetime.fromisoformat(raw["last_at"]),
                raw=raw,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BadAnswer(f"The server's answer is no file: {str(dict(raw))[:200]}") from error


def sketches_of(data: Any, columns: Sequence[str]) -> dict[str, Any]:
    """Give the body that tells what training data are like; rows stay here.

    data     as `predict` takes it; columns that are not the version's, as its target, are left out
    columns  of the version, in its order
    raises   ValueError where a column of the version is not there
    """
    found = table(data)
    if found.names is None:
        rows = np.asarray(found.rows, object if not found.numeric else np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(columns):
            raise ValueError(f"the reference must have the model's {len(columns)} columns")
        cells = {name: rows[:, at] for at, name in enumerate(columns)}
    elif found.numbers is not None:
        cells = dict(zip(found.names, found.numbers, strict=True))
    else:
        turned = zip(*found.rows, strict=True)
        cells = {
            name: np.array(column, object)
            for name, column in zip(found.names, map(list, turned), strict=True)
        }
    missing = [name for name in columns if name not in cells]
    if missing:
        raise ValueError(f"the reference has no column {missing[0]!r}; it has {', '.join(cells)}")
    some = columns[: sketches.MOST_COLUMNS]
    return {
        "rows": len(cells[some[0]]),
        "columns": {name: sketches.sketch(cells[name]).to_json() for name in some},
    }


class Payloads:
    """Flows of logged requests and drift."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def log(self, endpoint: str) -> Flow[dict[str, Any]]:
        """Read what is logged."""
        return (yield from self._core.get(self._core.url("endpoints", endpoint, "payload-log")))

    def set_log(self, endpoint: str, settings: Raw) -> Flow[dict[str, Any]]:
        """Say what is logged."""
        url = self._core.url("endpoints", endpoint, "payload-log")
        return members((yield from self._core.call("PUT", url, dict(settings))), url)

    def stop(self, endpoint: str) -> Flow[None]:
        """Log nothing any more."""
        yield from self._core.delete(self._core.url("endpoints", endpoint, "payload-log"))

    def files(
        self, endpoint: str, since: datetime | None, until: datetime | None
    ) -> Flow[list[PayloadFile]]:
        """List files."""
        asked = {"since": time_text(since), "until": time_text(until)}
        found = yield from self._core.listed("endpoints", endpoint, "payloads", **asked)
        return list(map(PayloadFile.read, found))

    def file(self, endpoint: str, key: str) -> Flow[bytes]:
        """Read a file."""
        url = self._core.url("endpoints", endpoint, "payloads", key)
        return (yield from self._core.call("GET", url, headers={"accept": "*/*"})).body

    def delete(self, endpoint: str, before: datetime | None) -> Flow[int]:
        """Delete files."""
        url = self._core.url("endpoints", endpoint, "payloads", before=time_text(before))
        answer = yield from self._core.call("DELETE", url)
        return int(members(answer, url)["files"])

    def drift(self, endpoint: str, hours: int) -> Flow[dict[str, Any]]:
        """Read how far columns drifted."""
        url = self._core.url("endpoints", endpoint, "drift", hours=hours)
        return (yield from self._core.get(url))

    def set_window(
        self, endpoint: str, since: datetime, until: datetime | None
    ) -> Flow[dict[str, Any]]:
        """Choose a reference window."""
        url = self._core.url("endpoints", endpoint, "drift", "reference")
        window = {"since": time_text(since), "until": time_text(until)}
        return members((yield from self._core.call("PUT", url, window)), url)

    def forget_window(self, endpoint: str) -> Flow[None]:
        """Choose none."""
        yield from self._core.delete(self._core.url("endpoints", endpoint, "drift", "reference"))

    def set_reference(
        self, model: str, version: int | str | None, data: Any
    ) -> Flow[dict[str, Any]]:
        """Tell what a version's training data are like."""
        name, which = named(model, version)
        if which is None:
            raise ValueError(f"name a version: {name}:1")
        seen = yield from self._core.get(self._core.url("models", name, "versions", str(which)))
        signature = seen.get("signature")
        if not signature:
            raise ValueError(f"{name}:{which} is not built yet; its columns are not known")
        body = sketches_of(data, [column["name"] for column in signature["columns"]])
        url = self._core.url("models", name, "versions", str(which), "reference")
        return members((yield from self._core.call("PUT", url, body)), url)

    def reference(self, model: str, version: int | str | None) -> Flow[dict[str, Any]]:
        """Read what a version's training data are like."""
        name, which = named(model, version)
        url = self._core.url("models", name, "versions", str(which), "reference")
        return (yield from self._core.get(url))
