"""What a build elsewhere sends back, both directions: written in its pod, read where rows are.

The pod ran a tenant's code, so of what comes back nothing is believed: sizes are bounded, texts
are cut and made printable, and what a plan says of itself is read from the plan.
"""

import hashlib
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from controlplane.builder import validate
from controlplane.builder.report import Outcome, Report
from controlplane.builder.validate import Untrusted
from controlplane.builder.warm import printable
from controlplane.texts import is_storable
from runtime.plan import Cost, PlanError, load
from runtime.plan.signature import Signature, from_json

FORMAT: Final = 1
MOST_BYTES: Final = validate.MOST_RESULT
_MOST_OUTPUT: Final = 64 * 1024
_MOST_PHASES: Final = 16
_LONGEST_S: Final = 1e6
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_EXACTNESS: Final = ("bitwise", "batch", "tolerance")


@dataclass(frozen=True, slots=True)
class Sent:
    """A report as it came; `plan_sha256` and `plan_size_bytes` are there with outcome plan."""

    report: Report
    plan_sha256: str | None = None
    plan_size_bytes: int = 0


def encode(report: Report) -> bytes:
    """Write a report, with digest and size of its plan."""
    document = report.to_json()
    document.pop("plan_path")
    document["format"] = FORMAT
    if report.plan_path is not None:
        with report.plan_path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = report.plan_path.stat().st_size
        document["plan"] = {"sha256": digest, "size_bytes": size}
    return json.dumps(document).encode()


def decode(raw: bytes, *, most_plan_bytes: int) -> Sent:
    """Read a report; raises Untrusted when it is none."""
    document = _document(raw)
    try:
        outcome = Outcome(str(document.get("outcome")))
    except ValueError as error:
        raise Untrusted("its report has no outcome") from error
    report = Report(
        outcome,
        reason=validate.text(document, "reason"),
        advice=validate.text(document, "advice"),
        sklearn_version=validate.text(document, "sklearn_version", 60),
        estimator=validate.text(document, "estimator", 400),
        imports=validate.names(document, "imports"),
        exactness=_exactness(document),
        families=validate.names(document, "families"),
        fallback_because=validate.text(document, "fallback_because"),
        sandbox=validate.names(document, "sandbox"),
        seconds=_seconds(document),
        output=_output(document),
    )
    match outcome:
        case Outcome.FAILED:
            return Sent(replace(report, reason=report.reason or "The build failed."))
        case Outcome.FALLBACK:
            return Sent(
                replace(
                    report,
                    signature=_signature(document),
                    fallback_because=report.fallback_because or "it has no plan",
                )
            )
        case Outcome.PLAN:
            return Sent(report, *_plan(document, most_plan_bytes))


def with_plan(sent: Sent, path: Path) -> Report:
    """Complete a report from its plan, a file of the announced digest; raises Untrusted."""
    try:
        plan = load(path)
    except PlanError as error:
        raise Untrusted(f"its plan is not one: {error}") from error
    return replace(
        sent.report,
        signature=_storable(plan.signature),
        cost=Cost(plan.cost.c0_us, plan.cost.c1_us),
        plan_path=path,
    )


def _document(raw: bytes) -> dict[str, Any]:
    if len(raw) > MOST_BYTES:
        raise Untrusted(f"its report is larger than {MOST_BYTES} bytes")
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Untrusted("its report is not JSON") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise Untrusted(f"its report is not of format {FORMAT}")
    return document


def _plan(document: dict[str, Any], most: int) -> tuple[str, int]:
    plan = document.get("plan")
    if not isinstance(plan, dict):
        raise Untrusted("its report names no plan")
    sha256, size = plan.get("sha256"), plan.get("size_bytes")
    if not isinstance(sha256, str) or not _DIGEST.fullmatch(sha256):
        raise Untrusted("its report names no digest of the plan")
    if type(size) is not int or not 0 < size <= most:
        raise Untrusted(f"its plan is not of 1 to {most} bytes")
    return sha256, size


def _signature(document: dict[str, Any]) -> Signature:
    signature = document.get("signature")
    if not isinstance(signature, dict):
        raise Untrusted("its report has no signature")
    try:
        return _storable(from_json(signature))
    except (ValueError, RecursionError) as error:
        raise Untrusted("its signature is not one") from error


def _storable(signature: Signature) -> Signature:
    """Refuse names that no database keeps."""
    texts = [column.name for column in signature.columns]
    for output in signature.outputs:
        texts += [output.name, *output.columns]
    if not all(map(is_storable, texts)):
        raise Untrusted("its signature has names that are no text")
    return signature


def _exactness(document: dict[str, Any]) -> str | None:
    found = document.get("exactness")
    return found if isinstance(found, str) and found in _EXACTNESS else None


def _seconds(document: dict[str, Any]) -> dict[str, float]:
    found = document.get("seconds")
    if not isinstance(found, dict):
        return {}
    known = {}
    for phase, value in list(found.items())[:_MOST_PHASES]:
        number = type(value) in (int, float) and 0 <= value < _LONGEST_S
        if number and phase.isidentifier() and len(phase) <= 40:
            known[phase] = float(value)
    return known


def _output(document: dict[str, Any]) -> str:
    found = document.get("output")
    return printable(found[:_MOST_OUTPUT]) if isinstance(found, str) else ""
