"""What the usage's route gives."""

from datetime import datetime

from pydantic import BaseModel, Field


class Cost(BaseModel):
    """Seconds of replicas, CPUs and GiB; `money` where the installation has prices."""

    replica_s: float
    cpu_s: float
    memory_gib_s: float
    money: float | None = None


class Comparison(BaseModel):
    """`kept_warm`: with one replica running also while there was none."""

    used: Cost
    kept_warm: Cost


class Usage(BaseModel):
    """One endpoint from `start` on, for the interval asked for. null: its engine cannot count it.

    wakes       requests that found no replica, and started one
    busy_s      of ready replicas with a request in flight; idle_s: without
    starting_s  of replicas that were not ready yet
    active_s    with at least one replica; lasted_s: that there was the endpoint
    """

    endpoint: str
    endpoint_id: str
    start: datetime
    requests: int | None
    rows: int | None
    wakes: int
    starts: int
    busy_s: float | None
    idle_s: float | None
    starting_s: float
    ready_s: float
    active_s: float
    lasted_s: float
    cost: Comparison


class Prices(BaseModel):
    cpu_hour: float
    gib_hour: float


class UsagePage(BaseModel):
    """`start` and `end` are what was summed: the hours that were asked for, whole.

    since        from when on there is usage of this tenant; null: there is none
    hours_since  before it there are whole days alone
    """

    items: list[Usage]
    next: str | None
    start: datetime
    end: datetime
    since: datetime | None
    hours_since: datetime
    prices: Prices | None = Field(description="null: this installation has none.")
