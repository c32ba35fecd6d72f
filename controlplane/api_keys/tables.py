"""API keys: kept as digests, each with whoever made it."""

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from runtime.api_keys import Kind


class ApiKey(Model):
    """One key. `made_by` is a subject: it loses what its maker loses.

    endpoint  that it opens; None: it is exchanged at the token endpoint
    """

    id = fields.CharField(max_length=32, primary_key=True)
    tenant: fields.ForeignKeyRelation[Model] = fields.ForeignKeyField(
        "kubeserve.Tenant", related_name=False, on_delete=fields.CASCADE
    )
    tenant_id: Any
    endpoint: fields.ForeignKeyNullableRelation[Model] = fields.ForeignKeyField(
        "kubeserve.Endpoint", related_name=False, on_delete=fields.CASCADE, null=True
    )
    endpoint_id: Any
    kind = fields.CharEnumField(Kind, max_length=8)
    name = fields.CharField(max_length=200)
    sha256 = fields.CharField(max_length=64)
    scopes = fields.JSONField[list[str]]()
    made_by = fields.CharField(max_length=100)
    created_at = fields.DatetimeField(auto_now_add=True)
    expires_at = fields.DatetimeField()
    last_used_at = fields.DatetimeField[datetime | None](null=True)
    revoked_at = fields.DatetimeField[datetime | None](null=True)

    class Meta:
        table = "api_keys"
        indexes = (("tenant_id", "id"),)
