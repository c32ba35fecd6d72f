"""Rollouts: a candidate takes an endpoint's traffic in steps, each of which is judged."""

from typing import Any

from tortoise import fields
from tortoise.models import Model as Table

from controlplane.rollouts.states import State


class Rollout(Table):
    """One rollout; whoever leads goes on from this row, so it holds all there is to know.

    candidate, running  a revision's name, model and version
    before              the traffic that a rollback goes back to
    rules               what steps are judged by, `rules.Rules`
    step, step_at       index of the step, and when its traffic was wanted
    taken_at            when the engine was first seen to serve it
    release             number of the release that is this step
    tally               what was measured, `tally.Tally`
    compared            how predictions differed, by source, `diffs.read`
    checks              how the step stood when it was looked at last
    passed              the same of each step that has passed, with its number and percent
    client              of whoever began it, for whom we ask the candidate
    loadtest_id         of the load test that was asked for
    replayed            how far the rows are replayed, `proving.Replayed`
    """

    id = fields.UUIDField(primary_key=True)
    endpoint: fields.ForeignKeyRelation[Table] = fields.ForeignKeyField(
        "kubeserve.Endpoint", related_name=False, on_delete=fields.CASCADE
    )
    endpoint_id: Any
    number = fields.IntField()
    state = fields.CharEnumField(State, max_length=16, default=State.RUNNING)
    candidate = fields.JSONField[dict[str, Any]]()
    running = fields.JSONField[dict[str, Any]]()
    before = fields.JSONField[list[dict[str, Any]]]()
    steps = fields.JSONField[list[int]]()
    rules = fields.JSONField[dict[str, Any]]()
    step = fields.IntField(default=0)
    step_at = fields.DatetimeField()
    taken_at = fields.DatetimeField(null=True)
    release = fields.IntField()
    tally = fields.JSONField[dict[str, Any]]()
    compared = fields.JSONField[dict[str, Any]]()
    checks = fields.JSONField[list[dict[str, Any]]]()
    passed = fields.JSONField[list[dict[str, Any]]](null=True)
    reason = fields.TextField(null=True)
    created_by = fields.CharField(max_length=100)
    client = fields.CharField(max_length=100, null=True)
    loadtest_id = fields.UUIDField(null=True)
    replayed = fields.JSONField[dict[str, Any]](null=True)
    created_at = fields.DatetimeField(auto_now_add=True)
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "rollouts"
        unique_together = (("endpoint", "number"),)


class RolloutRows(Table):
    """Rows that a rollout replays, until it has: a list, as JSON."""

    rollout: fields.OneToOneRelation[Rollout] = fields.OneToOneField(
        "kubeserve.Rollout", related_name=False, on_delete=fields.CASCADE, primary_key=True
    )
    rollout_id: Any
    rows = fields.BinaryField()

    class Meta:
        table = "rollout_rows"
