"""Load tests that the installation runs: asked for, followed, and what they left."""

import base64
import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import orjson

from controlplane.client.core import Core
from controlplane.client.errors import BadAnswer
from controlplane.client.steps import Answer, Flow, Send

Raw = Mapping[str, Any]
ReportFormat = Literal["html", "json", "junit", "csv"]
# In base64 they must fit into a document of the API, 1 MiB.
MOST_PACKED_BYTES: Final = 700_000
ENDED: Final = frozenset({"finished", "failed", "interrupted"})


@dataclass(frozen=True, slots=True)
class LoadTest:
    """A load test. `state` is queued, running, finished, failed or interrupted.

    verdict  passed, failed or inconclusive; None: nothing was asked, or it did not come to that
    reason   why it failed, was interrupted or ended early
    reports  the formats there are
    """

    id: str
    endpoint: str
    state: str
    verdict: str | None
    reason: str | None
    reports: tuple[str, ...]
    created_by: str
    created_at: datetime
    ended_at: datetime | None
    raw: Raw = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Raw) -> "LoadTest":
        """Read the API's document."""
        try:
            ended_at = raw["ended_at"]
            return cls(
                id=str(raw["id"]),
                endpoint=str(raw["endpoint"]),
                state=str(raw["state"]),
                verdict=raw["verdict"],
                reason=raw["reason"],
                reports=tuple(raw["reports"]),
                created_by=str(raw.get("created_by_name") or raw["created_by"]),
                created_at=datetime.fromisoformat(raw["created_at"]),
                ended_at=None if ended_at is None else datetime.fromisoformat(ended_at),
                raw=raw,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BadAnswer(
                f"The server's answer is no load test: {str(dict(raw))[:200]}"
            ) from error

    @property
    def has_ended(self) -> bool:
        """Tell whether there is nothing more to come."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class LoadTestEvent:
    """Something a test told; `kind` is queued, started, progress, …, and at the end `ended`."""

    number: int
    kind: str
    raw: Raw


def plan_of(
    endpoint: str,
    shape: Mapping[str, Any],
    objectives: Mapping[str, Any] | None,
    files: Mapping[str, Path | None],
    more: Mapping[str, Any],
) -> dict[str, Any]:
    """Give the body of a test, with the files that come with it; raises OSError and ValueError."""
    asked = {} if objectives is None else {"objectives": objectives}
    given = {kind: _packed(path) for kind, path in files.items() if path is not None}
    return {"endpoint": endpoint, "shape": shape, **asked, **given, **more}


def _packed(path: Path) -> dict[str, str]:
    content = gzip.compress(path.read_bytes())
    if len(content) > MOST_PACKED_BYTES:
        raise ValueError(
            f"{path} is too large: {len(content)} bytes when compressed, {MOST_PACKED_BYTES} at "
            "most. A part of it will do."
        )
    return {"name": path.name, "content": base64.b64encode(content).decode()}


class EventReader:
    """Reads server-sent events line by line."""

    def __init__(self) -> None:
        self._fields: dict[str, str] = {}

    def feed(self, line: str) -> LoadTestEvent | None:
        """Take a line; gives an event when it was its last. Raises BadAnswer."""
        if line:
            name, _, value = line.partition(":")
            if name:  # otherwise a comment, which only keeps the connection
                self._fields[name] = value.removeprefix(" ")
            return None
        fields, self._fields = self._fields, {}
        if not fields:
            return None
        try:
            return LoadTestEvent(int(fields["id"]), fields["event"], orjson.loads(fields["data"]))
        except (KeyError, ValueError) as error:
            raise BadAnswer(f"not an event of a load test: {str(fields)[:200]}") from error


class Testing:
    """Flows of load tests."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def listed(self, endpoint: str | None) -> Flow[list[LoadTest]]:
        """List tests, the newest first."""
        found = yield from self._core.listed("loadtests", endpoint=endpoint)
        return list(map(LoadTest.read, found))

    def one(self, key: str) -> Flow[LoadTest]:
        """Read one test."""
        return LoadTest.read((yield from self._core.get(self._core.url("loadtests", key))))

    def start(self, plan: Mapping[str, Any]) -> Flow[LoadTest]:
        """Ask for a test."""
        return LoadTest.read((yield from self._core.post(self._core.url("loadtests"), plan)))

    def cancel(self, key: str) -> Flow[LoadTest]:
        """End a test."""
        url = self._core.url("loadtests", key, "cancel")
        return LoadTest.read((yield from self._core.post(url, {})))

    def events(self, key: str, after: int) -> Flow[Answer]:
        """Open the stream of events."""
        url = self._core.url("loadtests", key, "events")
        headers = {"accept": "text/event-stream", "last-event-id": str(after)}
        return (
            yield from self._core.signed(lambda auth: Send("GET", url, headers | auth, stream=True))
        )

    def report(self, key: str, form: str) -> Flow[bytes]:
        """Read a report."""
        url = self._core.url("loadtests", key, "report", format=form)
        answer = yield from self._core.call("GET", url, headers={"accept": "*/*"})
        return answer.body
