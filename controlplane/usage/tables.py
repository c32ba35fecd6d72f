"""What endpoints used, by the hour, and how far each was read."""

from typing import Any

from tortoise import fields
from tortoise.models import Model


class UsageReading(Model):
    """The counters of an endpoint that were added last; what is read next is added beyond them."""

    endpoint_id = fields.UUIDField(primary_key=True)
    source = fields.CharField(max_length=64)
    counters = fields.JSONField[dict[str, Any]]()
    read_at = fields.DatetimeField()

    class Meta:
        table = "usage_readings"


class UsageHour(Model):
    """One endpoint in one hour of UTC. It stays when the endpoint is deleted.

    hour      of what is old the first of its day, which then holds the whole day
    lasted_s  that there was the endpoint, at zero too
    cpu_s, memory_gib_s    kept for its replicas
    spared_…  that one replica would have had on top, kept warm while there was none
    null      its engine cannot count it
    """

    id = fields.BigIntField(primary_key=True)
    tenant: fields.ForeignKeyRelation[Model] = fields.ForeignKeyField(
        "kubeserve.Tenant", related_name=False, on_delete=fields.CASCADE
    )
    tenant_id: Any
    endpoint_id = fields.UUIDField()
    name = fields.CharField(max_length=40)
    hour = fields.DatetimeField()
    requests = fields.BigIntField(null=True)
    rows = fields.BigIntField(null=True)
    wakes = fields.BigIntField()
    starts = fields.BigIntField()
    busy_s = fields.FloatField(null=True)
    starting_s = fields.FloatField()
    ready_s = fields.FloatField()
    active_s = fields.FloatField()
    lasted_s = fields.FloatField()
    cpu_s = fields.FloatField()
    memory_gib_s = fields.FloatField()
    spared_cpu_s = fields.FloatField()
    spared_memory_gib_s = fields.FloatField()

    class Meta:
        table = "usage_hours"
        unique_together = (("endpoint_id", "hour"),)
        indexes = (("tenant", "hour"),)
