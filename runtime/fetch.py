"""What a pod reads of an object store, while we still import: artifacts too large for a Secret, and
the environments that models of other scikit-learn versions, or with packages, are served in.

Standard library only, and started before anything else: `begin()` returns at once, `wait()` is
called where the file is needed. Redirects are not followed, and nothing is sent to addresses of
the link, where clouds keep their metadata. What broke off is continued. The digest is compared on
the way in, so a file under its name is whole and right. An environment is unpacked after that.
"""

import http.client
import json
import os
import random
import re
import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from runtime import digests
from runtime.launch import LaunchError, RevisionLaunch
from runtime.lines import say
from runtime.signing import Credentials, quoted, signed

if TYPE_CHECKING:
    from runtime.archive import Part

BLOCK: Final = 256 * 1024
CONNECT_S: Final = 5.0
SILENCE_S: Final = 20.0  # between two blocks
WITHIN_S: Final = 100.0  # below the 120 s that a revision has to become ready
FIRST_PAUSE_S, MOST_PAUSE_S = 0.1, 5.0
LINK_LOCAL = ("169.254.", "::ffff:169.254.", "fe80:", "fd00:ec2:")


class NoArtifact(RuntimeError):
    """The store does not give the artifact; another start may help, the message says what to do."""


class WrongArtifact(ValueError):
    """What the store gave is not what was stored."""


class _Passing(Exception):
    """The store did not answer, or not now."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where objects are, `{url}/{bucket}/{prefix}{sha256}`, and where they go.

    into    folder of artifacts
    parts   of an environment, which are unpacked below `beside`
    """

    url: str
    bucket: str
    prefix: str
    region: str
    into: Path
    who: Credentials
    parts: "tuple[Part, ...]" = ()
    beside: Path = Path()

    def path(self, name: str) -> str:
        """Give the path of an object, not quoted."""
        return f"/{self.bucket}/{self.prefix}{name}"


def source_from(env: Mapping[str, str], variable: str = "KUBESERVE_FETCH") -> Source:
    """Read where objects are, and the credentials for it; raises LaunchError."""
    try:
        found = json.loads(env[variable])
        who = Credentials(
            env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env.get("AWS_SESSION_TOKEN")
        )
        source = Source(
            found["url"],
            found["bucket"],
            found["prefix"],
            found["region"],
            Path(found.get("into", "")),
            who,
            *_environment(found.get("environment")),
        )
        parts = urlsplit(source.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise ValueError(f"{source.url!r} is not an address")
    except (ValueError, TypeError, KeyError) as error:
        raise LaunchError(f"{variable}: {error!r}") from error
    return source


@contextmanager
def asked(source: Source, name: str, extra: dict[str, str]) -> Iterator[http.client.HTTPResponse]:
    """Send a signed GET of an object; gives the response, whatever its status.

    Raises OSError, HTTPException and, for an address no store may have, NoArtifact.
    """
    host, path = urlsplit(source.url).netloc, source.path(name)
    headers = signed(host, path, source.region, source.who, datetime.now(UTC), extra)
    with connected(source) as connection:
        connection.request("GET", quoted(path), headers={**headers, "connection": "close"})
        with connection.getresponse() as response:
            yield response


def read_whole(response: http.client.HTTPResponse, name: str, most_bytes: int) -> bytes:
    """Read a small object; raises OSError where the store gives none, ValueError if larger."""
    if response.status != 200:
        raise OSError(f"the object store answered {response.status} for {name}")
    document = response.read(most_bytes + 1)
    if len(document) > most_bytes:
        raise ValueError(f"{name} has more than {most_bytes} bytes")
    return document


@contextmanager
def connected(source: Source) -> Iterator[http.client.HTTPConnection]:
    """Connect to the store; raises OSError and, for an address no store may have, NoArtifact."""
    parts = urlsplit(source.url)
    https = parts.scheme == "https"
    kind = http.client.HTTPSConnection if https else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=CONNECT_S)
    try:
        connection.connect()
        address = connection.sock.getpeername()[0]
        if address.startswith(LINK_LOCAL):
            raise NoArtifact(f"{source.url} leads to {address}, where no object store may be")
        connection.sock.settimeout(SILENCE_S)
        yield connection
    finally:
        connection.close()


def _environment(given: Mapping[str, Any] | None) -> "tuple[tuple[Part, ...], Path]":
    if given is None:
        return (), Path()
    # Here and below: most pods need none, and what reads a zip file takes a start's time.
    from runtime.archive import Part

    return tuple(map(Part.read, given["parts"])), Path(given["into"])


