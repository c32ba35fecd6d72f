"""Tenants: who owns models and endpoints and how much; their members, and who is invited."""

from typing import Any

from tortoise import fields
from tortoise.models import Model

from controlplane.permissions import Role


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
    loadtests = fields.IntField(null=True)
    loadtest_rate = fields.IntField(null=True)
    loadtest_s = fields.IntField(null=True)
    webhooks = fields.IntField(null=True)

    class Meta:
        table = "quotas"


class Member(Model):
    """A person in a tenant."""

    id = fields.BigIntField(primary_key=True)
    tenant: fields.ForeignKeyRelation[Tenant] = fields.ForeignKeyField(
        "kubeserve.Tenant", related_name=False, on_delete=fields.CASCADE
    )
    tenant_id: Any
    user: fields.ForeignKeyRelation[Model] = fields.ForeignKeyField(
        "kubeserve.User", related_name=False, on_delete=fields.CASCADE
    )
    user_id: Any
    role = fields.CharEnumField(Role, max_length=16)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "members"
        unique_together = (("tenant", "user"),)


class Invitation(Model):
    """An address that may join; whoever has the link, whose secret is kept as a digest, is it.

    Without an address it is for whoever has the link.
    """

    id = fields.UUIDField(primary_key=True)
    tenant: fields.ForeignKeyRelation[Tenant] = fields.ForeignKeyField(
        "kubeserve.Tenant", related_name=False, on_delete=fields.CASCADE
    )
    tenant_id: Any
    email = fields.CharField(max_length=254, null=True)
    role = fields.CharEnumField(Role, max_length=16)
    secret_sha256 = fields.CharField(max_length=64, unique=True)
    invited_by = fields.CharField(max_length=100)
    created_at = fields.DatetimeField(auto_now_add=True)
    expires_at = fields.DatetimeField()
    accepted_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "invitations"
