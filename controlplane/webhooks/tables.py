"""Webhooks, what they are told, and how that went."""

from typing import Any

from tortoise import fields
from tortoise.models import Model

from controlplane.webhooks.states import DeliveryState


class Webhook(Model):
    """A receiver of a tenant.

    events         names, `release.*` or `*`
    secret         sealed; so is `former_secret`, with which is signed too until `former_until`
    failing_since  the first of failures without a success since; null: the last one went well
    """

    id = fields.UUIDField(primary_key=True)
    tenant: fields.ForeignKeyRelation[Model] = fields.ForeignKeyField(
        "kubeserve.Tenant", related_name=False, on_delete=fields.CASCADE
    )
    tenant_id: Any
    url = fields.TextField()
    events = fields.JSONField[list[str]]()
    description = fields.TextField(default="")
    secret = fields.TextField()
    former_secret = fields.TextField(null=True)
    former_until = fields.DatetimeField(null=True)
    failing_since = fields.DatetimeField(null=True)
    disabled_at = fields.DatetimeField(null=True)
    disabled_because = fields.TextField(null=True)
    created_by = fields.CharField(max_length=100)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "webhooks"
        indexes = (("tenant",),)


class WebhookEvent(Model):
    """Something that happened, kept while it is delivered and some time longer."""

    id = fields.UUIDField(primary_key=True)
    tenant: fields.ForeignKeyRelation[Model] = fields.ForeignKeyField(
        "kubeserve.Tenant", related_name=False, on_delete=fields.CASCADE
    )
    tenant_id: Any
    type = fields.CharField(max_length=40)
    at = fields.DatetimeField()
    data = fields.JSONField[dict[str, Any]]()
    traceparent = fields.CharField(max_length=55, null=True)  # of what it happened in

    class Meta:
        table = "webhook_events"
        indexes = (("at",),)


class WebhookDelivery(Model):
    """One event for one webhook.

    attempts    since it was last asked for
    tries       the last of them: at, status, error, took_ms
    response    the first of what the receiver said the last time
    """

    id = fields.BigIntField(primary_key=True)
    webhook: fields.ForeignKeyRelation[Webhook] = fields.ForeignKeyField(
        "kubeserve.Webhook", related_name=False, on_delete=fields.CASCADE
    )
    webhook_id: Any
    event: fields.ForeignKeyRelation[WebhookEvent] = fields.ForeignKeyField(
        "kubeserve.WebhookEvent", related_name=False, on_delete=fields.CASCADE
    )
    event_id: Any
    state = fields.CharEnumField(DeliveryState, max_length=16, default=DeliveryState.PENDING)
    attempts = fields.IntField(default=0)
    next_at = fields.DatetimeField(null=True)
    tries = fields.JSONField[list[dict[str, Any]]]()
    response = fields.TextField(null=True)
    delivered_at = fields.DatetimeField(null=True)

    class Meta:
        table = "webhook_deliveries"
        unique_together = (("webhook", "event"),)
        indexes = (("webhook", "state", "next_at"), ("event",))
