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
from controlplane.client.payloads import PayloadFile
from controlplane.client.results import (
    Account,
    ApiKey,
    AuditEvent,
    Cause,
    ColdStart,
    Condition,
    Endpoint,
    Finding,
    Identity,
    Invitation,
    LogLine,
    Member,
    Model,
    PasswordLink,
    Release,
    Revision,
    Version,
)
from controlplane.client.retries import RetryPolicy
from controlplane.client.rollouts import Rollout
from controlplane.client.series import Series
from controlplane.client.sync import Client
from controlplane.client.testing import LoadTest, LoadTestEvent
from controlplane.client.webhooks import Delivery, Webhook

__all__ = [
    "Account",
    "ApiError",
    "ApiKey",
    "AsyncClient",
    "AuditEvent",
    "BadAnswer",
    "BuildFailed",
    "Cause",
    "Client",
    "ClientError",
    "ColdStart",
    "Condition",
    "Cost",
    "Delivery",
    "DeployFailed",
    "Endpoint",
    "Finding",
    "Identity",
    "Invitation",
    "Limit",
    "LoadTest",
    "LoadTestEvent",
    "LogLine",
    "Member",
    "Model",
    "NotConfigured",
    "NotFound",
    "PasswordLink",
    "PayloadFile",
    "Quota",
    "Release",
    "RetryPolicy",
    "Revision",
    "Rollout",
    "Series",
    "SignInFailed",
    "TimedOut",
    "Unreachable",
    "Usage",
    "Version",
    "Webhook",
]
