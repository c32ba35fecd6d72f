"""`kubeserve autoscaler replay`: recorded metrics through the autoscaler, without any server."""

import json
from pathlib import Path

import click

from controlplane.autoscaler.replay import ReplayError
from controlplane.autoscaler.replay import replay as replay_recording


@click.group()
def autoscaler() -> None:
    """Look into the autoscaler's decisions."""


@autoscaler.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
def replay(file: str) -> None:
    """Replay a recording (JSON, `-` for standard input) and print each decision as JSON."""
    text = click.get_text_stream("stdin").read() if file == "-" else Path(file).read_text("utf-8")
    try:
        click.echo(json.dumps(replay_recording(text), indent=2))
    except ReplayError as error:
        raise click.ClickException(f"{file}: {error}") from error
