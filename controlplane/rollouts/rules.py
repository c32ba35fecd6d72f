"""What a rollout's steps are judged by, as it was asked for. Pure."""

from dataclasses import asdict, dataclass
from math import ceil, log
from typing import Any, Final

from loadtests.slo import QUANTILES, Objectives, objectives_from

# So sure must one be that a share is within its bound if no request was beyond it.
SURE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Shadow:
    """How predictions are compared before, and while, the candidate has traffic.

    share      of the requests to the running revision that the candidate answers too, for nobody
    max_flips  share of rows that may get another label; None: it is told, and judged by nobody
    max_shift  mean over rows of what changes in probability, or in a quantity relative to it
    rows       are compared at least
    """

    share: float = 0.1
    max_flips: float | None = None
    max_shift: float | None = None
    rows: int = 200

    @property
    def gates(self) -> bool:
        """Tell whether a difference can end the rollout."""
        return self.max_flips is not None or self.max_shift is not None

    @property
    def needed(self) -> int:
        """Give the rows that it takes to tell."""
        if not self.gates:
            return 0
        return max(self.rows, 0 if self.max_flips is None else enough_for(self.max_flips))


@dataclass(frozen=True, slots=True)
class Replay:
    """Rows that both revisions are asked for before the candidate has traffic.

    rows       of them
    max_flips, max_shift  as of `Shadow`, and of just these rows; None: it is told alone
    """

    rows: int
    max_flips: float | None = None
    max_shift: float | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules of every step.

    slo         latency and errors that the candidate must keep; None: it is only compared with the
                running revision
    requests    the candidate answers at least so many in a step
    step_s      a step lasts at least so long
    give_up_s   a step that proves nothing for so long is the end
    shadow      how predictions are compared; None: they are not
    replay      rows that are asked for first; None: none are
    loadtest    plan of the load test that comes first, `loadtests.plan`; None: there is none
    """

    slo: Objectives | None = None
    requests: int = 100
    step_s: float = 60.0
    give_up_s: float = 3600.0
    shadow: Shadow | None = None
    replay: Replay | None = None
    loadtest: dict[str, Any] | None = None

    @property
    def asks(self) -> bool:
        """Tell whether the candidate is asked by us before anybody else asks it."""
        return self.replay is not None or self.loadtest is not None

    @property
    def begins_without_traffic(self) -> bool:
        """Tell whether something is proved before the candidate has traffic."""
        return self.asks or (self.shadow is not None and self.shadow.gates)

    @property
    def needed(self) -> int:
        """Give the requests that a step takes: an SLO of few exceptions is only seen in many."""
        return max(self.requests, 0 if self.slo is None else needed(self.slo))

    def to_json(self) -> dict[str, Any]:
        """Give what `rules_from` reads."""
        return {**asdict(self), "slo": None if self.slo is None else self.slo.to_json()}


def rules_from(document: dict[str, Any]) -> Rules:
    """Read rules."""
    shadow, replay = document.get("shadow"), document.get("replay")
    read = {
        "slo": objectives_from(document["slo"]),
        "shadow": Shadow(**shadow) if shadow else None,
        "replay": Replay(**replay) if replay else None,
    }
    return Rules(**{**document, **read})


def needed(slo: Objectives) -> int:
    """Give how many requests without one beyond make us sure: 59 for a p95, 299 for a p99."""
    beyond = [1.0 - QUANTILES[name] for name in slo.latencies]
    if slo.error_rate is not None:
        beyond.append(slo.error_rate)
    return max((enough_for(share) for share in beyond), default=0)


def enough_for(share: float) -> int:
    """Give the requests of which none is beyond, if a share of at most `share` is to be sure.

    1 where no share or every share is allowed: no number would do, or any does.
    """
    return ceil(log(1.0 - SURE) / log(1.0 - share)) if 0.0 < share < 1.0 else 1
