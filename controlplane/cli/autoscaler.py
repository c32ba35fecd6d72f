"""`kubeserve autoscaler replay`: recorded metrics through the autoscaler, without any server."""

import json

import click

from controlplane.autoscaler.replay import ReplayError
from controlplane.autoscaler.replay import replay as replay_recording
from controlplane.cli.output import read


@click.group()
def autoscaler() -> None:
    """Look into the autoscaler's decisions."""


@autoscaler.command()
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=str)
)
def replay(file: str) -> None:
    """Replay a recording (JSON, `-` for standard input) and print each decision as JSON."""
    text = read(file)
    try:
        click.echo(json.dumps(replay_recording(text), indent=2))
    except ReplayError as error:
        raise click.ClickException(f"{file}: {error}") from error
