"""Endpoints as they are wanted: revisions, releases, the current release."""

from typing import Any

from tortoise import fields
from tortoise.models import Model as Table


class Endpoint(Table):
    """One endpoint. `generation` grows with every change of what is wanted."""

    id = fields.UUIDField(primary_key=True)
    tenant: fields.ForeignKeyRelation[Table] = fields.ForeignKeyField(
        "kubeserve.Tenant", related_name=False, on_delete=fields.CASCADE
    )
    tenant_id: Any
    name = fields.CharField(max_length=40)
    generation = fields.IntField(default=0)
    release = fields.IntField(default=0)  # number of the current release
    revisions = fields.IntField(default=0)  # the last revision number given
    warm = fields.JSONField[list[dict[str, Any]]](null=True)
    slo = fields.JSONField[dict[str, Any]](null=True)
    payload_log = fields.JSONField[dict[str, Any]](null=True)
    deleted_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "endpoints"
        unique_together = (("tenant", "name"),)


class EndpointRevision(Table):
    """A deployed version with its name; immutable."""

    id = fields.UUIDField(primary_key=True)
    endpoint: fields.ForeignKeyRelation[Table] = fields.ForeignKeyField(
        "kubeserve.Endpoint", related_name=False, on_delete=fields.CASCADE
    )
    endpoint_id: Any
    name = fields.CharField(max_length=63)
    version_id = fields.UUIDField()
    model = fields.CharField(max_length=40)
    version = fields.IntField()
    backend = fields.CharField(max_length=16)
    artifact_sha256 = fields.CharField(max_length=64)
    artifact_size_bytes = fields.BigIntField()
    signature = fields.JSONField[dict[str, Any]]()
    sklearn_version = fields.CharField(max_length=60, null=True)
    environment = fields.JSONField[dict[str, Any]](null=True)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "endpoint_revisions"
        unique_together = (("endpoint", "name"),)


class Release(Table):
    """One change of an endpoint: where its traffic goes and how it scales; immutable."""

    id = fields.UUIDField(primary_key=True)
    endpoint: fields.ForeignKeyRelation[Table] = fields.ForeignKeyField(
        "kubeserve.Endpoint", related_name=False, on_delete=fields.CASCADE
    )
    endpoint_id: Any
    number = fields.IntField()
    action = fields.CharField(max_length=16)
    traffic = fields.JSONField[list[dict[str, Any]]]()
    scaling = fields.JSONField[dict[str, Any]]()
    container_concurrency = fields.IntField(default=0)
    timeout_s = fields.FloatField(default=60.0)
    shadow = fields.JSONField[dict[str, Any]](null=True)
    reason = fields.TextField(null=True)  # why the installation made it, where it did
    traceparent = fields.CharField(max_length=55, null=True)  # of the request it was made in
    created_by = fields.CharField(max_length=100)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "releases"
        unique_together = (("endpoint", "number"),)


class EndpointHealth(Table):
    """How an endpoint was seen last, so that what changes is told once.

    generation, ready  of the release that was seen to serve, or not to, and told of
    burn               what was read of its answers, `reconciler.burning.Burn`
    facts              how its objectives stood at the last look
    breached_at        since when its SLO is breached; null: it is not
    drift              what drifts of its payloads: since, facts, version; null: nothing does
    """

    endpoint: fields.OneToOneRelation[Endpoint] = fields.OneToOneField(
        "kubeserve.Endpoint", related_name=False, on_delete=fields.CASCADE, primary_key=True
    )
    endpoint_id: Any
    generation = fields.IntField(null=True)
    ready = fields.CharField(max_length=16, null=True)
    burn = fields.JSONField[dict[str, Any]](null=True)
    facts = fields.JSONField[list[str]](null=True)
    breached_at = fields.DatetimeField(null=True)
    drift = fields.JSONField[dict[str, Any] | None](null=True)

    class Meta:
        table = "endpoint_health"
