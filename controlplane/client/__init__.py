"""The Python client of KubeServe, over its public API only."""

from controlplane.client.aio import AsyncClient
from controlplane.client.errors import (
    ApiError,
    BadAnswer,
    BuildFailed,
    ClientError,
    DeployFailed,
    NotConfigured,
    NotFound,
    SignInFailed,
    TimedOut,
    Unreachable,
)
from controlplane.client.metering import Cost, Limit, Quota, Usage
from controlplane.client.results import (
    Cause,
    ColdStart,
    Condition,
    Endpoint,
    Finding,
    LogLine,
    Model,
    Release,
    Revision,
    Version,
)
from controlplane.client.retries import RetryPolicy
from controlplane.client.sync import Client

__all__ = [
    "ApiError",
    "AsyncClient",
    "BadAnswer",
    "BuildFailed",
    "Cause",
    "Client",
    "ClientError",
    "ColdStart",
    "Condition",
    "Cost",
    "DeployFailed",
    "Endpoint",
    "Finding",
    "Limit",
    "LogLine",
    "Model",
    "NotConfigured",
    "NotFound",
    "Quota",
    "Release",
    "RetryPolicy",
    "Revision",
    "SignInFailed",
    "TimedOut",
    "Unreachable",
    "Usage",
    "Version",
]
