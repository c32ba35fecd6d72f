"""Files of logged requests, what was counted of them, and what drift is measured against."""

from typing import Any

from tortoise import fields
from tortoise.models import Model


class PayloadFile(Model):
    """One Parquet file in the object store.

    endpoint_id  its endpoint, which may be gone: then its files go too
    counts       of its answered rows, by column, in the bins of the reference `binned_by`;
                 missing cells first
    expires_at   from when on it is deleted; deleted_at: it was asked for, its object goes next
    """

    id = fields.BigIntField(primary_key=True)  # the order they were written in
    key = fields.UUIDField(unique=True)
    tenant: fields.ForeignKeyRelation[Model] = fields.ForeignKeyField(
        "kubeserve.Tenant", related_name=False, on_delete=fields.CASCADE
    )
    tenant_id: Any
    endpoint_id = fields.UUIDField()
    name = fields.CharField(max_length=250, unique=True)
    day = fields.DateField()
    revision = fields.CharField(max_length=80)
    model = fields.CharField(max_length=40)
    version = fields.IntField()
    requests = fields.IntField()
    rows = fields.IntField()
    good_rows = fields.IntField()
    size_bytes = fields.BigIntField()
    first_at = fields.DatetimeField()
    last_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    binned_by = fields.CharField(max_length=16, null=True)
    counts = fields.JSONField[dict[str, list[int]] | None](null=True)
    deleted_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "payload_files"
        indexes = (("endpoint_id", "last_at"), ("expires_at",))


class PayloadBatch(Model):
    """A batch that was taken, so that it is not taken again; its file may be gone."""

    name = fields.CharField(max_length=80, primary_key=True)
    endpoint_id = fields.UUIDField()
    taken_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "payload_batches"
        indexes = (("taken_at",),)


class PayloadSource(Model):
    """What a process told last of what it counted (`runtime.payload_log.Counts`)."""

    source = fields.CharField(max_length=32, primary_key=True)
    endpoint_id = fields.UUIDField()
    counts = fields.JSONField[list[int]]()
    told_at = fields.DatetimeField(auto_now=True)

    class Meta:
        table = "payload_sources"
        indexes = (("told_at",),)


class PayloadDay(Model):
    """Requests of an endpoint on a day; what was dropped, by reason."""

    id = fields.UUIDField(primary_key=True)
    endpoint_id = fields.UUIDField()
    day = fields.DateField()
    seen = fields.BigIntField(default=0)
    sampled = fields.BigIntField(default=0)
    logged = fields.BigIntField(default=0)
    size_bytes = fields.BigIntField(default=0)
    full = fields.BigIntField(default=0)
    large = fields.BigIntField(default=0)
    lost = fields.BigIntField(default=0)
    over_limit = fields.BigIntField(default=0)

    class Meta:
        table = "payload_days"
        unique_together = (("endpoint_id", "day"),)


class DriftReference(Model):
    """What drift is measured against: of a version (training data), or of an endpoint (a window).

    kind     training, window, first
    columns  sketches by column (`runtime.sketches`)
    """

    id = fields.UUIDField(primary_key=True)
    tenant: fields.ForeignKeyRelation[Model] = fields.ForeignKeyField(
        "kubeserve.Tenant", related_name=False, on_delete=fields.CASCADE
    )
    tenant_id: Any
    kind = fields.CharField(max_length=16)
    version_id = fields.UUIDField(null=True)
    endpoint_id = fields.UUIDField(null=True)
    rows = fields.BigIntField(default=0)
    columns = fields.JSONField[dict[str, Any] | None](null=True)
    since = fields.DatetimeField(null=True)
    until = fields.DatetimeField(null=True)
    created_by = fields.CharField(max_length=100, null=True)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "drift_references"
        indexes = (("version_id",), ("endpoint_id",))
