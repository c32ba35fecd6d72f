"""Rollouts: started and cancelled by people, carried on by whoever leads.

A rollout is a row. Each move (a release, and the step in the row) is one transaction under the lock
of its endpoint, made from what the row says then: so it may be tried twice, late, by two leaders or
by another one, and happens once.
"""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from controlplane.callers import Caller
from controlplane.database import transaction
from controlplane.endpoints import moving
from controlplane.endpoints import service as endpoints
from controlplane.endpoints.moving import Held, Routed, Traffic
from controlplane.endpoints.service import CANARY, HUNDRED, Check, Made
from controlplane.engines.engine import (
    Compared,
    Condition,
    DesiredShadow,
    EndpointId,
    Engine,
    ObservedEndpoint,
    Told,
)
from controlplane.loadtests import service as loadtests
from controlplane.loadtests.schemas import Load
from controlplane.loadtests.service import Admit
from controlplane.rollouts import admitting, asking, diffs, judging, proving, repository
from controlplane.rollouts.asking import Means, News
from controlplane.rollouts.checks import Check as Checked
from controlplane.rollouts.checks import level, look_number
from controlplane.rollouts.progress import Decision, Do, Standing, decide, verdicts
from controlplane.rollouts.rules import Rules, Shadow, rules_from
from controlplane.rollouts.states import State
from controlplane.rollouts.tables import Rollout
from controlplane.rollouts.tally import Tally, tally_from
from controlplane.rollouts.why import cause
from controlplane.tenants import service as tenants
from controlplane.tenants.service import TenantId
from controlplane.webhooks import service as webhooks
from controlplane.webhooks.states import Event
from loadtests.slo import Objectives
from runtime.problems import Conflict, InvalidInput, NotFound

