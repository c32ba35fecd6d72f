"""OAuth clients and the keys that sign tokens."""

from tortoise import fields
from tortoise.models import Model


class Client(Model):
    """A program that may ask for tokens. Its secret is kept as a digest only."""

    id = fields.CharField(max_length=64, primary_key=True)
    tenant: fields.ForeignKeyRelation[Model] = fields.ForeignKeyField(
        "kubeserve.Tenant", related_name=False, on_delete=fields.CASCADE
    )
    tenant_id: object
    name = fields.CharField(max_length=200)
    secret_sha256 = fields.CharField(max_length=64)
    scopes = fields.JSONField[list[str]]()
    created_at = fields.DatetimeField(auto_now_add=True)
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "oauth_clients"


class SigningKey(Model):
    """A key pair; the private part is encrypted with the key file of the home folder."""

    kid = fields.CharField(max_length=64, primary_key=True)
    private = fields.BinaryField()
    public = fields.JSONField[dict[str, str]]()
    state = fields.CharField(max_length=16)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "oauth_signing_keys"
