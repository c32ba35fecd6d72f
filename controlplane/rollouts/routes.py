"""Rollouts over HTTP."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request

from controlplane.callers import Caller, CurrentCaller
from controlplane.edge.operations import Page, Why, gives
from controlplane.endpoints import service as endpoints
from controlplane.idempotency import once
from controlplane.loadtests import service as loadtests
from controlplane.rest import MAX_PAGE, after_number, check_match, page
from controlplane.rollouts import schemas, service
from controlplane.rollouts.rules import Replay, Rules, Shadow
from controlplane.rollouts.service import Wanted
from controlplane.subjects import with_names
from controlplane.tenants import service as tenants
from controlplane.tenants.service import TenantId
from runtime.problems import Conflict, Forbidden, NotImplementedHere

router = APIRouter(prefix="/v1/endpoints/{endpoint}/rollouts", tags=["endpoints"])
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]
Number = Annotated[int, Path(ge=1, lt=1 << 31)]


async def _tenant(caller: Caller) -> TenantId:
    return (await tenants.get(caller.tenant)).id


async def _named(request: Request, caller: Caller, found: dict[str, Any]) -> dict[str, Any]:
    return (await with_names(request, caller.tenant, [found]))[0]


async def _moved(request: Request, tenant: TenantId, endpoint: str) -> None:
    """Wake the loops now that the change is committed."""
    request.app.state.wake_endpoint(await endpoints.id_of(tenant, endpoint))


@router.post("", status_code=201, **gives(schemas.Rollout, 201, once=True, if_match=True))
async def start(
    caller: CurrentCaller, endpoint: str, body: schemas.NewRollout, request: Request
) -> dict[str, Any]:
    """Give a version an endpoint's traffic in steps, each of which is judged; or take it back."""
    tenant = await _tenant(caller)
    if not request.app.state.engine.measures:
        raise Conflict(
            "This installation has no object store by which pods tell what they answer, so nothing "
            "could be judged. Move the traffic by hand: `kubeserve traffic`."
        )
    if body.shadow is not None and not request.app.state.engine.shadows:
        raise Conflict(
            "On Knative no copies of requests are compared: leave out `shadow`, and give rows to "
            "`replay` instead (`--replay FILE`)."
        )
    await _may_ask(request, caller, body)
    rules = Rules(
        slo=None if body.slo == "endpoint" else body.slo,
        requests=body.requests,
        step_s=body.step_s,
        give_up_s=body.give_up_s,
        shadow=None if body.shadow is None else Shadow(**body.shadow.model_dump()),
        replay=None if body.replay is None else _replay(body.replay),
    )
    version = None if body.version is None else str(body.version)
    wanted = Wanted(
        body.model,
        version,
        tuple(body.steps),
        rules,
        body.slo == "endpoint",
        body.loadtest,
        () if body.replay is None else body.replay.instances,
    )
    state = request.app.state
    most, generators = await state.quotas.of(tenant), state.settings.loadtest_generators
    admit = partial(loadtests.check, most=most, most_generators=generators)

    def unchanged(row: Any) -> None:
        check_match(request, endpoints.as_wanted(row))

    async def act() -> dict[str, Any]:
        found = await service.start(tenant, endpoint, wanted, caller, unchanged, admit)
        return await _named(request, caller, found)

    found = await once(request, caller, act)
    await _moved(request, tenant, endpoint)
    return found


def _replay(asked: schemas.Replay) -> Replay:
    return Replay(len(asked.instances), asked.max_flips, asked.max_shift)


async def _may_ask(request: Request, caller: Caller, body: schemas.NewRollout) -> None:
    """Refuse what would be asked of the candidate in the name of somebody who may not."""
    if body.loadtest is None and body.replay is None:
        return
    if not await request.app.state.oauth.may_predict(
        (caller.subject, caller.client), caller.tenant
    ):
        raise Forbidden(
            "A load test and a replay predict as you; this needs the scope predict too."
        )
    refusal: str | None = request.app.state.no_loadtests
    if body.loadtest is not None and refusal is not None:
        raise NotImplementedHere(refusal)


@router.get("", **gives(Page[schemas.Rollout]))
async def list_rollouts(
    caller: CurrentCaller,
    endpoint: str,
    request: Request,
    limit: Limit = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    found = await service.page(await _tenant(caller), endpoint, limit, after_number(cursor))
    rows = await with_names(request, caller.tenant, found)
    return page(rows, limit, lambda row: row, lambda row: str(row["number"]))


@router.get("/{rollout}", **gives(schemas.Rollout))
async def get_rollout(
    caller: CurrentCaller, endpoint: str, rollout: Number, request: Request
) -> dict[str, Any]:
    found = await service.get(await _tenant(caller), endpoint, rollout)
    return await _named(request, caller, found)


@router.get("/{rollout}/why", **gives(Why))
async def why_rollout(caller: CurrentCaller, endpoint: str, rollout: Number) -> dict[str, Any]:
    """Say why a rollout waits or ended, by which figures, and what to do next."""
    return await service.explain(await _tenant(caller), endpoint, rollout)


@router.post("/{rollout}/cancel", **gives(schemas.Rollout, once=True))
async def cancel(
    caller: CurrentCaller, endpoint: str, rollout: Number, request: Request
) -> dict[str, Any]:
    """Give all traffic back to the revision that had it before."""
    tenant = await _tenant(caller)

    async def act() -> dict[str, Any]:
        found = await service.cancel(tenant, endpoint, rollout, caller)
        return await _named(request, caller, found)

    found = await once(request, caller, act)
    await _moved(request, tenant, endpoint)
    return found