LAST = "rollout"  # the action of the step that gives all traffic to the candidate
BACK, CANCEL = "rollback", "cancel"
NO_MEANS: Final = Means()
Checks = tuple[Checked, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a caller asks for.

    steps  percentages of the candidate, growing, the last one 100
    rules  what steps are judged by; its `slo` counts where `own_slo` is not asked for. Where
           something is proved first, a step without traffic comes before all others
    own_slo  the endpoint's SLO, as it is now, is what steps are judged by
    load     of a load test; its objectives are the SLO where it has none
    rows     that are replayed, as V1 has them
    """

    model: str
    version: str | None
    steps: tuple[int, ...]
    rules: Rules
    own_slo: bool = False
    load: Load | None = None
    rows: Sequence[Any] = ()


async def start(
    tenant: TenantId, name: str, wanted: Wanted, by: Caller, check: Check, admit: Admit
) -> dict[str, Any]:
    """Begin a rollout with the traffic of its first step; gives it as a document.

    check  refuses an endpoint that is not as the caller saw it
    admit  gives the plan of a load test that the tenant may have
    """
    admitting.check_steps(wanted.steps)
    rows = orjson.dumps([*wanted.rows])
    async with transaction():
        held = await moving.hold_named(tenant, name, check)
        if (other := await repository.running(held.id)) is not None:
            raise Conflict(
                f"Rollout {other.number} of {name} is under way; wait for it, or cancel it: "
                f"`kubeserve rollout {name} --cancel`."
            )
        running = await moving.routed(held, _only(held))
        candidate = await moving.candidate(held, wanted.model, wanted.version)
        if candidate.name == running.name:
            raise Conflict(
                f"{name} serves {running.model}:{running.version} already; there is nothing to "
                "roll out."
            )
        rules = _rules(held, wanted)
        admitting.check_flips(rules.shadow, "shadow.max_flips", running, candidate)
        admitting.check_flips(rules.replay, "replay.max_flips", running, candidate)
        if wanted.load is not None:
            tag = asking.tag_of(held.traffic, candidate.name)
            plan = admitting.loadtest(wanted.load, name, rules, tag, admit)
            rules = replace(rules, loadtest=plan)
        if rules.replay is not None:
            admitting.check_rows(rows, running)
        first = [0] if rules.begins_without_traffic else []
        now = datetime.now(UTC)
        row = await repository.add(
            held.id,
            candidate=_named(candidate),
            running=_named(running),
            before=held.traffic,
            steps=[*first, *wanted.steps],
            rules=rules.to_json(),
            step_at=now,
            release=0,
            tally=Tally().to_json(),
            compared={},
            checks=[],
            created_by=by.subject,
            client=by.client,
        )
        if rules.replay is not None:
            await repository.add_rows(row, rows)
        await _take_step(held, row, 0, by, now)
        await repository.save(row)
        await _emit(held, row, Event.ROLLOUT_STARTED)
    return document(row, name)


def _only(held: Held) -> str:
    """Give the revision that has all the traffic; raises Conflict."""
    found = [line["revision"] for line in held.traffic if line["percent"] == HUNDRED]
    if not found:
        raise Conflict(
            f"The traffic of {held.name} is split already. Give all of it to one version first: "
            f"`kubeserve traffic {held.name} VERSION=100`."
        )
    return str(found[0])


def _rules(held: Held, wanted: Wanted) -> Rules:
    asked = wanted.rules.slo
    if not wanted.own_slo:
        if asked is not None and asked != asked.of_answers:
            raise InvalidInput(
                "A step is judged by latency and errors alone; `kubeserve loadtest` tells of the "
                "rest.",
                field="slo",
            )
        return wanted.rules
    promised = None if held.slo is None else held.slo.of_answers
    if promised is None or promised == Objectives():
        raise InvalidInput(
            f"{held.name} promises neither latency nor errors yet: "
            f"`kubeserve slo {held.name} --p99 50ms` does.",
            field="slo",
        )
    return replace(wanted.rules, slo=promised)


def _named(one: Routed) -> dict[str, Any]:
    return {"revision": one.name, "model": one.model, "version": one.version}


async def _take_step(held: Held, row: Rollout, step: int, by: Caller, now: datetime) -> None:
    """Move the traffic to a step, and note in the row that it is so."""
    percent = row.steps[step]
    number, of = step + 1, len(row.steps)
    reason = f"Rollout {row.number}, step {number} of {of}: {percent} % to {_shown(row.candidate)}."
    action = LAST if percent == HUNDRED else CANARY
    traffic = _traffic(row, step)
    shadow = rules_from(row.rules).shadow
    pair = (row.running["revision"], row.candidate["revision"])
    # With all of the traffic gone, nothing is left to copy.
    copies = None if shadow is None or percent == HUNDRED else DesiredShadow(*pair, shadow.share)
    row.release = await moving.move(held, traffic, Made(action, by, reason, copies))
    row.update_from_dict(
        {"step": step, "step_at": now, "taken_at": None, "checks": [], "reason": None}
    )


def _traffic(row: Rollout, step: int) -> Traffic:
    """Give the traffic of a step of a rollout; while we ask the candidate, it has a tag for it."""
    candidate, running = row.candidate["revision"], row.running["revision"]
    percent = row.steps[step]
    tag = None
    if percent == 0 and rules_from(row.rules).asks:
        tag = asking.tag_of(row.before, candidate)
    return split(row.before, candidate, running, percent, tag)


def split(
    before: Traffic, candidate: str, running: str, percent: int, tag: str | None = None
) -> Traffic:
    """Give the traffic of a step: the candidate's share is taken from the running revision's.

    Other lines, which have a tag and no share, stay; so does the candidate's own tag.

    tag  of a candidate that has none of its own
    """
    tag = next((line["tag"] for line in before if line["revision"] == candidate), None) or tag
    others = [line for line in before if line["revision"] not in (candidate, running)]
    stays = next(line for line in before if line["revision"] == running)
    rest = {**stays, "percent": HUNDRED - percent}
    mine = {"revision": candidate, "percent": percent, "tag": tag}
    return [*([rest] if rest["percent"] or rest["tag"] else []), mine, *others]


def _shown(revision: dict[str, Any]) -> str:
    return f"{revision['model']}:{revision['version']}"


async def _itself(held: Held, row: Rollout) -> Caller:
    """Give who moves the traffic when nobody asks: the rollout, whoever leads."""
    subject = f"rollout:{row.number}"
    return Caller(await tenants.name_of(held.tenant), subject, "kubeserve", frozenset())


async def cancel(tenant: TenantId, name: str, number: int, by: Caller) -> dict[str, Any]:
    """Go back to the traffic from before; raises NotFound, or Conflict where it has ended."""
    async with transaction():
        held = await moving.hold_named(tenant, name, lambda _row: None)
        row = await repository.running(held.id)
        if row is None or row.number != number:
            ended = await _one(held.id, name, number)
            raise Conflict(f"Rollout {number} of {name} has ended: it is {ended.state}.")
        if _is_superseded(held, row):
            raise Conflict(f"Rollout {number} of {name} has ended: {_overtaken(held)}.")
        reason, now = f"cancelled in step {row.step + 1} of {len(row.steps)}", datetime.now(UTC)
        await _go_back(held, row, CANCEL, by, reason)
        _end(row, State.CANCELLED, reason, now)
        await _save(row)
        await _emit(held, row, Event.ROLLOUT_STOPPED)
    return document(row, name)


async def _emit(held: Held, row: Rollout, event: Event) -> None:
    said = {
        "endpoint": held.name,
        "rollout": row.number,
        "state": str(row.state),
        "candidate": row.candidate,
        "running": row.running,
        "step": row.step + 1,
        "steps": row.steps,
        "percent": row.steps[row.step] if row.state in (State.RUNNING, State.DONE) else 0,
        "reason": row.reason,
    }
    await webhooks.emit(held.tenant, event, said)


async def _emit_change(held: Held, row: Rollout, step: int) -> None:
    """Tell what a look changed, if anything."""
    match row.state:
        case State.RUNNING if row.step != step:
            await _emit(held, row, Event.ROLLOUT_STEP)
        case State.RUNNING:
            pass
        case State.DONE:
            await _emit(held, row, Event.ROLLOUT_FINISHED)
        case State.ROLLED_BACK | State.CANCELLED | State.SUPERSEDED:
            await _emit(held, row, Event.ROLLOUT_STOPPED)


async def _save(row: Rollout) -> None:
    """Keep a rollout; of one that has ended, end what it asked for."""
    await repository.save(row)
    if row.state is State.RUNNING:
        return
    await repository.forget_rows(row)
    if row.loadtest_id is not None:
        await loadtests.call_off(row.loadtest_id)


async def get(tenant: TenantId, name: str, number: int) -> dict[str, Any]:
    """Give one rollout; raises NotFound."""
    endpoint_id = await endpoints.id_of(tenant, name)
    return document(await _one(endpoint_id, name, number), name)


async def explain(tenant: TenantId, name: str, number: int) -> dict[str, Any]:
    """Say why a rollout is where it is; raises NotFound."""
    return cause(await get(tenant, name, number)).document(f"rollout:{name}:{number}")


async def _one(endpoint_id: uuid.UUID, name: str, number: int) -> Rollout:
    row = await repository.one(endpoint_id, number)
    if row is None:
        raise NotFound(f"{name} has no rollout {number}; `kubeserve rollouts {name}` lists them.")
    return row


async def page(tenant: TenantId, name: str, limit: int, below: int | None) -> list[dict[str, Any]]:
    """Give limit + 1 rollouts, the newest first."""
    endpoint_id = await endpoints.id_of(tenant, name)
    return [document(row, name) for row in await repository.page(endpoint_id, limit, below)]


def document(row: Rollout, endpoint: str) -> dict[str, Any]:
    """Describe a rollout as it stands."""
    rules, tally = rules_from(row.rules), tally_from(row.tally)
    candidate, running = row.candidate["revision"], row.running["revision"]
    ours = row.steps[row.step] == 0  # what it answers is answered to us
    return {
        "number": row.number,
        "endpoint": endpoint,
        "state": str(row.state),
        "candidate": row.candidate,
        "running": row.running,
        "steps": row.steps,
        "step": row.step + 1,
        "percent": row.steps[row.step] if row.state in (State.RUNNING, State.DONE) else 0,
        "shadow": None if rules.shadow is None else asdict(rules.shadow),
        "difference": _difference(row, rules),
        "replay": _replay(row, rules),
        "loadtest": _asked_load(row, rules),
        "reason": row.reason,
        "checks": row.checks,
        "passed": row.passed or [],
        "answers": {
            "candidate": 0 if ours else tally.of_step(candidate).count,
            "running": tally.of_step(running).count,
            "needed": rules.needed,
            "candidate_in_all": 0 if ours else tally.of_all(candidate).count,
            "running_in_all": tally.of_all(running).count,
        },
        "slo": None if rules.slo is None else rules.slo.to_json(),
        "requests": rules.requests,
        "step_s": rules.step_s,
        "give_up_s": rules.give_up_s,
        "created_at": row.created_at.isoformat(),
        "created_by": row.created_by,
        "step_at": row.step_at.isoformat(),
        "ended_at": None if row.ended_at is None else row.ended_at.isoformat(),
    }


def _difference(row: Rollout, rules: Rules) -> dict[str, Any] | None:
    if rules.shadow is None:
        return None
    return asdict(diffs.difference(diffs.total(row.compared)))


def _replay(row: Rollout, rules: Rules) -> dict[str, Any] | None:
    if rules.replay is None:
        return None
    found = proving.replayed_from(row.replayed)
    return {
        **asdict(rules.replay),
        "replayed": found.at,
        "unanswered": found.unanswered,
        "difference": asdict(diffs.difference(found.compared)),
    }


def _asked_load(row: Rollout, rules: Rules) -> dict[str, Any] | None:
    if rules.loadtest is None:
        return None
    return {"id": None if row.loadtest_id is None else str(row.loadtest_id), "plan": rules.loadtest}


# Carried on by the leader


async def under_way() -> list[uuid.UUID]:
    """Give the endpoints that have a rollout to be carried on."""
    return await repository.endpoints_with_one_of_all()


async def carry_on(
    endpoint_id: uuid.UUID, engine: Engine, now: datetime, means: Means = NO_MEANS
) -> bool:
    """Look at an endpoint's rollout and do what is due; False: there is none any more.

    Raises EngineUnavailable; then nothing is decided, and nothing lost: counters go on.
    """
    known = await repository.as_it_is(endpoint_id)
    if known is None:
        return False
    key = EndpointId(str(endpoint_id))
    seen = await engine.observe(key)
    told = await engine.told(key)
    news = News()
    if known.steps[known.step] == 0 and known.taken_at is not None:
        news = await asking.ask(known, rules_from(known.rules), seen, means)
    async with transaction():
        held = await moving.hold(endpoint_id)
        row = None if held is None else await repository.running(endpoint_id)
        if held is None or row is None:
            return False
        step = row.step
        if _is_superseded(held, row):
            _end(row, State.SUPERSEDED, _overtaken(held), now)
        else:
            row.release = held.release
            await _look(held, row, Found(seen, told, news, engine.lag_s), now)
        await _save(row)
        await _emit_change(held, row, step)
        return row.state is State.RUNNING


def _is_superseded(held: Held, row: Rollout) -> bool:
    """Tell whether somebody moved the traffic; releases that only change other things do not."""
    return held.release != row.release and held.traffic != _traffic(row, row.step)


def _overtaken(held: Held) -> str:
    return f"release {held.release} ({held.action}) moved the traffic"


@dataclass(frozen=True, slots=True)
class Found:
    """What a look found, outside of any transaction. `lag_s`: of what the engine told."""

    seen: ObservedEndpoint | None
    told: Told
    news: News
    lag_s: float


async def _look(held: Held, row: Rollout, found: Found, now: datetime) -> None:
    """Add what was measured, judge, and do what follows."""
    tally, rules = tally_from(row.tally), rules_from(row.rules)
    candidate, running = row.candidate["revision"], row.running["revision"]
    tally.read(found.told.measured, (candidate, running))
    row.compared = diffs.read(row.compared, found.told.compared)
    served, broken = _served(held, found.seen)
    if served and row.taken_at is None:
        row.taken_at = now
    compared, told_s = diffs.total(row.compared), None
    if row.steps[row.step] == 0:
        checks, told_s = _of_ours(row, rules, found.news, now)
    else:
        checks = _of_callers(tally, row, rules)
    if rules.shadow is not None:
        checks += _of_copies(tally, compared, rules.shadow, _questions(rules))
    row.checks = verdicts(checks)
    standing = Standing(
        row.step + 1,
        len(row.steps),
        row.steps[row.step],
        row.step_at,
        row.taken_at,
        broken,
        tally.of_step(candidate).count,
        compared.rows,
        checks,
        told_s,
    )
    decision = decide(standing, rules, now, found.lag_s)
    if decision.do is Do.GO_ON:
        tally.next_step(first=standing.percent == 0)
    row.tally, row.reason = tally.to_json(), decision.reason
    await _do(held, row, decision, now)


def _questions(rules: Rules) -> int:
    return judging.questions(rules.slo) + diffs.questions(rules.shadow)


def _of_callers(tally: Tally, row: Rollout, rules: Rules) -> Checks:
    """Judge what the two revisions answered their callers."""
    candidate, running = row.candidate["revision"], row.running["revision"]
    mine, beside = tally.of_step(candidate), tally.of_step(running)
    if beside.count < rules.requests:
        beside = tally.of_all(running)  # at 100 % there is nothing beside
    look = look_number(mine.count)
    alpha = level(look, _questions(rules)) if look > tally.looked else 0.0
    tally.looked = max(look, tally.looked)
    return judging.judge(mine, beside, rules.slo, alpha)


def _of_copies(tally: Tally, compared: Compared, shadow: Shadow, questions: int) -> Checks:
    """Judge how answers to copies of requests differ."""
    look = look_number(compared.rows)
    alpha = level(look, questions) if look > tally.compared else 0.0
    tally.compared = max(look, tally.compared)
    return diffs.judge(compared, shadow, alpha)


def _of_ours(row: Rollout, rules: Rules, news: News, now: datetime) -> tuple[Checks, float | None]:
    """Note and judge what the candidate answered us; also how many seconds ago it did last."""
    checks: Checks = ()
    ends: list[datetime | None] = []
    if rules.replay is not None:
        replayed = news.added_to(row)
        row.replayed = replayed.to_json()
        checks += proving.of_replay(replayed, rules.replay, news.no_replay)
        ends.append(datetime.fromisoformat(replayed.ended_at) if replayed.ended_at else None)
    if rules.loadtest is not None:
        checks += proving.of_loadtest(news.loadtest, news.no_test)
        ends.append(None if news.loadtest is None else news.loadtest.ended_at)
    last = max((end for end in ends if end is not None), default=None)
    return checks, None if last is None else (now - last).total_seconds()


def _served(held: Held, seen: ObservedEndpoint | None) -> tuple[bool, str | None]:
    """Tell whether the engine serves the present traffic, or why it cannot."""
    ready = None if seen is None else seen.condition("Ready")
    if seen is None or ready is None or seen.observed_generation != held.generation:
        return False, None
    if ready.status is Condition.FALSE:
        return False, ready.message
    return ready.status is Condition.TRUE, None


async def _do(held: Held, row: Rollout, decision: Decision, now: datetime) -> None:
    match decision.do:
        case Do.WAIT:
            pass
        case Do.GO_ON:
            _note_passed(row, now)
            if row.steps[row.step] == 0:
                await repository.forget_rows(row)
            await _take_step(held, row, row.step + 1, await _itself(held, row), now)
        case Do.FINISH:
            _note_passed(row, now)
            _end(row, State.DONE, decision.reason, now)
        case Do.GO_BACK:
            await _go_back(held, row, BACK, await _itself(held, row), decision.reason)
            _end(row, State.ROLLED_BACK, decision.reason, now)


def _note_passed(row: Rollout, now: datetime) -> None:
    step = {"step": row.step + 1, "percent": row.steps[row.step], "passed_at": now.isoformat()}
    row.passed = [*(row.passed or []), {**step, "checks": row.checks}]


async def _go_back(held: Held, row: Rollout, action: str, by: Caller, reason: str) -> None:
    said = f"Rollout {row.number} of {_shown(row.candidate)} went back: {reason}."
    row.release = await moving.move(held, row.before, Made(action, by, said))


def _end(row: Rollout, state: State, reason: str, now: datetime) -> None:
    row.state, row.reason, row.ended_at = state, reason, now
