"""Who changed what, when and from where. Rows are only ever added."""

from typing import Any

from tortoise import fields
from tortoise.models import Model


class AuditEvent(Model):
    """One change. Names, not keys: it is to be read when what it tells of is gone."""

    id = fields.BigIntField(primary_key=True)
    tenant = fields.CharField(max_length=40)
    at = fields.DatetimeField(auto_now_add=True)
    subject = fields.CharField(max_length=100)
    client = fields.CharField(max_length=100)
    address = fields.CharField(max_length=64)
    action = fields.CharField(max_length=60)
    target = fields.CharField(max_length=200)
    detail = fields.JSONField[dict[str, Any]]()
    request_id = fields.CharField(max_length=64)

    class Meta:
        table = "audit_events"
        indexes = (("tenant", "id"),)
