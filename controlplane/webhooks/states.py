"""What is told to webhooks, and the life of a delivery, as data."""

from enum import StrEnum
from typing import Final


class Event(StrEnum):
    """What may be subscribed to; `webhook.test` is sent when somebody asks for it."""

    VERSION_READY = "version.ready"
    VERSION_FAILED = "version.failed"
    RELEASE_CREATED = "release.created"
    RELEASE_ROLLED_BACK = "release.rolled_back"
    ROLLOUT_STARTED = "rollout.started"
    ROLLOUT_STEP = "rollout.step"
    ROLLOUT_FINISHED = "rollout.finished"
    ROLLOUT_STOPPED = "rollout.stopped"
    ENDPOINT_READY = "endpoint.ready"
    ENDPOINT_FAILED = "endpoint.failed"
    SLO_BREACHED = "slo.breached"
    SLO_RECOVERED = "slo.recovered"
    DRIFT_DETECTED = "drift.detected"
    DRIFT_ENDED = "drift.ended"
    LOADTEST_FINISHED = "loadtest.finished"
    TEST = "webhook.test"


ALL: Final = "*"  # in a subscription: all of them, also those that are added later
SUBSCRIBABLE: Final = tuple(str(event) for event in Event if event is not Event.TEST)
KINDS: Final = tuple(sorted({f"{event.partition('.')[0]}.*" for event in SUBSCRIBABLE}))


def wants(events: list[str], event: str) -> bool:
    """Tell whether a subscription takes an event: by its name, by `release.*`, or by `*`."""
    return bool({ALL, event, f"{event.partition('.')[0]}.*"} & {*events})


class DeliveryState(StrEnum):
    """What became of a delivery; `failed`: it is not tried any more by itself."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
