"""What the quotas' routes take and give."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int | None, Field(strict=True, ge=0, lt=1 << 31)]
AtLeastOne = Annotated[int | None, Field(strict=True, ge=1, lt=1 << 31)]


class NewQuota(BaseModel):
    """Where a tenant differs from the installation; null, or left out: it does not."""

    model_config = ConfigDict(extra="forbid")

    models: Count = None
    storage_bytes: Annotated[int | None, Field(strict=True, ge=0, lt=1 << 53)] = None
    endpoints: Count = None
    builds: AtLeastOne = None
    replicas: AtLeastOne = None
    cpu_millis: AtLeastOne = None
    memory_mib: AtLeastOne = None
    requests_per_s: AtLeastOne = None
    loadtests: Count = None
    loadtest_rate: AtLeastOne = None
    loadtest_s: AtLeastOne = None
    webhooks: Count = None


class Limit(BaseModel):
    """`used` is null where it is not known: the engine is away, or does not count it.

    own  set for this tenant; otherwise it is the installation's
    """

    limit: int
    used: int | None
    own: bool


class Quota(BaseModel):
    tenant: str
    models: Limit
    storage_bytes: Limit
    endpoints: Limit
    builds: Limit
    replicas: Limit
    cpu_millis: Limit
    memory_mib: Limit
    requests_per_s: Limit
    loadtests: Limit
    loadtest_rate: Limit
    loadtest_s: Limit
    webhooks: Limit
