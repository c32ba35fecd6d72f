"""Tenants: who owns models and endpoints; their members, and who is invited."""

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
    """An address that may join; whoever has the link, whose secret is kept as a digest, is it."""

    id = fields.UUIDField(primary_key=True)
    tenant: fields.ForeignKeyRelation[Tenant] = fields.ForeignKeyField(
        "kubeserve.Tenant", related_name=False, on_delete=fields.CASCADE
    )
    tenant_id: Any
    email = fields.CharField(max_length=254)
    role = fields.CharEnumField(Role, max_length=16)
    secret_sha256 = fields.CharField(max_length=64, unique=True)
    invited_by = fields.CharField(max_length=100)
    created_at = fields.DatetimeField(auto_now_add=True)
    expires_at = fields.DatetimeField()
    accepted_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "invitations"
