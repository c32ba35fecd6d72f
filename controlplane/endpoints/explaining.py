"""Why an endpoint is as it is: what rows alone tell, then what the engine finds.

A name without an endpoint is explained by the model of that name, of which it is about to be made.
"""

import asyncio
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from controlplane.endpoints import health, service
from controlplane.endpoints.service import Look, Standing
from controlplane.engines.engine import (
    Cause,
    Condition,
    DesiredEndpoint,
    Engine,
    Status,
    refused,
)
from controlplane.models import service as models
from controlplane.rest import is_name
from controlplane.tenants.service import TenantId
from runtime.problems import EngineUnavailable, NotFound

ANSWER_WITHIN_S: Final = 10.0
# A release is normally taken over within a second; a control plane that restarts needs some more.
TAKEN_WITHIN: Final = timedelta(seconds=15)
NORMAL: Final = timedelta(seconds=3)
PENDING: Final = ("uploaded", "building")


async def explain(engine: Engine, tenant: TenantId, name: str, issuer: str) -> dict[str, Any]:
    """Give the cause of an endpoint's state as a document; raises NotFound."""
    found = await service.standing(tenant, name, issuer)
    cause = await _undeployed(tenant, name) if found is None else await _cause(engine, found)
    return {"endpoint": name, **cause.document(f"endpoint:{name}")}


async def _undeployed(tenant: TenantId, name: str) -> Cause:
    newest = await _newest(tenant, name) if is_name(name) else None
    if newest is None:
        raise NotFound(
            f"There is no endpoint {name[:60]!r}; `kubeserve endpoints` lists what there is."
        )
    return undeployed(name, newest)


async def _newest(tenant: TenantId, model: str) -> dict[str, Any] | None:
    """Give the version that was pushed last, whatever became of it; None: there is none."""
    try:
        listed = await models.list_versions(tenant, model, 0, None)
    except NotFound:  # a deployed model may have been deleted
        return None
    return listed[0] if listed else None


def undeployed(name: str, newest: dict[str, Any]) -> Cause:
    """Say why there is no endpoint of a model: its newest version tells."""
    which, state = f"{name}:{newest['number']}", newest["state"]
    facts = (f"version {which} is {state}", f"there is no endpoint {name}")
    if state in PENDING:
        text = f"There is no endpoint yet: {which} is still being built."
        step = f"Wait for it (`kubeserve versions {name}`), then `kubeserve deploy {name}`."
        return Cause("Building", True, text, facts, step)
    if state == "failed":
        text = f"There is no endpoint, and {which} cannot serve: {newest['reason']}"
        step = newest["advice"] or f"Change the model and push it again: `kubeserve push {name}`."
        return Cause("BuildFailed", False, text, facts, step)
    text = f"There is no endpoint {name}; {which} is ready for one."
    return Cause("NotDeployed", False, text, facts, f"`kubeserve deploy {name}` makes it.")


async def _cause(engine: Engine, standing: Standing) -> Cause:
    desired = standing.desired
    if desired is None:
        since = (standing.deleted_at or standing.released_at).isoformat(timespec="seconds")
        text = "This endpoint is being deleted; its name is free again when that is done."
        step = "Wait. If it lasts for minutes, ask the operator for the control plane's log."
        return Cause("Deleting", True, text, (f"deleted at {since}",), step)
    cause = await asked(engine, desired)
    if cause.reason == "NotTaken":
        cause = patient(cause, datetime.now(UTC) - standing.released_at)
    of = uuid.UUID(str(standing.id))
    seen = Seen(await health.breach(of), await health.drift(of))
    cause = watched(cause, seen, standing.action, standing.reason)
    return await _with_versions(standing.tenant, desired, cause)


