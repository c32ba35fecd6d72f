"""Tenants: who owns models and endpoints."""

from tortoise import fields
from tortoise.models import Model


class Tenant(Model):
    """One customer; on a cluster a namespace."""

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=40, unique=True)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "tenants"
