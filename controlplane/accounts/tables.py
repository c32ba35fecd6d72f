"""People: who signs in, the browsers they are signed in with, and how often that failed."""

from typing import Any

from tortoise import fields
from tortoise.models import Model


class User(Model):
    """A person. `email` is kept in lower case; without a password one signs in elsewhere."""

    id = fields.UUIDField(primary_key=True)
    email = fields.CharField(max_length=254, unique=True)
    name = fields.CharField(max_length=200)
    password_hash = fields.CharField(max_length=200, null=True)
    created_at = fields.DatetimeField(auto_now_add=True)
    disabled_at = fields.DatetimeField(null=True)

    class Meta:
        table = "users"


class FewerRights(Model):
    """A person who may do less than before: runtimes refuse their older tokens.

    tenant  its name, where they may do less; None: everywhere
    """

    id = fields.BigIntField(primary_key=True)
    tenant = fields.CharField(max_length=63, null=True)
    user_id = fields.UUIDField()
    at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "fewer_rights"


class Session(Model):
    """A browser that is signed in, found by the digest of its cookie."""

    id_sha256 = fields.CharField(max_length=64, primary_key=True)
    user: fields.ForeignKeyRelation[User] = fields.ForeignKeyField(
        "kubeserve.User", related_name=False, on_delete=fields.CASCADE
    )
    user_id: Any
    address = fields.CharField(max_length=64)
    agent = fields.CharField(max_length=200)
    created_at = fields.DatetimeField(auto_now_add=True)
    seen_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()

    class Meta:
        table = "sessions"


class Attempts(Model):
    """Passwords that were tried lately and were wrong, for one account, address or device."""

    key_sha256 = fields.CharField(max_length=64, primary_key=True)
    count = fields.IntField()
    since = fields.DatetimeField()

    class Meta:
        table = "sign_in_attempts"


class ExternalIdentity(Model):
    """A person as an external OpenID provider names them."""

    id = fields.BigIntField(primary_key=True)
    issuer = fields.CharField(max_length=500)
    subject = fields.CharField(max_length=255)
    user: fields.ForeignKeyRelation[User] = fields.ForeignKeyField(
        "kubeserve.User", related_name=False, on_delete=fields.CASCADE
    )
    user_id: Any
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "external_identities"
        unique_together = (("issuer", "subject"),)