async def asked(engine: Engine, desired: DesiredEndpoint) -> Cause:
    """Ask the engine; that it does not answer is a cause too."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            return await engine.explain(desired)
    except EngineUnavailable as error:
        said = error.detail
    except TimeoutError:
        said = f"no answer within {ANSWER_WITHIN_S:g} s"
    text = "The engine cannot be asked. Endpoints that were serving go on without it."
    step = "Try again in a moment; if it lasts, the operator must bring the engine back."
    return Cause("EngineUnavailable", False, text, (said,), step)


async def closer(engine: Engine, standing: Standing, look: Look) -> Look:
    """Find out whether a release that is stuck is refused.

    The replica that was refused may be another one than this.
    """
    if standing.desired is None or datetime.now(UTC) - standing.released_at < NORMAL:
        return look
    cause = await asked(engine, standing.desired)
    if cause.ok or cause.reason in ("NotTaken", "EngineUnavailable"):
        return look
    said = Status("Ready", Condition.FALSE, cause.reason, cause.message, standing.released_at)
    told = refused(standing.id, look.seen.get(standing.id), standing.generation, said)
    return Look({**look.seen, standing.id: told})


def patient(cause: Cause, age: timedelta) -> Cause:
    """Call a release that was made a moment ago one that starts."""
    if age > TAKEN_WITHIN:
        return cause
    text = f"The release was made {max(0, age.seconds)} s ago and is being rolled out."
    return Cause("Starting", True, text, (*cause.evidence, cause.message))


def released(cause: Cause, action: str, reason: str | None) -> Cause:
    """Add why the current release was made, where nobody asked for it.

    An endpoint that serves well, and not what was wanted of it, is not well.
    """
    if reason is None:
        return cause
    if action != "rollback" or not cause.ok:
        return replace(cause, evidence=(*cause.evidence, reason))
    step = "Correct the model, push it and roll it out again; `kubeserve rollouts` tells more."
    return Cause("RolledBack", False, reason, (cause.message, *cause.evidence), step)


class Seen(NamedTuple):
    """What is seen of an endpoint's answers: since when, and facts; None: nothing is wrong."""

    breach: tuple[datetime, list[str]] | None
    drift: tuple[str, list[str]] | None


def watched(cause: Cause, seen: Seen, action: str, reason: str | None) -> Cause:
    """Add what goes wrong now; what was put right by going back comes after that."""
    return released(drifted(promised(cause, seen.breach), seen.drift), action, reason)


def promised(cause: Cause, breach: tuple[datetime, list[str]] | None) -> Cause:
    """Add that an endpoint breaks its promises; one that serves is not well then."""
    if breach is None:
        return cause
    since, facts = breach
    text = f"It serves, and has not kept its SLO since {since.isoformat(timespec='seconds')}."
    step = (
        "Look at what takes long (`kubeserve logs`) or fails, give it more with "
        "`kubeserve tune`, go back with `kubeserve rollback`, or promise less: `kubeserve slo`."
    )
    return _although_it_serves(cause, "SloBreached", text, facts, step)


def drifted(cause: Cause, drift: tuple[str, list[str]] | None) -> Cause:
    """Add that what is asked is not what the model was made for; one that serves is not well."""
    if drift is None:
        return cause
    since, facts = drift
    text = f"It serves, and what it is asked or answers has drifted since {since[:19]}."
    step = (
        "`kubeserve drift` shows it column by column; train the model on newer data, or look "
        "at what sends these."
    )
    return _although_it_serves(cause, "Drifted", text, facts, step)


def _although_it_serves(cause: Cause, reason: str, text: str, facts: list[str], step: str) -> Cause:
    """Say what is wrong with an endpoint that serves; of one that does not it is evidence."""
    if not cause.ok:
        return replace(cause, evidence=(*cause.evidence, *facts))
    return Cause(reason, False, text, (*facts, cause.message, *cause.evidence), step)


async def _with_versions(tenant: TenantId, desired: DesiredEndpoint, cause: Cause) -> Cause:
    """Add what is under way above the engine: a newer version that is built, or could not be."""
    newest_routed = max(desired.revisions, key=lambda one: one.version)
    newest = await _newest(tenant, newest_routed.model)
    if newest is None or newest["number"] <= newest_routed.version:
        return cause
    which, state = f"{newest_routed.model}:{newest['number']}", newest["state"]
    said = f"{which} is {state}" + (f": {newest['reason']}" if newest["reason"] else "")
    fact = f"{said}; the endpoint serves version {newest_routed.version}"
    return Cause(cause.reason, cause.ok, cause.message, (*cause.evidence, fact), cause.next_step)
