"""Load tests, what they told while they ran, and the reports they left."""

from typing import Any

from tortoise import fields
from tortoise.models import Model

from controlplane.loadtests.states import LoadTestState


class LoadTest(Model):
    """One test. It names its endpoint, and stays when that is deleted.

    plan       what is asked, as `loadtests.plan` reads it, without an address
    client     the OAuth client of whoever started it, for whom its tokens are made
    verdict    on all objectives; null: there were none, or it did not come to that
    reason     why it failed or was interrupted, or ended early
    """

    id = fields.UUIDField(primary_key=True)
    tenant: fields.ForeignKeyRelation[Model] = fields.ForeignKeyField(
        "kubeserve.Tenant", related_name=False, on_delete=fields.CASCADE
    )
    tenant_id: Any
    number = fields.BigIntField()  # of the tenant: the order they were asked for in
    endpoint_id = fields.UUIDField()
    endpoint = fields.CharField(max_length=40)
    plan = fields.JSONField[dict[str, Any]]()
    state = fields.CharEnumField(LoadTestState, max_length=16)
    verdict = fields.CharField(max_length=16, null=True)
    reason = fields.TextField(null=True)
    created_by = fields.CharField(max_length=100)
    client = fields.CharField(max_length=100)
    created_at = fields.DatetimeField(auto_now_add=True)
    cancelled_at = fields.DatetimeField(null=True)
    started_at = fields.DatetimeField(null=True)
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "loadtests"
        unique_together = (("tenant", "number"),)
        indexes = (("state",),)


class LoadTestEvent(Model):
    """Something a test told, in its order."""

    id = fields.BigIntField(primary_key=True)
    loadtest: fields.ForeignKeyRelation[LoadTest] = fields.ForeignKeyField(
        "kubeserve.LoadTest", related_name=False, on_delete=fields.CASCADE
    )
    loadtest_id: Any
    number = fields.IntField()
    document = fields.JSONField[dict[str, Any]]()

    class Meta:
        table = "loadtest_events"
        unique_together = (("loadtest", "number"),)


class LoadTestReport(Model):
    """A file that a test left in the artifact store."""

    id = fields.BigIntField(primary_key=True)
    loadtest: fields.ForeignKeyRelation[LoadTest] = fields.ForeignKeyField(
        "kubeserve.LoadTest", related_name=False, on_delete=fields.CASCADE
    )
    loadtest_id: Any
    format = fields.CharField(max_length=8)
    sha256 = fields.CharField(max_length=64)
    size_bytes = fields.BigIntField()

    class Meta:
        table = "loadtest_reports"
        unique_together = (("loadtest", "format"),)
        indexes = (("sha256",),)
