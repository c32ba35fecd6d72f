"""Asks a candidate before anybody else does: by a load test, and by rows that are replayed.

Both are sent outside of a transaction, before the look that judges them; what is noted in the row
is taken up where it was, by whoever leads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson

from controlplane.callers import Caller
from controlplane.database import transaction
from controlplane.endpoints import moving
from controlplane.engines.engine import ObservedEndpoint
from controlplane.loadtests import service as loadtests
from controlplane.loadtests.outcomes import Outcome
from controlplane.rollouts import repository
from controlplane.rollouts.proving import Questions, Replayed, replayed_from
from controlplane.rollouts.rules import Rules
from controlplane.rollouts.tables import Rollout
from controlplane.tenants import service as tenants
from controlplane.tenants.service import Quotas
from runtime.problems import Problem, QuotaExceeded

TAG: Final = "candidate"
NOT_HERE: Final = "nobody asks for them here"


class Asks(Protocol):
    """Asks both revisions for rows."""

    async def __call__(self, questions: Questions) -> tuple[Replayed, str | None]:
        """Ask for some rows, from the first on, within a moment; again for those behind.

        returns  what was found out, and why it got no further; raises Problem
        """


@dataclass(frozen=True, slots=True)
class Means:
    """What to ask with; None: it is not to be had."""

    quotas: Quotas | None = None
    asks: Asks | None = None


@dataclass(frozen=True, slots=True)
class News:
    """What was found out since the last look.

    loadtest    how it stands
    replayed    of rows behind the first `begun_at`
    no_test, no_replay  why there is nothing of it
    """

    loadtest: Outcome | None = None
    replayed: Replayed | None = None
    begun_at: int = 0
    no_test: str | None = None
    no_replay: str | None = None

    def added_to(self, row: Rollout) -> Replayed:
        """Give how far a row's replay is now; what another has noted meanwhile is not added."""
        known = replayed_from(row.replayed)
        if self.replayed is None or known.at != self.begun_at:
            return known
        return known.and_then(self.replayed)


def tag_of(before: Sequence[dict[str, Any]], candidate: str) -> str:
    """Give the tag that a candidate is asked by: its own, or one that no other revision has."""
    tags = {line["revision"]: line["tag"] for line in before if line["tag"]}
    own = tags.pop(candidate, None)
    if own is not None:
        return str(own)
    found, number = TAG, 1
    while found in tags.values():
        number += 1
        found = f"{TAG}-{number}"
    return found


async def ask(row: Rollout, rules: Rules, seen: ObservedEndpoint | None, means: Means) -> News:
    """Ask what is due while the candidate is served and has no traffic yet."""
    loadtest, no_test = None, None
    if rules.loadtest is not None:
        loadtest, no_test = await _loadtest(row, rules.loadtest, means.quotas)
    replayed, no_replay = None, None
    begun = replayed_from(row.replayed)
    if rules.replay is not None and begun.ended_at is None:
        try:
            replayed, no_replay = await _replay(row, begun.at, seen, means.asks)
        except Problem as error:
            no_replay = error.detail
    return News(loadtest, replayed, begun.at, no_test, no_replay)


async def _loadtest(
    row: Rollout, plan: dict[str, Any], quotas: Quotas | None
) -> tuple[Outcome | None, str | None]:
    """Look how the load test stands; where there is none, or it was cut off, ask for one."""
    found = None if row.loadtest_id is None else await loadtests.outcome(row.loadtest_id)
    if (found is not None and not found.was_cut_off) or quotas is None:
        return found, None
    standing = await moving.as_it_is(row.endpoint_id, ())
    if standing is None:
        return None, None
    by = Caller(
        await tenants.name_of(standing.tenant), row.created_by, row.client or "", frozenset()
    )
    try:
        async with transaction():
            most = await quotas.hold(standing.tenant)  # before any other lock
            mine = await repository.running(row.endpoint_id)
            if mine is None or mine.loadtest_id != row.loadtest_id:
                return None, None
            mine.loadtest_id = await loadtests.ask(by, standing.tenant, row.endpoint_id, plan, most)
            await repository.save(mine)
    except QuotaExceeded as error:
        return None, error.detail
    return None, None


async def _replay(
    row: Rollout, at: int, seen: ObservedEndpoint | None, asks: Asks | None
) -> tuple[Replayed | None, str | None]:
    """Ask for the rows behind the first `at`."""
    running, candidate = row.running["revision"], row.candidate["revision"]
    standing = await moving.as_it_is(row.endpoint_id, (running, candidate))
    rows = await repository.rows(row)
    tag = tag_of(row.before, candidate)
    if asks is None:
        return None, NOT_HERE
    if standing is None or rows is None or seen is None or tag not in seen.tag_urls:
        return None, "the candidate has no address of its own yet"
    questions = Questions(
        (row.created_by, row.client or ""),
        await tenants.name_of(standing.tenant),
        row.endpoint_id,
        standing.name,
        standing.revisions[running].signature,
        standing.revisions[candidate].signature,
        seen.url,
        seen.tag_urls[tag],
        tag,
        orjson.loads(rows)[at:],
    )
    return await asks(questions)
