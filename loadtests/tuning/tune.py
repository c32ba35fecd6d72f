"""Sizes an endpoint: measures one replica of a copy, proposes settings, tests and applies them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from controlplane.client import Client, ClientError, Endpoint
from loadtests.plan import Load, Plan, PlanError, asked
from loadtests.result import PhaseResult, Result
from loadtests.shapes import Knee, Shape, Steady, Wake
from loadtests.slo import Objectives, Outcome, Verdict, objectives_from, overall
from loadtests.tuning.document import Tuned, Tuning
from loadtests.tuning.proposing import (
    Measured,
    Now,
    Proposal,
    Step,
    cold_start_limit,
    knee,
    lasts_s,
    propose,
    step_s,
    to_prove,
)
from loadtests.tuning.replica import Replica, Used
from loadtests.tuning.runs import Runs

Tell = Callable[[dict[str, Any]], None]
WAKES: Final = 6  # which bound a median
COARSE: Final = 2.0
FINE: Final = 1.15
# A pause of the machine can fail a step that holds when it is tried again.
SEARCHES: Final = 3
FIRST_LOWER: Final = 10.0  # times lower, where not even the first rate holds
PROOFS: Final = 2
STAGES: Final = {
    "wake": "Cold starts",
    "knee": "Search for the greatest rate that holds",
    "proof": "Test of the proposal",
}


class Search:
    """Finds the knee of a replica, coarsely and then closely."""

    def __init__(self, run: Callable[[str, Shape], Result], tuning: Tuning) -> None:
        self._run, self._tuning = run, tuning
        self._count = 0
        self.steps: list[Step] = []
        self.last: Result | None = None

    def find(self) -> None:
        """Search until the knee is known to a step of 15 %, or all that may be tried held."""
        tuning = self._tuning
        begin = min(tuning.start, tuning.rate)
        if not self._try(begin, COARSE, tuning.rate) and not self._held():
            self._try(begin / FIRST_LOWER, COARSE, begin)
        for _ in range(SEARCHES):
            found = knee(self.steps)
            if found is None or found.beyond is None:
                return
            beyond = found.beyond.rate
            if not self._try(found.step.rate, FINE, beyond):
                return
            # Nothing failed on the way to the rate that did: that was chance. On from there.
            self.steps = [one for one in self.steps if one.holds or one.rate > beyond]
            if self._try(beyond, COARSE, tuning.rate):
                return

    def _try(self, start: float, factor: float, most: float) -> bool:
        """Raise the rate until a step does not hold; tells whether all did."""
        self._count += 1
        shape = Knee(start=start, factor=factor, most=most)
        seconds = step_s(self._tuning.objectives, start, self._tuning.duration)
        shape = shape.model_copy(update={"step": seconds})
        result = self.last = self._run(f"knee-{self._count}", shape)
        found = [step_of(phase, result) for phase in result.phases]
        self.steps += found
        return all(one.holds for one in found)

    def _held(self) -> bool:
        return any(one.holds for one in self.steps)


def step_of(phase: PhaseResult, result: Result) -> Step:
    """Read a step; in flight are as many as the autoscaler saw, where it says."""
    seen = [one.concurrency for one in result.scale if phase.begin < one.at - 1 < phase.end]
    counted = sum(seen) / len(seen) if seen else 0.0
    return Step(
        rate=phase.end_rate,
        throughput=phase.good / (phase.end - phase.begin),
        in_flight=counted or phase.concurrency or 0.0,
        p50=phase.p50,
        p95=phase.p95,
        p99=phase.p99,
        holds=bool(phase.holds),
        because=phase.because or "",
        limited=tuple(phase.limited),
    )


class Tune:
    """One tuning."""

    def __init__(self, tuning: Tuning, client: Client, runs: Runs, tell: Tell) -> None:
        self._client, self._runs, self._tell = client, runs, tell
        self._endpoint = client.endpoint(tuning.endpoint)
        promised = objectives_from(self._endpoint.raw.get("slo"))
        self._tuning = asked(tuning, promised, Objectives.model_fields)
        self._check()

    def _check(self) -> None:
        name, objectives = self._tuning.endpoint, self._tuning.objectives
        if not objectives.latencies:
            raise PlanError(
                f"Say within what {name} must answer: --p95 50ms, or declare it: "
                f"kubeserve slo {name} --p95 50ms"
            )
        if not self._endpoint.revisions:
            raise PlanError(f"{name} serves nothing yet. Next: kubeserve deploy MODEL")
        if self._tuning.apply and any(not one.is_over for one in self._client.rollouts(name)[:1]):
            raise PlanError(
                f"A rollout of {name} is under way, which another release would end: "
                f"kubeserve rollout {name} --follow, or leave out --apply"
            )

    def run(self) -> Tuned:
        """Measure, propose, prove and apply; raises NoTest, Interrupted and the SDK's errors."""
        started_at = datetime.now(UTC)
        with Replica(self._client, self._endpoint) as replica:
            self._stage("wake", replica.name)
            cold = self._cold_start(replica)
            self._stage("knee", replica.name)
            replica.set({})
            before = replica.used()
            search = Search(lambda name, shape: self._on(replica, name, shape), self._tuning)
            search.find()
            cpu_us = _each_us(before, replica.used())
            measured = Measured(search.steps, _cold_verdict(cold), cpu_us)
            proposal, proof, cpu = None, None, None
            if knee(search.steps) is not None:
                proposal, proof, cpu = self._proved(replica, measured)
        verdict, because = _judged(measured, proposal, proof)
        release, refused = self._applied(proposal, verdict)
        last = proof or search.last
        return Tuned(
            endpoint=self._tuning.endpoint,
            revision=_served(self._endpoint),
            started_at=started_at,
            verdict=verdict,
            because=because,
            objectives=self._tuning.objectives.to_json(),
            steps=sorted(search.steps, key=_by_rate),
            wakes=[one.first for one in cold.wakes],
            cold_start=measured.cold_start,
            proposal=proposal,
            proof=list(proof.verdicts) if proof else [],
            proof_seconds=proof.totals.seconds if proof else None,
            cpu_used_millis=cpu,
            tests=self._runs.folders,
            release=release,
            refused=refused,
            environment=last.environment if last else {},
            notes=replica.notes + self._notes(search),
        )

    def _stage(self, stage: str, copy: str) -> None:
        self._runs.check()
        self._tell({"event": "stage", "stage": stage, "says": STAGES[stage], "copy": copy})

    def _on(
        self, replica: Replica, name: str, shape: Shape, objectives: Objectives | None = None
    ) -> Result:
        """Send a load to the copy, and to nobody else."""
        load = {key: getattr(self._tuning, key) for key in Load.model_fields}
        of_answers = self._tuning.objectives.of_answers
        return self._runs.run(
            name,
            Plan.model_construct(
                **{
                    **load,
                    "endpoint": replica.name,
                    "slo": None,
                    "shape": shape,
                    "objectives": objectives or of_answers,
                }
            ),
        )

    def _cold_start(self, replica: Replica) -> Result:
        limit = cold_start_limit(self._tuning.objectives)
        wake = Wake(burst=1, times=WAKES)
        asked = Objectives.model_construct(cold_start=limit)
        return self._on(replica, "wake", wake, asked)

    def _proved(
        self, replica: Replica, measured: Measured
    ) -> tuple[Proposal, Result, float | None]:
        """Propose and test; what does not pass is proposed for less, once."""
        now = _now(self._endpoint)
        objectives, metric = self._tuning.objectives, self._tuning.metric
        for attempt in range(1, PROOFS + 1):
            proposal = propose(measured, objectives, now, metric)
            self._stage("proof", replica.name)
            replica.set(proposal.scaling, proposal.container_concurrency)
            wanted = to_prove(proposal, objectives)
            seconds = lasts_s(wanted, proposal.rate, self._tuning.duration)
            shape = Steady(rate=proposal.rate).model_copy(update={"duration": seconds})
            before = replica.used()
            result = self._on(replica, f"proof-{attempt}", shape, wanted)
            cpu = _millis(before, replica.used(), seconds)
            lower = _lower(measured)
            if result.verdict is not Outcome.FAILED or attempt == PROOFS or lower is None:
                return proposal, result, cpu
            measured = measured._replace(steps=lower)
        raise AssertionError("the last attempt returns")

    def _applied(
        self, proposal: Proposal | None, verdict: Outcome
    ) -> tuple[int | None, str | None]:
        """Make the release that was asked for; gives its number, or why there is none."""
        if not self._tuning.apply:
            return None, None
        if proposal is None or verdict is not Outcome.PASSED:
            return None, f"the proposal is {verdict}"
        try:
            done = self._client.configure(
                self._tuning.endpoint,
                scaling=proposal.scaling,
                container_concurrency=proposal.container_concurrency,
                since=self._endpoint,
            )
            self._client.wait_for_endpoint(self._tuning.endpoint)
        except ClientError as error:
            return None, str(error)
        return int(done.raw["release"]), None

    def _notes(self, search: Search) -> list[str]:
        found = knee(search.steps)
        if found is None or found.beyond is not None:
            return []
        most = f"{found.step.rate:.4g}/s"
        return [f"All rates that were tried, up to {most}, held: a replica may take more (--rate)."]


