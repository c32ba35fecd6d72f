"""`deploy`, `endpoints`, `why`, `traffic`, `releases`, `rollback`, `logs`, `delete`."""

import json
from typing import Any

import click

from controlplane.cli.numbers import NUMBER, Range
from controlplane.cli.output import Output, pass_output
from controlplane.cli.rollouts import CANARY, asked, roll_out
from controlplane.client import Endpoint
from runtime.plan.signature import Signature

IDS = ("request_id", "trace_id")


@click.command()
@click.argument("model")
@click.option("--endpoint", help="Name of the endpoint; the model's name if left out.")
@click.option("--min-scale", type=click.IntRange(0), help="Replicas kept running; 0 by default.")
@click.option("--max-scale", type=click.IntRange(1), help="Replicas at most.")
@click.option("--target", type=NUMBER, help="Requests in flight a replica aims at.")
@click.option("--window", "window_s", type=NUMBER, help="Seconds the autoscaler averages over.")
@click.option("--concurrency", type=click.IntRange(0), help="Requests a replica takes at most.")
@click.option("--canary", metavar="5,25,100", help="Move the traffic in steps that are judged.")
@click.option(
    "--slo",
    metavar="endpoint|p99=50ms,error_rate=0.1%",
    help="What a canary must keep at each step.",
)
@click.option("--max-flips", metavar="1%", help="Rows that a canary may label otherwise.")
@click.option("--max-shift", metavar="0.05", help="Mean change of its probabilities, or values.")
@click.option("--shadow", metavar="10%", help="Requests that it answers too, for nobody.")
@click.option(
    "--replay",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="Rows that both answer before any traffic moves: .csv, .json, .ndjson.",
)
@click.option(
    "--loadtest",
    metavar="rate=200,duration=30s,p95=50ms",
    help="A load test that a canary passes before any traffic moves; without objectives, --slo's.",
)
@click.option("--requests", type=click.IntRange(20), help="Of a canary in each step; 100.")
@click.option("--step-s", type=Range(0), help="That a step lasts at least; 60.")
@click.option("--give-up-s", type=Range(1), help="After which it goes back; 3600.")
@click.option("--wait/--no-wait", default=True, help="Wait until it is done.")
@pass_output
def deploy(
    output: Output,
    /,
    model: str,
    endpoint: str | None,
    concurrency: int | None,
    canary: str | None,
    wait: bool,
    **options: Any,
) -> int:
    """Put MODEL[:VERSION or :ALIAS] behind an endpoint; the newest ready version by default.

    With --canary it takes the traffic step by step, each of which must be as good as what runs, and
    gives it back otherwise; exit code 1 then.
    """
    rules = {name: options.pop(name) for name in CANARY}
    scaling = options
    if canary is not None:
        if concurrency is not None or any(value is not None for value in scaling.values()):
            raise click.UsageError("A canary moves traffic alone; change the scaling before.")
        body = asked(canary, rules, lambda: _taken(output, endpoint or model.partition(":")[0]))
        return roll_out(output, model, endpoint, body, wait)
    if given := [name for name, value in rules.items() if value is not None]:
        raise click.UsageError(f"--{given[0].replace('_', '-')} is for --canary.")
    name, _, version = model.partition(":")
    chosen = {key: value for key, value in scaling.items() if value is not None}
    with output.client() as client, output.waiting(f"Deploying {model}"):
        deployed = client.deploy(
            name,
            version=int(version) if version.isdigit() else version or None,
            endpoint=endpoint,
            scaling=chosen or None,
            container_concurrency=concurrency,
            wait=wait,
        )
    if output.as_json:
        output.document(deployed.raw)
        return 0
    revision = deployed.revisions[-1] if deployed.revisions else None
    shown = f"{revision.model} version {revision.version}" if revision else model
    output.say(f"{deployed.name} serves {shown} at {deployed.url}")
    output.say(f"Next: kubeserve predict {deployed.name} --data '[[...]]'")
    return 0


def _taken(output: Output, endpoint: str) -> Signature:
    with output.client() as client:
        return client.signature(endpoint)


@click.command("endpoints")
@click.argument("endpoint", required=False)
@pass_output
def list_endpoints(output: Output, endpoint: str | None) -> None:
    """List endpoints, or show one."""
    with output.client() as client:
        listed = [client.endpoint(endpoint)] if endpoint else list(client.endpoints())
    if output.as_json:
        output.document(listed[0].raw if endpoint else [e.raw for e in listed])
        return
    output.table(
        ("ENDPOINT", "STATUS", "REPLICAS", "REVISIONS", "REQUESTS", "COLD START", "URL"),
        map(_row, listed),
        empty="No endpoints yet. Next: kubeserve deploy MODEL",
    )


def _row(endpoint: Endpoint) -> tuple[object, ...]:
    start = endpoint.cold_start
    return (
        endpoint.name,
        status(endpoint),
        f"{endpoint.replicas}/{endpoint.desired_replicas}",
        ", ".join(f"{r.model}:{r.version} {r.percent}%" for r in endpoint.revisions),
        endpoint.requests_total,
        f"{start.total_ms:.1f} ms" if start else None,
        endpoint.url,
    )


