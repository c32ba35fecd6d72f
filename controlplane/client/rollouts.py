"""Guarded rollouts and what endpoints promise."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from controlplane.client.core import Core
from controlplane.client.errors import TimedOut
from controlplane.client.results import Raw, count_in, text_in, time_in
from controlplane.client.serving import named
from controlplane.client.steps import Flow, Pause, members

LOOK_EVERY_S: Final = 1.0
Slo = dict[str, str | float]


@dataclass(frozen=True, slots=True)
class Check:
    """One question that a step is judged by; `verdict` is passed, failed or unsure."""

    name: str
    verdict: str
    message: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step that has passed, from 1, and by what."""

    number: int
    percent: int
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Rollout:
    """A candidate on its way to all traffic of an endpoint.

    state    running, done, rolled-back, cancelled, superseded
    step     from 1; `steps` are percentages
    reason   what it waits for, or why it ended
    answers  of the candidate in this step, of `needed`
    passed   steps that have passed
    """

    number: int
    endpoint: str
    state: str
    candidate: str
    running: str
    steps: tuple[int, ...]
    step: int
    percent: int
    reason: str | None
    checks: tuple[Check, ...]
    passed: tuple[Step, ...]
    answers: int
    needed: int
    created_at: datetime | None
    ended_at: datetime | None
    raw: Raw = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Raw) -> "Rollout":
        """Read the API's document."""
        answers = raw.get("answers") or {}
        return cls(
            number=count_in(raw, "number"),
            endpoint=text_in(raw, "endpoint"),
            state=text_in(raw, "state"),
            candidate=_revision(raw.get("candidate")),
            running=_revision(raw.get("running")),
            steps=tuple(map(int, raw.get("steps") or ())),
            step=int(raw.get("step") or 0),
            percent=int(raw.get("percent") or 0),
            reason=raw.get("reason"),
            checks=_checks(raw),
            passed=tuple(
                Step(count_in(one, "step"), count_in(one, "percent"), _checks(one))
                for one in raw.get("passed") or ()
            ),
            answers=int(answers.get("candidate") or 0),
            needed=int(answers.get("needed") or 0),
            created_at=time_in(raw, "created_at"),
            ended_at=time_in(raw, "ended_at"),
            raw=raw,
        )

    @property
    def is_over(self) -> bool:
        """True when it has ended, well or badly."""
        return self.state != "running"

    @property
    def is_done(self) -> bool:
        """True when the candidate has all traffic and kept it."""
        return self.state == "done"


def _checks(raw: Raw) -> tuple[Check, ...]:
    found = raw.get("checks") or ()
    return tuple(Check(one["name"], one["verdict"], one["message"]) for one in found)


def _revision(raw: Any) -> str:
    return f"{raw.get('model')}:{raw.get('version')}" if isinstance(raw, Mapping) else ""


def _missing_as_none(row: Any) -> Any:
    """Write a row as `predict` does: NaN is a missing value."""
    if isinstance(row, Mapping):
        return {name: None if cell != cell else cell for name, cell in row.items()}
    return [None if cell != cell else cell for cell in row] if isinstance(row, list) else row


def _promised(raw: Raw) -> Slo:
    return {name: value for name, value in raw.items() if value is not None}


class Rollouts:
    """Flows of rollouts."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def start(self, model: str, endpoint: str | None, asked: Mapping[str, Any]) -> Flow[Rollout]:
        """Begin a rollout; what is None in `asked` is the API's default."""
        name, version = named(model)
        body = {"model": name, "version": version, **asked}
        url = self._core.url("endpoints", endpoint or name, "rollouts")
        wanted = {key: value for key, value in body.items() if value is not None}
        if isinstance(replay := wanted.get("replay"), Mapping) and "instances" in replay:
            rows = list(map(_missing_as_none, replay["instances"]))
            wanted["replay"] = {**replay, "instances": rows}
        return Rollout.read((yield from self._core.post(url, wanted)))

    def list(self, endpoint: str) -> Flow[list[Rollout]]:
        """List rollouts, the newest first."""
        found = yield from self._core.listed("endpoints", endpoint, "rollouts")
        return [Rollout.read(one) for one in found]

    def newest(self, endpoint: str) -> Flow[Rollout | None]:
        """Read the newest rollout; None: there was none."""
        url = self._core.url("endpoints", endpoint, "rollouts")
        found = (yield from self._core.get(f"{url}?limit=1")).get("items") or ()
        return Rollout.read(found[0]) if found else None

    def read(self, endpoint: str, number: int) -> Flow[Rollout]:
        """Read one rollout."""
        url = self._core.url("endpoints", endpoint, "rollouts", str(number))
        return Rollout.read((yield from self._core.get(url)))

    def cancel(self, endpoint: str, number: int) -> Flow[Rollout]:
        """Give all traffic back."""
        url = self._core.url("endpoints", endpoint, "rollouts", str(number), "cancel")
        return Rollout.read((yield from self._core.post(url, {})))

    def wait(
        self,
        endpoint: str,
        number: int,
        timeout_s: float | None,
        watch: Callable[[Rollout], None] | None,
    ) -> Flow[Rollout]:
        """Wait until a rollout has ended; raises TimedOut. `watch` sees it at each look."""
        until = None if timeout_s is None else self._core.clock() + timeout_s
        while True:
            found = yield from self.read(endpoint, number)
            if watch is not None:
                watch(found)
            if found.is_over:
                return found
            if until is not None and self._core.clock() >= until:
                raise TimedOut(
                    f"rollout {number} of {endpoint} goes on after {timeout_s:g} s: {found.reason}"
                )
            yield Pause(LOOK_EVERY_S)

    def slo(self, endpoint: str) -> Flow[Slo]:
        """Read what an endpoint promises."""
        return _promised((yield from self._core.get(self._core.url("endpoints", endpoint, "slo"))))

    def set_slo(self, endpoint: str, slo: Mapping[str, str | float]) -> Flow[Slo]:
        """Declare what an endpoint promises; nothing takes all promises back."""
        url = self._core.url("endpoints", endpoint, "slo")
        if not slo:
            yield from self._core.delete(url)
            return {}
        answer = yield from self._core.call("PUT", url, dict(slo))
        return _promised(members(answer, url))
