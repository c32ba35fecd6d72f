"""Why a container of ours ended: its exit code, its last words, its limits. Pure."""

import math
import re
from dataclasses import dataclass
from typing import Final

from controlplane.engines.engine import BackendKind, Cause, DesiredRevision
from controlplane.engines.knative.facts import short
from runtime.launch import Exit

MIB: Final = 1 << 20
KILLED, SEGMENT, TERMINATED, ABORTED = 137, 139, 143, 134
DIGEST: Final = re.compile(r"sha-?256|digest", re.IGNORECASE)
ACCESS: Final = re.compile(
    r"\b403\b|AccessDenied|Forbidden|InvalidAccessKey|SignatureDoesNotMatch|ExpiredToken"
    r"|\b401\b|credentials",
    re.IGNORECASE,
)
ABSENT: Final = re.compile(
    r"\b404\b|NoSuchKey|NoSuchBucket|not found|No such file|does not exist", re.IGNORECASE
)
ENVIRONMENT: Final = re.compile(
    r"the environment of (scikit-learn [\w.]+|the model's packages) \(https?://"
)
BACK: Final = "`kubeserve rollback {name}` serves the release before meanwhile."


@dataclass(frozen=True, slots=True)
class End:
    """A container that ended.

    words   its last lines, oldest first
    limit   of its memory, as the pod says it
    before  facts that tell where this was seen
    """

    endpoint: str
    revision: DesiredRevision
    code: int
    reason: str
    words: tuple[str, ...]
    limit: str
    facts: tuple[str, ...]

    @property
    def text(self) -> str:
        """Give all last lines as one."""
        return "\n".join(self.words)

    @property
    def last(self) -> str:
        """Give the line that says most: the last one that is not empty."""
        return next((short(line) for line in reversed(self.words) if line.strip()), "")


def ended(end: End) -> Cause:
    """Name why a container ended."""
    if end.reason == "OOMKilled":
        return _memory(end)
    if end.code in (Exit.BAD_PLAN, Exit.NO_ARTIFACT) and ENVIRONMENT.search(end.text):
        return _environment(end)
    match end.code:
        case Exit.BAD_LAUNCH:
            return _settings(end, "KubeServe's settings for the container are wrong")
        case Exit.BAD_PLAN if DIGEST.search(end.text):
            return _digest(end)
        case Exit.BAD_PLAN:
            step = "Push the model again and deploy the new version; " + BACK
            return _fault(end, "BadPlan", f"The runtime refuses the model: {end.last}", step)
        case Exit.NO_ARTIFACT:
            return _artifact(end)
        case 126 | 127 | 128:  # not runnable, not found, not started
            return _settings(end, "the image has no such program")
        case _:
            return _crash(end)


def need_mib(revision: DesiredRevision) -> int:
    """Estimate the memory of one replica: the program and what becomes of the artifact in it."""
    size = revision.artifact_size_bytes / MIB
    fallback = revision.backend is BackendKind.FALLBACK
    return math.ceil(300 + 3 * size if fallback else 60 + 2 * size)


def _memory(end: End) -> Cause:
    size = end.revision.artifact_size_bytes / MIB
    model = f"{end.revision.model}:{end.revision.version}"
    message = (
        f"A replica ran out of memory: its limit is {end.limit or 'unknown'}, and {model} "
        f"({size:.1f} MiB) needs about {need_mib(end.revision)} MiB and what its requests take."
    )
    step = (
        "Send fewer rows at a time, let a replica take fewer requests (`kubeserve deploy "
        f"{end.revision.model} --concurrency 1`), or train a smaller model. " + BACK
    )
    return _fault(end, "OutOfMemory", message, step)


def _settings(end: End, what: str) -> Cause:
    step = (
        "Ask the operator: KubeServe's images and settings do not fit. The model is not at fault."
    )
    said = f": {end.last}" if end.last else ""
    return _fault(end, "ConfigurationError", f"The container cannot start, {what}{said}.", step)


def _digest(end: End) -> Cause:
    message = f"What the pod read is not the artifact that was deployed: {end.last}"
    step = "Push the model again and deploy it; tell the operator that stored objects changed."
    return _fault(end, "DigestMismatch", message, step)


def _artifact(end: End) -> Cause:
    if DIGEST.search(end.text) and not (ACCESS.search(end.text) or ABSENT.search(end.text)):
        return _digest(end)
    if ACCESS.search(end.text):
        message = f"The object store refuses the tenant's credentials: {end.last}"
        step = (
            "Ask the operator to renew them: delete the Secret `kubeserve-store` of the tenant's "
            "namespace, KubeServe makes it again."
        )
        return _fault(end, "CredentialsExpired", message, step)
    if ABSENT.search(end.text):
        message = f"The artifact is not where the pod looks for it: {end.last}"
        step = "Push the model again and deploy it; tell the operator that an object is missing."
        return _fault(end, "ArtifactMissing", message, step)
    message = f"The pod cannot fetch the artifact: {end.last}"
    step = "It is tried again by itself; if it lasts, ask the operator about the object store."
    return _fault(end, "StoreUnreachable", message, step)


def _environment(end: End) -> Cause:
    """Name an environment that is served in and cannot be had."""
    if ACCESS.search(end.text):
        return _artifact(end)
    step = (
        "KubeServe looks every ten minutes, makes it anew if it is lost, and replaces the tenant's "
        "copy within an hour; if it lasts, tell the operator that stored objects change."
    )
    if end.code == Exit.BAD_PLAN:
        message = f"What the pod read is not the environment that was made: {end.last}"
        return _fault(end, "EnvironmentDamaged", message, step)
    if ABSENT.search(end.text):
        message = f"The environment that the model is served in is missing: {end.last}"
        return _fault(end, "EnvironmentMissing", message, step)
    return _artifact(end)


def _crash(end: End) -> Cause:
    how = {
        0: "ended by itself without an error",
        KILLED: "was killed (137), by a failed probe, the node or out of memory of the node",
        SEGMENT: "crashed in native code (139)",
        ABORTED: "aborted in native code (134)",
        TERMINATED: "was told to end (143) before it served",
        Exit.NO_PORT: "could not listen on its port (69)",
    }.get(end.code, f"ended with exit code {end.code}")
    said = f" Its last line: {end.last}" if end.last else " It wrote nothing."
    step = "Read `kubeserve logs {name}`; deploy a version that starts. " + BACK
    return _fault(end, "CrashLoop", f"The replica {how}.{said}", step)


def _fault(end: End, reason: str, message: str, step: str) -> Cause:
    text = step.replace("{name}", end.endpoint)
    return Cause(reason, False, message, end.facts, text)
