"""Artifacts too large for a Secret: from an object store to a local file, while we still import.

Standard library only, and started before anything else: `begin()` returns at once, `wait()` is
called where the file is needed. Redirects are not followed. The digest is compared on the way in,
so a file under its name is whole and right.
"""

import hashlib
import http.client
import json
import os
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from runtime.launch import LaunchError, RevisionLaunch
from runtime.signing import Credentials, signed

BLOCK: Final = 256 * 1024
CONNECT_S: Final = 5.0
SILENCE_S: Final = 20.0  # between two blocks
WITHIN_S: Final = 100.0  # below the 120 s that a revision has to become ready
FIRST_PAUSE_S, MOST_PAUSE_S = 0.1, 5.0


class NoArtifact(RuntimeError):
    """The store does not give the artifact; another start may help, the message says what to do."""


class WrongArtifact(ValueError):
    """What the store gave is not what was stored."""


class _Passing(Exception):
    """The store did not answer, or not now."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where artifacts are: `{url}/{bucket}/{prefix}{sha256}`, and the folder they go to."""

    url: str
    bucket: str
    prefix: str
    region: str
    into: Path
    who: Credentials

    def path(self, sha256: str) -> str:
        """Give the path of an object, not quoted."""
        return f"/{self.bucket}/{self.prefix}{sha256}"


def source_from(env: Mapping[str, str]) -> Source:
    """Read KUBESERVE_FETCH and its credentials; raises LaunchError."""
    try:
        found = json.loads(env["KUBESERVE_FETCH"])
        who = Credentials(
            env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env.get("AWS_SESSION_TOKEN")
        )
        source = Source(
            found["url"],
            found["bucket"],
            found["prefix"],
            found["region"],
            Path(found["into"]),
            who,
        )
        parts = urlsplit(source.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{source.url!r} is not an address")
    except (ValueError, TypeError, KeyError) as error:
        raise LaunchError(f"KUBESERVE_FETCH: {error!r}") from error
    return source


class Fetch:
    """The artifacts of a launch on their way; one thread, one after the other."""

    def __init__(self, source: Source, revisions: Iterable[RevisionLaunch]) -> None:
        self._source = source
        wanted = {r.sha256 for r in revisions if Path(r.artifact).parent == source.into}
        self._wanted = sorted(wanted)
        self._error: Exception | None = None
        self._began = time.monotonic()
        self.took_ms = 0.0
        self._thread = threading.Thread(target=self._run, name="fetch", daemon=True)

    def begin(self) -> None:
        """Start."""
        self._thread.start()

    def wait(self) -> None:
        """Wait until everything is there; raises NoArtifact or WrongArtifact."""
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            for sha256 in self._wanted:
                self._fetch(sha256)
        except (NoArtifact, WrongArtifact, OSError) as error:
            self._error = error
        self.took_ms = round((time.monotonic() - self._began) * 1000, 3)

    def _fetch(self, sha256: str) -> None:
        pause = FIRST_PAUSE_S
        while True:
            try:
                return _download(self._source, sha256, self._source.into / sha256)
            except _Passing as error:
                if time.monotonic() - self._began + pause > WITHIN_S:
                    raise NoArtifact(
                        f"{_named(self._source, sha256)}: {error}; tried for {WITHIN_S:g} s: is "
                        "the object store up, and do network policies let pods reach it?"
                    ) from error
            time.sleep(pause)
            pause = min(MOST_PAUSE_S, pause * 2)


def _named(source: Source, sha256: str) -> str:
    return f"{source.url}{source.path(sha256)}"


def _download(source: Source, sha256: str, into: Path) -> None:
    parts = urlsplit(source.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=CONNECT_S)
    path = source.path(sha256)
    headers = signed(parts.netloc, path, source.region, source.who, datetime.now(UTC), {})
    try:
        connection.connect()
        connection.sock.settimeout(SILENCE_S)
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        if response.status != 200:
            raise _refused(source, sha256, response)
        _save(response, source, sha256, into)
    except (OSError, http.client.HTTPException) as error:
        raise _Passing(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()


def _save(response: http.client.HTTPResponse, source: Source, sha256: str, into: Path) -> None:
    part = into.with_name(f".{into.name}.part")
    digest = hashlib.sha256()
    expected = response.length
    size = 0
    with part.open("wb") as file:
        while block := response.read(BLOCK):
            digest.update(block)
            size += len(block)
            file.write(block)
    if expected is not None and size < expected:
        raise _Passing(f"it broke off after {size} of {expected} bytes")
    if digest.hexdigest() != sha256:
        part.unlink()
        raise WrongArtifact(
            f"{_named(source, sha256)} has the digest {digest.hexdigest()}: the object was changed "
            "after it was stored; deploy the version again"
        )
    os.replace(part, into)


def _refused(
    source: Source, sha256: str, response: http.client.HTTPResponse
) -> NoArtifact | _Passing:
    said = response.read(2000).decode(errors="replace")
    name = _named(source, sha256)
    if response.status >= 500 or response.status == 429:
        return _Passing(f"the object store answered {response.status}")
    if response.status == 404:
        return NoArtifact(f"{name} is not there (404): it was deleted; deploy the version again")
    if response.status in (401, 403):
        return NoArtifact(
            f"{name} is refused ({response.status}, {_code(said)}): the credentials in the Secret "
            "kubeserve-store are not valid any more; delete that Secret and it is made anew"
        )
    return NoArtifact(f"{name} answered {response.status}: {_code(said)}")


def _code(said: str) -> str:
    _, found, rest = said.partition("<Code>")
    return rest.partition("</Code>")[0] if found else "no reason given"
