"""The registry: models, their immutable versions, aliases that point at versions."""

from typing import Any

from tortoise import fields
from tortoise.models import Model as Table

from controlplane.models.states import VersionState


class Model(Table):
    """A named line of versions."""

    id = fields.UUIDField(primary_key=True)
    tenant: fields.ForeignKeyRelation[Table] = fields.ForeignKeyField(
        "kubeserve.Tenant", related_name=False, on_delete=fields.CASCADE
    )
    tenant_id: Any
    name = fields.CharField(max_length=40)
    description = fields.TextField(default="")
    versions = fields.IntField(default=0)  # the last number given; numbers are never used twice
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "models"
        unique_together = (("tenant", "name"),)


class Version(Table):
    """One upload. `sha256` and `size_bytes` never change; the rest is filled in by the build."""

    id = fields.UUIDField(primary_key=True)
    model: fields.ForeignKeyRelation[Table] = fields.ForeignKeyField(
        "kubeserve.Model", related_name=False, on_delete=fields.CASCADE
    )
    model_id: Any
    number = fields.IntField()
    sha256 = fields.CharField(max_length=64)
    size_bytes = fields.BigIntField()
    state = fields.CharEnumField(VersionState, max_length=16, default=VersionState.UPLOADED)
    attempts = fields.IntField(default=0)
    reason = fields.TextField(null=True)
    advice = fields.TextField(null=True)
    backend = fields.CharField(max_length=16, null=True)
    fallback_because = fields.TextField(null=True)
    plan_sha256 = fields.CharField(max_length=64, null=True)
    plan_size_bytes = fields.BigIntField(null=True)
    report = fields.JSONField[dict[str, Any]](null=True)
    created_by = fields.CharField(max_length=100)
    traceparent = fields.CharField(max_length=55, null=True)  # of the request that pushed it
    created_at = fields.DatetimeField(auto_now_add=True)
    build_began_at = fields.DatetimeField(null=True)  # the last time
    ready_at = fields.DatetimeField(null=True)

    class Meta:
        table = "versions"
        unique_together = (("model", "number"), ("model", "sha256"))
        indexes = (("state",), ("sha256",))


class Alias(Table):
    """A name such as `production` that points at one version of a model."""

    id = fields.UUIDField(primary_key=True)
    model: fields.ForeignKeyRelation[Table] = fields.ForeignKeyField(
        "kubeserve.Model", related_name=False, on_delete=fields.CASCADE
    )
    model_id: Any
    name = fields.CharField(max_length=40)
    version = fields.IntField()
    updated_at = fields.DatetimeField(auto_now=True)

    class Meta:
        table = "aliases"
        unique_together = (("model", "name"),)
