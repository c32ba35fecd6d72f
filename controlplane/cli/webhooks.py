"""`webhooks`: where events are sent, and how that went."""

import time

import click

from controlplane.cli.output import Output, pass_output
from controlplane.client import Client, Delivery, Webhook

SEEN_WITHIN_S = 20.0
LOOK_EVERY_S = 0.2
SHOWN = 60  # characters of what a receiver said


@click.group()
def webhooks() -> None:
    """Webhooks: what happens is sent to an address of yours, signed; for administrators."""


@webhooks.command()
@click.argument("url")
@click.option(
    "--event",
    "events",
    multiple=True,
    help="Such as version.ready, or `release.*`; may be repeated. All if left out.",
)
@click.option("--description", default="", help="What it is for.")
@pass_output
def add(output: Output, url: str, events: tuple[str, ...], description: str) -> None:
    """Have events sent to URL and show the secret that they are signed with, once."""
    with output.client() as client:
        made = client.create_webhook(url, events=events or ("*",), description=description)
    if output.as_json:
        output.document(made.raw)
        return
    output.plain(made.secret or "")
    output.say(f"Keep it now, it is not shown again. Next: kubeserve webhooks test {made.id}")


@webhooks.command("list")
@pass_output
def list_webhooks(output: Output) -> None:
    """List webhooks."""
    with output.client() as client:
        found = client.webhooks()
    if output.as_json:
        output.document([hook.raw for hook in found])
        return
    output.table(
        ("ID", "URL", "EVENTS", "STATUS", "FOR"),
        ((hook.id, hook.url, " ".join(hook.events), _status(hook), hook.description)
         for hook in found),
        empty="No webhooks yet. Next: kubeserve webhooks add https://…",
    )  # fmt: skip


def _status(hook: Webhook) -> str:
    if not hook.enabled:
        return f"disabled; see: kubeserve webhooks why {hook.id}"
    return "delivering" if hook.failing_since is None else f"failing since {hook.failing_since}"


@webhooks.command()
@click.argument("webhook")
@click.option("--state", type=click.Choice(["pending", "delivered", "failed"]), help="Only these.")
@click.option("--most", default=50, show_default=True, type=click.IntRange(1, 200))
@pass_output
def deliveries(output: Output, webhook: str, state: str | None, most: int) -> None:
    """Show what was sent to a webhook, or is to be, the newest first."""
    with output.client() as client:
        found = client.webhook_deliveries(webhook, state=state, most=most)
    if output.as_json:
        output.document([one.raw for one in found])
        return
    output.table(
        ("ID", "EVENT", "AT", "STATE", "ATTEMPTS", "LAST ANSWER", "NEXT"),
        (
            (one.id, one.type, one.happened_at, one.state, one.attempts, _said(one), one.next_at)
            for one in found
        ),
        empty="Nothing has happened yet. Next: kubeserve webhooks test " + webhook,
    )


def _said(delivery: Delivery) -> str | None:
    if delivery.status is None:
        return delivery.error
    return f"{delivery.status} {' '.join((delivery.response or '').split())[:SHOWN]}".rstrip()


@webhooks.command()
@click.argument("webhook")
@click.argument("delivery")
@pass_output
def redeliver(output: Output, webhook: str, delivery: str) -> int:
    """Send a message once more, now, and show how that went."""
    with output.client() as client:
        return _shown(output, client, webhook, client.redeliver(webhook, delivery))


@webhooks.command()
@click.argument("webhook")
@pass_output
def test(output: Output, webhook: str) -> int:
    """Send a webhook an event of its own and show how that went; exit code 1 if it did not."""
    with output.client() as client:
        return _shown(output, client, webhook, client.test_webhook(webhook))


def _shown(output: Output, client: Client, webhook: str, sent: Delivery) -> int:
    before, end = len(sent.raw["tries"]), time.monotonic() + SEEN_WITHIN_S
    while sent.attempts == 0 and time.monotonic() < end:
        time.sleep(LOOK_EVERY_S)
        sent = client.webhook_delivery(webhook, sent.id)
    tried = sent.raw["tries"][before:]
    if output.as_json:
        output.document(sent.raw)
    elif not tried:
        output.say(f"Not sent yet; see: kubeserve webhooks deliveries {webhook}")
    else:
        output.plain(f"{sent.state}: {_said(sent)} ({tried[-1]['took_ms']} ms)")
        if sent.state != "delivered":
            _tell_if_disabled(output, client.webhook(webhook))
    return 0 if sent.state == "delivered" else 1


def _tell_if_disabled(output: Output, hook: Webhook) -> None:
    if not hook.enabled:
        output.plain(f"Nothing more is sent to it: {hook.disabled_because}")
        output.plain(f"Next: kubeserve webhooks enable {hook.id}, which sends what waits")


@webhooks.command()
@click.argument("webhook")
@pass_output
def enable(output: Output, webhook: str) -> None:
    """Send to a webhook again that was disabled; what waited is sent now."""
    with output.client() as client:
        changed = client.change_webhook(webhook, enabled=True)
    output.document(changed.raw) if output.as_json else output.say(f"{webhook} is sent to again.")


@webhooks.command()
@click.argument("webhook")
@pass_output
def disable(output: Output, webhook: str) -> None:
    """Send nothing to a webhook until it is enabled; what happens meanwhile is not kept for it."""
    with output.client() as client:
        changed = client.change_webhook(webhook, enabled=False)
    output.document(changed.raw) if output.as_json else output.say(f"{webhook} gets nothing now.")


@webhooks.command()
@click.argument("webhook")
@click.option("--overlap-s", default=86_400, show_default=True, type=click.IntRange(0, 604_800))
@pass_output
def rotate(output: Output, webhook: str, overlap_s: int) -> None:
    """Replace the secret and show the new one, once; the former one signs too for a while."""
    with output.client() as client:
        made = client.rotate_webhook_secret(webhook, overlap_s=overlap_s)
    if output.as_json:
        output.document(made.raw)
        return
    output.plain(made.secret or "")
    output.say(f"The former secret signs too for {overlap_s} s.")


@webhooks.command()
@click.argument("webhook")
@pass_output
def why(output: Output, webhook: str) -> int:
    """Say how a webhook does, and what to do; exit code 1 if something is wrong."""
    with output.client() as client:
        return output.cause(client.why(webhook=webhook))


@webhooks.command()
@click.argument("webhook")
@pass_output
def remove(output: Output, webhook: str) -> None:
    """Remove a webhook, and what was to be sent to it."""
    with output.client() as client:
        client.delete_webhook(webhook)
    if output.as_json:
        output.document({"id": webhook, "removed": True})
        return
    output.say(f"{webhook} gets nothing any more.")
