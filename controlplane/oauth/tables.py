"""OAuth: clients, what people granted them, codes and tokens on the way, and signing keys.

Of every secret a row keeps the SHA-256 alone.
"""

from typing import Any

from tortoise import fields
from tortoise.models import Model


class Client(Model):
    """A program that may ask for tokens. A public one has no secret.

    redirect_uris   of an application that people sign in with; a service has none
    jwks            public keys of a client that signs its assertions
    """

    id = fields.CharField(max_length=64, primary_key=True)
    tenant: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "kubeserve.Tenant", related_name=False, on_delete=fields.CASCADE
    )
    tenant_id: Any
    name = fields.CharField(max_length=200)
    secret_sha256 = fields.CharField(max_length=64, null=True)
    scopes = fields.JSONField[list[str]]()
    redirect_uris = fields.JSONField[list[str]](null=True)
    auth_method = fields.CharField(max_length=32, default="client_secret_basic")
    jwks = fields.JSONField[dict[str, Any]](null=True)
    created_at = fields.DatetimeField(auto_now_add=True)
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "oauth_clients"


class Grant(Model):
    """What a person allowed a client in one tenant: the family of all tokens that came of it.

    resource  the only audience of its tokens; None: the API and all endpoints of the tenant
    """

    id = fields.UUIDField(primary_key=True)
    client_id = fields.CharField(max_length=64)
    user: fields.ForeignKeyRelation[Model] = fields.ForeignKeyField(
        "kubeserve.User", related_name=False, on_delete=fields.CASCADE
    )
    user_id: Any
    tenant: fields.ForeignKeyRelation[Model] = fields.ForeignKeyField(
        "kubeserve.Tenant", related_name=False, on_delete=fields.CASCADE
    )
    tenant_id: Any
    scopes = fields.JSONField[list[str]]()
    resource = fields.CharField(max_length=400, null=True)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)
    end_reason = fields.CharField(max_length=40, null=True)

    class Meta:
        table = "oauth_grants"


class Consent(Model):
    """What a person allowed a client in one tenant, so that they are not asked again.

    resource  that it was allowed for alone; "": the API and all endpoints of the tenant
    """

    id = fields.BigIntField(primary_key=True)
    user: fields.ForeignKeyRelation[Model] = fields.ForeignKeyField(
        "kubeserve.User", related_name=False, on_delete=fields.CASCADE
    )
    user_id: Any
    client_id = fields.CharField(max_length=64)
    tenant: fields.ForeignKeyRelation[Model] = fields.ForeignKeyField(
        "kubeserve.Tenant", related_name=False, on_delete=fields.CASCADE
    )
    tenant_id: Any
    resource = fields.CharField(max_length=400, default="")
    scopes = fields.JSONField[list[str]]()
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "oauth_consents"
        unique_together = (("user", "client_id", "tenant", "resource"),)


class AuthorizationCode(Model):
    """A code on its way through a browser. `grant_id` is there once it was redeemed."""

    code_sha256 = fields.CharField(max_length=64, primary_key=True)
    client_id = fields.CharField(max_length=64)
    user: fields.ForeignKeyRelation[Model] = fields.ForeignKeyField(
        "kubeserve.User", related_name=False, on_delete=fields.CASCADE
    )
    user_id: Any
    tenant: fields.ForeignKeyRelation[Model] = fields.ForeignKeyField(
        "kubeserve.Tenant", related_name=False, on_delete=fields.CASCADE
    )
    tenant_id: Any
    redirect_uri = fields.CharField(max_length=2000)
    scopes = fields.JSONField[list[str]]()
    resource = fields.CharField(max_length=400, null=True)
    code_challenge = fields.CharField(max_length=128)
    nonce = fields.CharField(max_length=400, null=True)
    signed_in_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    grant_id = fields.UUIDField(null=True)

    class Meta:
        table = "oauth_codes"


class DeviceCode(Model):
    """A device that waits for a person to type its user code in.

    address     the device asked from; the person sees it
    interval_s  between two polls; grows with each that comes too early
    approved    None: nobody has decided yet
    """

    code_sha256 = fields.CharField(max_length=64, primary_key=True)
    user_code = fields.CharField(max_length=16, unique=True)
    client_id = fields.CharField(max_length=64)
    scopes = fields.JSONField[list[str]]()
    resource = fields.CharField(max_length=400, null=True)
    address = fields.CharField(max_length=64)
    interval_s = fields.IntField()
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    polled_at = fields.DatetimeField(null=True)
    approved = fields.BooleanField(null=True)
    user: fields.ForeignKeyNullableRelation[Model] = fields.ForeignKeyField(
        "kubeserve.User", related_name=False, on_delete=fields.CASCADE, null=True
    )
    user_id: Any
    tenant: fields.ForeignKeyNullableRelation[Model] = fields.ForeignKeyField(
        "kubeserve.Tenant", related_name=False, on_delete=fields.CASCADE, null=True
    )
    tenant_id: Any
    grant_id = fields.UUIDField(null=True)

    class Meta:
        table = "oauth_device_codes"


class RefreshToken(Model):
    """One link of a grant's chain of refresh tokens. Its successor follows from its text."""

    token_sha256 = fields.CharField(max_length=64, primary_key=True)
    grant: fields.ForeignKeyRelation[Grant] = fields.ForeignKeyField(
        "kubeserve.Grant", related_name=False, on_delete=fields.CASCADE
    )
    grant_id: Any
    expires_at = fields.DatetimeField()
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "oauth_refresh_tokens"


class AccessToken(Model):
    """An access token that may have to be revoked: one of a grant, or one that was.

    tenant  its name, of whose runtimes the token is; None: from a release that noted none
    """

    jti = fields.CharField(max_length=64, primary_key=True)
    tenant = fields.CharField(max_length=63, null=True)
    grant_id = fields.UUIDField(null=True, db_index=True)
    expires_at = fields.DatetimeField(db_index=True)
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "oauth_access_tokens"


class UsedAssertion(Model):
    """The `jti` of a client's assertion, kept for as long as the assertion could come again."""

    digest = fields.CharField(max_length=64, primary_key=True)
    expires_at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "oauth_used_assertions"


class WrongCode(Model):
    """Somebody typed a user code that is none: counted for a person and for an address."""

    id = fields.BigIntField(primary_key=True)
    user_id = fields.UUIDField()
    address = fields.CharField(max_length=64)
    at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "oauth_wrong_codes"


class SigningKey(Model):
    """A key pair; the private part is encrypted with the key file of the home folder.

    changed_at  when it came into its state
    """

    kid = fields.CharField(max_length=64, primary_key=True)
    private = fields.BinaryField()
    public = fields.JSONField[dict[str, str]]()
    state = fields.CharField(max_length=16)
    created_at = fields.DatetimeField(auto_now_add=True)
    changed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "oauth_signing_keys"
