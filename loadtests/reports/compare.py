"""Two tests of the same endpoint: what changed, and what the samples do not allow to say."""

from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from loadtests.intervals import share_interval
from loadtests.plan import PlanError
from loadtests.reports.words import figure
from loadtests.result import Result


class Change(NamedTuple):
    """A figure of both tests, as text. `says`: better, worse, or no difference seen."""

    name: str
    before: str
    now: str
    change: str
    says: str


def read(path: Path, endpoint: str) -> Result:
    """Read an earlier report; raises PlanError where it is none, or of another endpoint."""
    try:
        found = Result.model_validate_json(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"{path} cannot be read: {error}") from error
    except ValidationError as error:
        raise PlanError(f"{path} is not the report.json of a load test") from error
    if found.endpoint != endpoint:
        raise PlanError(f"{path} is of endpoint {found.endpoint}, not of {endpoint}")
    return found


def changes(before: Result, now: Result) -> list[Change]:
    """Compare quantiles and errors; differences count where confidence intervals do not meet."""
    found = []
    earlier = {one.name: one for one in before.totals.latencies}
    for one in now.totals.latencies:
        other = earlier.get(one.name)
        if other is None or other.seconds is None or one.seconds is None:
            continue
        bounds = (other.low, other.high), (one.low, one.high)
        found.append(_change(one.name, "s", other.seconds, one.seconds, bounds))
    shares = [
        (total.sent - total.good, total.sent) for total in (before.totals, now.totals) if total.sent
    ]
    if len(shares) == 2:
        bounds = share_interval(*shares[0]), share_interval(*shares[1])
        was, is_ = (bad / sent for bad, sent in shares)
        found.append(_change("errors", "share", was, is_, bounds))
    return found


def _change(
    name: str,
    unit: str,
    before: float,
    now: float,
    bounds: tuple[tuple[float | None, float | None], tuple[float | None, float | None]],
) -> Change:
    (was_low, was_high), (is_low, is_high) = bounds
    if was_high is not None and is_low is not None and is_low > was_high:
        says = "worse"
    elif was_low is not None and is_high is not None and is_high < was_low:
        says = "better"
    else:
        says = "no difference seen"
    relative = f"{now / before - 1:+.1%}" if before else ""
    return Change(name, figure(before, unit), figure(now, unit), relative, says)


def different_load(before: Result, now: Result) -> list[str]:
    """Name what of the load differs: figures of different loads are no comparison of versions."""
    asked = ("shape", "format", "rows", "arrivals", "output")
    found = [name for name in asked if before.plan.get(name) != now.plan.get(name)]
    return [*found, *(["rows' source"] if before.rows_from != now.rows_from else [])]