def status(endpoint: Endpoint) -> str:
    """Say in a word or two how an endpoint is."""
    ready, active = endpoint.ready, endpoint.active
    if ready.status == "False":
        return f"{ready.reason}; see: kubeserve why {endpoint.name}"
    if ready.status != "True":
        return f"{ready.reason}: {ready.message}" if ready.message else str(ready.reason)
    return "idle" if active.status == "False" else "ready"


@click.command()
@click.argument("target", required=False, metavar="[ENDPOINT | MODEL:VERSION]")
@click.option("--rollout", type=click.IntRange(1), help="A rollout of the endpoint.")
@click.option("--loadtest", metavar="ID", help="A load test.")
@click.option("--webhook", metavar="ID", help="A webhook.")
@pass_output
def why(
    output: Output,
    target: str | None,
    rollout: int | None,
    loadtest: str | None,
    webhook: str | None,
) -> int:
    """Say why something is as it is, and what to do; exit code 1 if something is wrong.

    `kubeserve why iris` is of an endpoint, `kubeserve why iris:7` of a version.
    """
    with output.client() as client:
        try:
            cause = client.why(target, rollout=rollout, loadtest=loadtest, webhook=webhook)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
    return output.cause(cause)


@click.command()
@click.argument("endpoint")
@click.argument("targets", nargs=-1, required=True, metavar="VERSION=PERCENT[:TAG]...")
@pass_output
def traffic(output: Output, endpoint: str, targets: tuple[str, ...]) -> None:
    """Split traffic between versions, e.g. `kubeserve traffic iris 3=90 4=10:canary`."""
    split = [_target(target) for target in targets]
    with output.client() as client:
        changed = client.traffic(endpoint, split)
    if output.as_json:
        output.document(changed.raw)
        return
    output.say(
        f"{endpoint}: " + ", ".join(f"version {r.version} {r.percent}%" for r in changed.revisions)
    )


def _target(text: str) -> dict[str, Any]:
    version, _, rest = text.partition("=")
    percent, _, tag = rest.partition(":")
    if not version.isdigit() or not percent.isdigit():
        raise click.BadParameter(f"{text!r} is not VERSION=PERCENT[:TAG]", param_hint="TARGETS")
    return {"version": int(version), "percent": int(percent), "tag": tag or None}


@click.command()
@click.argument("endpoint")
@pass_output
def releases(output: Output, endpoint: str) -> None:
    """List what was changed on an endpoint, newest first."""
    with output.client() as client:
        listed = list(client.releases(endpoint))
    if output.as_json:
        output.document([r.raw for r in listed])
        return
    output.table(
        ("RELEASE", "ACTION", "REVISIONS", "BY", "AT", "REASON"),
        (
            (
                f"{r.number} (current)" if r.current else r.number,
                r.action,
                ", ".join(f"{v.model}:{v.version} {v.percent}%" for v in r.revisions),
                r.created_by,
                r.created_at,
                r.reason,
            )
            for r in listed
        ),
        empty="No releases yet.",
    )


@click.command()
@click.argument("endpoint")
@click.option("--to", type=int, help="Number of the release to go back to; the one before if none.")
@pass_output
def rollback(output: Output, endpoint: str, to: int | None) -> None:
    """Go back to an earlier release of an endpoint."""
    with output.client() as client:
        changed = client.rollback(endpoint, to=to)
    if output.as_json:
        output.document(changed.raw)
        return
    shown = ", ".join(f"{r.model}:{r.version} {r.percent}%" for r in changed.revisions)
    output.say(f"{endpoint} serves {shown} again.")


@click.command()
@click.argument("endpoint")
@click.option("-f", "--follow", is_flag=True, help="Go on printing what comes.")
@click.option("--tail", default=100, show_default=True, help="Lines to begin with.")
@pass_output
def logs(output: Output, endpoint: str, follow: bool, tail: int) -> None:
    """Print what the replicas of an endpoint wrote."""
    with output.client() as client:
        for line in client.logs(endpoint, tail=tail, follow=follow):
            if output.as_json:
                click.echo(json.dumps(line.raw))
            else:
                ids = (f" {name}={line.members[name]}" for name in IDS if name in line.members)
                click.echo(f"{line.at} {line.replica} {line.text}{''.join(ids)}")


@click.command()
@click.argument("endpoint")
@click.confirmation_option("--yes", prompt="Delete the endpoint and everything that belongs to it?")
@pass_output
def delete(output: Output, endpoint: str) -> None:
    """Delete an endpoint. Its model and versions stay."""
    with output.client() as client:
        client.delete_endpoint(endpoint)
    output.say(f"{endpoint} is being deleted.")


COMMANDS = (deploy, list_endpoints, why, traffic, releases, rollback, logs, delete)
