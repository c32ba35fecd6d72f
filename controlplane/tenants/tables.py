"""Tenants: who owns models and endpoints, and how much of them."""

from typing import Any

from tortoise import fields
from tortoise.models import Model


class Tenant(Model):
    """One customer; on a cluster a namespace."""

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=40, unique=True)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "tenants"


class Quota(Model):
    """Where one tenant's limits differ from those of the installation; null: they do not."""

    tenant: fields.OneToOneRelation[Model] = fields.OneToOneField(
        "kubeserve.Tenant", related_name=False, on_delete=fields.CASCADE, primary_key=True
    )
    tenant_id: Any
    models = fields.IntField(null=True)
    storage_bytes = fields.BigIntField(null=True)
    endpoints = fields.IntField(null=True)
    builds = fields.IntField(null=True)
    replicas = fields.IntField(null=True)
    cpu_millis = fields.IntField(null=True)
    memory_mib = fields.IntField(null=True)
    requests_per_s = fields.IntField(null=True)

    class Meta:
        table = "quotas"
