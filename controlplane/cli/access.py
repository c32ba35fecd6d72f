"""`keys`, `audit`: who may do what, and who did."""

from datetime import datetime

import click

from controlplane.cli.moments import MOMENT, check_order
from controlplane.cli.output import Output, pass_output
from controlplane.client import ApiKey

SHOWN = 60  # characters of an event's detail


@click.group()
def keys() -> None:
    """API keys, for programs that sign in by themselves."""


@keys.command()
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, help="What it may do; may be repeated.")
@click.option("--endpoint", help="The one endpoint it opens, by being sent there as it is.")
@click.option("--days", default=90, show_default=True, help="Days until it expires.")
@pass_output
def create(
    output: Output, name: str, scopes: tuple[str, ...], endpoint: str | None, days: int
) -> None:
    """Make an API key and show it, once.

    Without --endpoint programs set it as KUBESERVE_API_KEY; it is exchanged for tokens that live
    for minutes. Without --scope it may all that you may, but for administration.
    """
    with output.client() as client:
        made = client.create_api_key(
            name, scopes=scopes or None, endpoint=endpoint, expires_in_days=days
        )
    if output.as_json:
        output.document(made.raw)
        return
    output.plain(made.key or "")
    use = (
        f"Send it to {endpoint} as `Authorization: Bearer KEY`."
        if endpoint
        else "Set it as KUBESERVE_API_KEY."
    )
    output.say(f"Keep it now, it is not shown again. {use}")


@keys.command("list")
@pass_output
def list_keys(output: Output) -> None:
    """List API keys: your own, or all of the tenant if you administer it."""
    with output.client() as client:
        found = client.api_keys()
    if output.as_json:
        output.document([key.raw for key in found])
        return
    output.table(
        ("ID", "NAME", "OPENS", "MADE BY", "EXPIRES", "LAST USED"),
        map(_row, found),
        empty="No API keys yet. Next: kubeserve keys create NAME",
    )


def _row(key: ApiKey) -> tuple[object, ...]:
    opens = f"endpoint {key.endpoint}" if key.endpoint else " ".join(key.scopes)
    return (key.id, key.name, opens, key.created_by, key.expires_at, key.last_used_at)


@keys.command()
@click.argument("key_id")
@pass_output
def revoke(output: Output, key_id: str) -> None:
    """End an API key by its id, and every token it was exchanged for."""
    with output.client() as client:
        client.revoke_api_key(key_id)
    if output.as_json:
        output.document({"id": key_id, "revoked": True})
        return
    output.say(f"{key_id} opens nothing any more.")


@click.command()
@click.option("--action", help="Such as endpoint.delete; `endpoint.` is all of a kind.")
@click.option("--subject", help="Who: client:ID, user:ID or key:ID.")
@click.option("--target", help="What was changed, such as endpoint:iris.")
@click.option("--since", type=MOMENT, help="From this time on.")
@click.option("--until", type=MOMENT, help="Before this time.")
@click.option(
    "--most", type=click.IntRange(1), default=50, show_default=True, help="Events at most."
)
@pass_output
def audit(
    output: Output,
    action: str | None,
    subject: str | None,
    target: str | None,
    since: datetime | None,
    until: datetime | None,
    most: int,
) -> None:
    """Show who changed what, when and from where, the newest first; for administrators."""
    check_order(since, until)
    with output.client() as client:
        found = client.audit(
            action=action, subject=subject, target=target, since=since, until=until, most=most
        )
    if output.as_json:
        output.document([event.raw for event in found])
        return
    output.table(
        ("AT", "WHO", "DID", "TO", "FROM", "MORE"),
        (
            (
                event.at,
                event.name or event.subject,
                event.action,
                event.target,
                event.address,
                ", ".join(f"{name}={value}" for name, value in event.detail.items())[:SHOWN],
            )
            for event in found
        ),
        empty="Nothing was changed.",
    )


COMMANDS = (keys, audit)