def _by_rate(step: Step) -> float:
    return step.rate


def _lower(measured: Measured) -> list[Step] | None:
    """Give the steps without those from the greatest rate that held on; None: nothing is left."""
    found = knee(measured.steps)
    rest = [one for one in measured.steps if found is not None and one.rate < found.step.rate]
    return rest if any(one.holds for one in rest) else None


def _cold_verdict(cold: Result) -> Verdict:
    (verdict,) = cold.verdicts
    return verdict


def _judged(
    measured: Measured, proposal: Proposal | None, proof: Result | None
) -> tuple[Outcome, str]:
    """Say how it ended, and why."""
    found = knee(measured.steps)
    stopped = min(measured.steps, key=_by_rate) if found is None else found.beyond
    limited = () if stopped is None else stopped.limited
    if proposal is None or proof is None:
        least = min(measured.steps, key=_by_rate)
        outcome = Outcome.INCONCLUSIVE if limited else Outcome.FAILED
        return outcome, f"not even {least.rate:.3g} requests a second held: {least.because}"
    outcome = overall(tuple(proof.verdicts)) or Outcome.INCONCLUSIVE
    if outcome is not Outcome.PASSED:
        bad = next(one for one in proof.verdicts if one.outcome is outcome)
        return outcome, f"tested again, {bad.objective}: {bad.because}"
    if limited:
        return Outcome.INCONCLUSIVE, (
            f"the proposal holds, but a replica may take more: {limited[0]}"
        )
    return outcome, (
        f"tested again at {proposal.rate:.4g} requests a second for {proof.totals.seconds:.3g} s"
    )


def _now(endpoint: Endpoint) -> Now:
    scaling = endpoint.raw["scaling"]
    return Now(
        container_concurrency=int(endpoint.raw["container_concurrency"]),
        metric=scaling["metric"],
        target=scaling["target"],
        utilization_percentage=float(scaling["target_utilization_percentage"]),
        min_scale=int(scaling["min_scale"]),
        max_scale=int(scaling["max_scale"]),
    )


def _served(endpoint: Endpoint) -> str:
    served = max(endpoint.revisions, key=lambda one: one.percent)
    return f"{served.model}:{served.version}"


def _each_us(before: Used | None, after: Used | None) -> float | None:
    """Give the processor time of a request; None: not measured, or by another process."""
    if before is None or after is None or after.requests <= before.requests:
        return None
    return 1e6 * (after.cpu_s - before.cpu_s) / (after.requests - before.requests)


def _millis(before: Used | None, after: Used | None, seconds: float) -> float | None:
    if before is None or after is None or after.cpu_s < before.cpu_s:
        return None
    return 1000 * (after.cpu_s - before.cpu_s) / seconds
