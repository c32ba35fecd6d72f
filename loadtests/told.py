"""A test that is told on standard input, for a control plane that runs it: asks nobody anything.

Lines of JSON come in. The first is the test, `{"plan", "endpoint", "signature", "token"}`, with the
files that came with it (`files`: `sample`, `compare`, each `{"name", "content"}` in base64, packed
or not); what changes follows: `{"endpoint"}`, `{"decisions"}` of its autoscaler, `{"token"}`,
`{"away": "why"}` while the endpoint cannot be looked at, `{"gone": true}` when it was deleted. The
end of the input ends the test, which still reports. So the program has one endpoint's token, and
neither a credential nor a way to the API.
"""

import base64
import ctypes
import json
import os
import signal
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import gevent
from gevent.fileobject import FileObject

from controlplane.client import Endpoint, NotFound, Unreachable
from loadtests.plan import Plan, PlanError, plan_from
from loadtests.target import Target, target_of
from runtime.plan.signature import from_json

STDIN = 0
PR_SET_PDEATHSIG = 1
GZIP = b"\x1f\x8b"
MOST_FILE_BYTES = 64 << 20


class Told:
    """What standard input says, in place of a client of the API; `closed`: it has ended.

    folder  for the files that come with it
    """

    def __init__(self, folder: Path) -> None:
        self._lines = FileObject(os.dup(STDIN), "rb")
        first = self._read()
        if first is None:
            raise PlanError("standard input ended before it told a test")
        try:
            self.plan: Plan = plan_from(first["plan"])
            self._signature = from_json(first["signature"])
            self._endpoint, self._token = Endpoint.read(first["endpoint"]), str(first["token"])
            given = {
                kind: written(file, folder / "given" / kind)
                for kind, file in first.get("files", {}).items()
            }
            self._sample, self.compare = given.get("sample"), given.get("compare")
        except (KeyError, TypeError, ValueError) as error:
            raise PlanError(f"the first line of standard input is no test: {error}") from error
        self._away, self._gone, self.closed = "", False, False
        self._decisions: list[dict[str, Any]] = []
        self._end: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        self._greenlet = gevent.spawn(self._listen)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._greenlet.kill()

    def at_end(self, act: Callable[[], None]) -> None:
        """Have something done when the input ends, or at once if it has."""
        self._end = act
        if self.closed:
            act()

    def target(self) -> Target:
        """Give what is tested; raises PlanError."""
        return target_of(self.plan, self._endpoint, self._signature, self._sample)

    def endpoint(self, name: str) -> Endpoint:
        """Give the endpoint as it was told last; raises NotFound and Unreachable."""
        if self._gone:
            raise NotFound({"type": "/problems/not-found", "status": 404, "detail": f"no {name}"})
        if self._away:
            raise Unreachable(name, self._away)
        return self._endpoint

    def decisions(self, endpoint: str) -> list[dict[str, Any]]:  # noqa: ARG002  (a client's)
        """Give what its autoscaler decided, as it was told last."""
        return self._decisions

    def token(self, endpoint: str, *, refused: str | None = None) -> str:  # noqa: ARG002
        """Give the token that was told last; a newer one comes by itself."""
        return self._token

    def _listen(self) -> None:
        while (line := self._read()) is not None:
            self._take(line)
        self.closed = True
        self._end()

    def _read(self) -> dict[str, Any] | None:
        line = self._lines.readline()
        return json.loads(line) if line.endswith(b"\n") else None

    def _take(self, line: dict[str, Any]) -> None:
        if "endpoint" in line:
            self._endpoint, self._away = Endpoint.read(line["endpoint"]), ""
        self._token = line.get("token", self._token)
        self._away = line.get("away", self._away)
        self._decisions = line.get("decisions", self._decisions)
        self._gone = self._gone or line.get("gone") is True


def written(file: dict[str, str], folder: Path) -> Path:
    """Write a file, unpacked, under its own name; raises PlanError."""
    path = folder / Path(file["name"]).name
    content = base64.b64decode(file["content"], validate=True)
    if content.startswith(GZIP):
        content = unpacked(content, path.name)
    folder.mkdir(parents=True, mode=0o700)
    path.write_bytes(content)
    return path


def unpacked(content: bytes, name: str) -> bytes:
    """Unpack a file; raises PlanError."""
    unpacking = zlib.decompressobj(wbits=31)
    try:
        found = unpacking.decompress(content, MOST_FILE_BYTES)
    except zlib.error as error:
        raise PlanError(f"{name} is damaged: {error}") from error
    if not unpacking.eof:
        most = MOST_FILE_BYTES >> 20
        raise PlanError(f"{name} has more than {most} MiB, or no end; a part of it will do")
    return found


def end_with_parent() -> None:
    """Be told by the kernel too; before a test has begun, that ends us at once."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def tell(event: dict[str, Any]) -> None:
    """Write an event; nobody may read it any more, and the reports are written all the same."""
    with suppress(BrokenPipeError):
        print(json.dumps(event), flush=True)