class Fetch:
    """What a launch needs of the store on its way; one thread, one after the other.

    took_ms, size  of all of them, once `wait()` has returned
    """

    def __init__(self, source: Source, revisions: Iterable[RevisionLaunch]) -> None:
        self._source = source
        wanted = {r.sha256 for r in revisions if Path(r.artifact).parent == source.into}
        self._wanted = sorted(wanted)
        self._error: Exception | None = None
        self._began = time.monotonic()
        self.took_ms, self.size = 0.0, 0
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
            for part in self._source.parts:
                self._prepare(part, self._source.beside)
            for sha256 in self._wanted:
                self.size += self._fetch(_Download(self._source, sha256, self._deadline))
        except Exception as error:  # noqa: BLE001  (`wait` raises it, where it can end us)
            self._error = error
        self.took_ms = round((time.monotonic() - self._began) * 1000, 3)

    @property
    def _deadline(self) -> float:
        return self._began + WITHIN_S

    def _prepare(self, part: "Part", root: Path) -> None:
        from runtime.archive import BadArchive, install

        if part.folder(root).exists():
            return  # whole; the container was started again
        archive = part.archive
        download = _Download(
            self._source,
            archive.sha256,
            self._deadline,
            into=root,
            what=part.what,
            most=archive.size_bytes,
        )
        self.size += self._fetch(download)
        place = root / archive.sha256
        try:
            with _here(part.folder(root)):
                install(place, part, root)
        except BadArchive as error:
            raise WrongArtifact(f"{download.name}: {error}") from error
        finally:
            place.unlink()

    def _fetch(self, download: "_Download") -> int:
        most = FIRST_PAUSE_S
        while True:
            try:
                return download.attempt()
            except _Passing as error:
                # Many pods may have lost the store at once; they do not come back at once.
                pause = random.uniform(most / 2, most)  # noqa: S311
                if time.monotonic() - self._began + pause > WITHIN_S:
                    raise NoArtifact(
                        f"{download.name}: {error}; tried for {WITHIN_S:g} s: is the object store "
                        "up and fast enough, and do network policies let pods reach it?"
                    ) from error
                # Whoever asks meanwhile why nothing is ready reads it in the log.
                say(f"cannot fetch {download.name} yet: {error}", level="warning")
            time.sleep(pause)
            most = min(MOST_PAUSE_S, most * 2)


class _Download:
    """One object on its way to a file beside its place; keeps what it has over attempts.

    into  the folder, if not that of artifacts
    what  it is, where that is no artifact
    most  bytes it may have; None: as many as there is room for
    """

    def __init__(
        self,
        source: Source,
        sha256: str,
        deadline: float,
        *,
        into: Path | None = None,
        what: str = "",
        most: int | None = None,
    ) -> None:
        address = f"{source.url}{source.path(sha256)}"
        self.name = f"{what} ({address})" if what else address
        self._source, self._sha256, self._deadline, self._most = source, sha256, deadline, most
        self._again = "it is made again" if what else "deploy the version again"
        into = into or source.into
        self._place, self._part = into / sha256, into / f".{sha256}.part"
        self._restart()

    def _restart(self) -> None:
        self._digest, self._size, self._continued = digests.sha256(), 0, False

    def attempt(self) -> int:
        """Get the rest; gives the size. Raises _Passing, NoArtifact or WrongArtifact."""
        extra = {"range": f"bytes={self._size}-"} if self._size else {}
        try:
            with asked(self._source, self._sha256, extra) as response:
                self._take(response)
        except ssl.SSLCertVerificationError as error:
            raise NoArtifact(
                f"{self.name}: {error.verify_message}: the runtime image does not trust the "
                "object store's certificate"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise _Passing(f"{type(error).__name__}: {error}") from error
        return self._finish()

    def _take(self, response: http.client.HTTPResponse) -> None:
        if response.status == 416 or (response.status == 200 and self._size):
            self._restart()
        if response.status not in (200, 206):
            raise self._refused(response)
        if response.status == 206:
            self._continued = True
            said = response.headers.get("content-range", "")
            if not said.startswith(f"bytes {self._size}-"):
                self._restart()
                raise _Passing(f"asked to continue, the store answered {said[:80]!r}")
        expected = None if response.length is None else self._size + response.length
        self._save(response)
        if expected is not None and self._size < expected:
            raise _Passing(f"it broke off after {self._size} of {expected} bytes")

    def _save(self, response: http.client.HTTPResponse) -> None:
        with _here(self._part):
            file = self._part.open("r+b" if self._size else "wb")
        with file:
            file.seek(self._size)
            # One read of the socket each: a store that sends a byte now and then is seen.
            while block := response.read1(BLOCK):
                self._digest.update(block)
                with _here(self._part):
                    file.write(block)
                    file.flush()
                self._size += len(block)
                if self._most is not None and self._size > self._most:
                    raise WrongArtifact(f"{self.name} has more than {self._most} bytes (digest)")
                if time.monotonic() > self._deadline:
                    raise _Passing(f"only {self._size} bytes came")

    def _finish(self) -> int:
        found, continued = self._digest.finalize().hex(), self._continued
        if found == self._sha256:
            with _here(self._place):
                os.replace(self._part, self._place)
            return self._size
        self._restart()
        if continued:  # two objects, perhaps
            raise _Passing("what was continued does not fit together")
        self._part.unlink()
        raise WrongArtifact(
            f"{self.name} has the digest {found}: the object was changed after it was stored; "
            f"{self._again}"
        )

    def _refused(self, response: http.client.HTTPResponse) -> NoArtifact | _Passing:
        code = _code(response.read(2000).decode(errors="replace"))
        status = response.status
        if status >= 500 or status in (408, 416, 429):
            return _Passing(f"the object store answered {status}")
        if status == 404:
            return NoArtifact(f"{self.name} is not there (404): it was deleted; {self._again}")
        if status in (401, 403):
            return NoArtifact(
                f"{self.name} is refused ({status}, {code}): the credentials in the Secret "
                "kubeserve-store are not valid any more; delete that Secret and it is made anew"
            )
        return NoArtifact(f"{self.name} answered {status}: {code}")


@contextmanager
def _here(path: Path) -> Iterator[None]:
    """Tell faults of this machine from those of the store: trying again does not help."""
    try:
        yield
    except OSError as error:
        raise NoArtifact(
            f"cannot write {path}: {error.strerror}: the pod's volume is missing, read-only or full"
        ) from error


def _code(said: str) -> str:
    found = re.search(r"<Code>([A-Za-z0-9.]{1,80})</Code>", said)
    return found[1] if found else "no reason given"
