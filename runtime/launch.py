"""The launch contract: what a worker is told when it starts, and how.

Both engines write it with `to_env()`, the runtime reads it with `from_env()`. Standard library
only, so that the control plane can import it and the zygote can read it before numpy is there.

Variables (all strings; a missing one takes the default of the field):

    KUBESERVE_TENANT, KUBESERVE_ENDPOINT   names, for logs, metrics and the V1/V2 paths
    KUBESERVE_ISSUER, KUBESERVE_AUDIENCE   what a token must say; the audience is the endpoint
    KUBESERVE_KEYS_FILE                    JWKS + revocations (`runtime/tokens.py`), read on change
    KUBESERVE_KEYS_FROM                    JSON: the object store that newer ones are read from
                                           (`runtime/renewal.py`); empty: the file changes
    KUBESERVE_REVISIONS                    JSON array of `RevisionLaunch`
    KUBESERVE_COMPARES                     of a shadow (`runtime/shadow.py`): names of the running
                                           revision and of the candidate; empty: a server
    KUBESERVE_PAYLOADS                     JSON: what of its requests is logged
                                           (`runtime/payload_batches.py`); empty: nothing
    KUBESERVE_CHOSEN_BEFORE                true: an ingress chose the revision by percentage and tag
    KUBESERVE_CONTAINER_CONCURRENCY        requests in flight at most; 0 is no limit
    KUBESERVE_TIMEOUT_S, KUBESERVE_MAX_BODY_BYTES, KUBESERVE_MAX_ROWS, KUBESERVE_DRAIN_S
    PORT                                   listened on where no descriptor is inherited (Knative)

Inherited descriptors, embedded engine only, passed beside the environment and never in it: the
listening socket and the control socket (see ARCHITECTURE.md, "Worker and supervisor").
"""

import json
import os
from collections.abc import Callable, Mapping
from enum import IntEnum, StrEnum
from typing import NamedTuple

Reader = Callable[[str], object]


class Exit(IntEnum):
    """Exit codes of the runtime, so that an engine can tell why a worker ended."""

    OK = 0
    CRASH = 1
    BAD_LAUNCH = 64  # sysexits EX_USAGE: the environment is wrong, do not retry
    BAD_PLAN = 65  # EX_DATAERR: the plan was refused, do not retry
    NO_ARTIFACT = 66  # EX_NOINPUT: the object store does not give the artifact
    NO_PORT = 69  # EX_UNAVAILABLE: could not listen
    SUPERVISOR_GONE = 70


class Backend(StrEnum):
    PLAN = "plan"
    FALLBACK = "fallback"


class LaunchError(ValueError):
    """The environment does not describe a worker; every fault is listed in the message."""


class RevisionLaunch(NamedTuple):
    """One routed revision of the endpoint.

    artifact   local path of the plan (backend plan) or of the model file or bundle (fallback)
    sha256     of that file, hexadecimal; the name under which a cache holds it
    signature  path of the signature JSON; needed by the fallback only (a plan carries its own)
    sklearn    version that wrote the model file; the fallback loads it in no other
    interpreter  path of a Python that has that version, where ours has another
    packages   path of a folder with more packages for the model, which only its process reads
    percent    0..100 of untagged requests; the routed revisions of an endpoint sum to 100
    tag        reached by the header `Knative-Serving-Tag`
    """

    name: str
    model: str
    version: int
    artifact: str
    sha256: str
    percent: int = 100
    tag: str | None = None
    backend: Backend = Backend.PLAN
    signature: str | None = None
    sklearn: str | None = None
    interpreter: str | None = None
    packages: str | None = None


class Launch(NamedTuple):
    """Everything a worker needs to serve one endpoint without asking anyone."""

    tenant: str
    endpoint: str
    issuer: str
    audience: str
    keys_file: str
    revisions: tuple[RevisionLaunch, ...] = ()
    chosen_before: bool = False
    container_concurrency: int = 0
    timeout_s: float = 60.0
    max_body_bytes: int = 8 * 1024 * 1024
    max_rows: int = 10_000
    drain_s: float = 30.0
    port: int = 8080
    keys_from: str = ""
    compares: str = ""
    payloads: str = ""

    def to_env(self) -> dict[str, str]:
        """Write the variables that `from_env` reads back to an equal launch."""
        env = {
            _variable(name): str(value)
            for name, value in self._asdict().items()
            if name != "revisions" and (value or name not in _SELDOM)
        }
        env[_variable("revisions")] = json.dumps([r._asdict() for r in self.revisions])
        return env


def from_env(env: Mapping[str, str] | None = None) -> Launch:
    """Read a launch; raises LaunchError naming every variable that is missing or wrong."""
    env = os.environ if env is None else env
    faults: list[str] = []
    values: dict[str, object] = {}
    for field, read in _READ.items():
        name = _variable(field)
        raw = env.get(name)
        if raw is None:
            if field in _REQUIRED:
                faults.append(f"{name} is missing")
            continue
        try:
            values[field] = read(raw)
        except (ValueError, TypeError, KeyError) as error:
            faults.append(f"{name}: {error}")
    if faults:
        raise LaunchError("; ".join(faults))
    return Launch(**values)  # type: ignore[arg-type]  # each value was read by its field's reader


def _variable(name: str) -> str:
    return "PORT" if name == "port" else f"KUBESERVE_{name.upper()}"


def _revisions(raw: str) -> tuple[RevisionLaunch, ...]:
    revisions = tuple(
        RevisionLaunch(**{**item, "backend": Backend(item.get("backend", "plan"))})
        for item in json.loads(raw)
    )
    if not revisions:
        raise ValueError("at least one revision is needed")
    if sum(r.percent for r in revisions) != 100:
        raise ValueError("the percentages of the revisions must sum to 100")
    return revisions


def _at_least(low: float, kind: type[int] | type[float]) -> Reader:
    def read(raw: str) -> object:
        value = kind(raw)
        if not value >= low:
            raise ValueError(f"{raw} is below {low}")
        return value

    return read


def _text(raw: str) -> object:
    if not raw:
        raise ValueError("is empty")
    return raw


def _truth(raw: str) -> object:
    if raw not in ("True", "true", "False", "false"):
        raise ValueError(f"{raw!r} is neither true nor false")
    return raw in ("True", "true")


_SELDOM = {"compares", "payloads"}
_REQUIRED = {"tenant", "endpoint", "issuer", "audience", "keys_file", "revisions"}
_READ: dict[str, Reader] = {
    "tenant": _text,
    "endpoint": _text,
    "issuer": _text,
    "audience": _text,
    "keys_file": _text,
    "keys_from": str,
    "compares": str,
    "payloads": str,
    "revisions": _revisions,
    "chosen_before": _truth,
    "container_concurrency": _at_least(0, int),
    "timeout_s": _at_least(0.001, float),
    "max_body_bytes": _at_least(1, int),
    "max_rows": _at_least(1, int),
    "drain_s": _at_least(0, float),
    "port": _at_least(0, int),
}
