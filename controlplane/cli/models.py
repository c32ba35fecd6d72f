"""`push`, `models`, `versions`, `alias`: the registry."""

import time
from pathlib import Path

import click

from controlplane.cli.output import Output, pass_output, read
from controlplane.cli.training import columns_of
from controlplane.client import Version

VERSION_HEADINGS = ("VERSION", "STATE", "SERVED BY", "ESTIMATOR", "SCIKIT-LEARN", "SIZE", "ALIASES")

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
PATH = click.Path(exists=True, path_type=Path)


@click.command()
@click.argument("file", type=FILE)
@click.argument("name", required=False)
@click.option("--name", "model", help="Name of the model; the file's name if left out.")
@click.option(
    "--code",
    multiple=True,
    type=PATH,
    help="Modules that the model's own classes are in: a folder that was on sys.path, a package, or"
    " one module; may be given several times.",
)
@click.option("--requirements", type=FILE, help="requirements.txt: packages the model needs.")
@click.option(
    *("--wheel", "wheels"), multiple=True, type=FILE, help="A package of your own; may be repeated."
)
@click.option(
    "--reference", type=FILE, help="CSV of what it was trained on, to measure drift against."
)
@click.option("--wait/--no-wait", default=True, help="Wait until the version is built.")
@pass_output
def push(  # noqa: PLR0913  (each is an option)
    output: Output,
    file: Path,
    name: str | None,
    model: str | None,
    code: tuple[Path, ...],
    requirements: Path | None,
    wheels: tuple[Path, ...],
    reference: Path | None,
    wait: bool,
) -> None:
    """Upload a fitted estimator saved with joblib.dump or pickle.dump as a new version.

    What it needs beside scikit-learn goes along with --code, --requirements and --wheel; a zip file
    with model.joblib, requirements.txt, wheels/ and code/ can be pushed as it is.
    """
    if name is not None and model not in (None, name):
        raise click.UsageError(f"The model is named twice: {name} and {model}.")
    if reference is not None and not wait:
        raise click.UsageError("--reference needs the version's columns: leave out --no-wait.")
    trained = None if reference is None else columns_of(read(str(reference)))
    name = name or model or file.name.split(".")[0].replace("_", "-").lower()
    began = time.monotonic()
    with output.client() as client:
        with output.progress() as bar:
            task = bar.add_task(f"Uploading {file.name}", total=file.stat().st_size)
            version = client.push(
                file,
                name,
                code=code,
                requirements=requirements or (),
                wheels=wheels,
                wait=False,
                progress=lambda sent, size: bar.update(task, completed=sent, total=size),
            )
        if wait:
            building = f"Building {name} version {version.number}"
            with output.waiting(building) as say:
                version = client.wait_for_version(
                    name,
                    version.number,
                    looked=lambda seen: say(
                        f"{building}. {seen.reason}" if seen.reason else building
                    ),
                )
        if trained is not None:
            client.set_reference(name, trained, version.number)
    if output.as_json:
        output.document(version.raw)
        return
    if not wait:
        output.say(f"{name} version {version.number} is {version.state}.")
        return
    output.say(f"{name} version {version.number} is ready, {time.monotonic() - began:.1f} s.")
    output.say(_served(version))
    output.say(f"Next: kubeserve deploy {name}")


def _served(version: Version) -> str:
    if version.backend == "plan":
        return f"Compiled to a plan: {version.estimator}, scikit-learn {version.sklearn_version}."
    return f"Served by scikit-learn in a sandbox, because {version.fallback_because}."


@click.command("models")
@click.argument("model", required=False)
@pass_output
def list_models(output: Output, model: str | None) -> None:
    """List models, or the versions of one."""
    with output.client() as client:
        if model is not None:
            versions = list(client.versions(model))
            if output.as_json:
                output.document([version.raw for version in versions])
                return
            output.table(VERSION_HEADINGS, map(_version_row, versions), empty="No versions yet.")
            return
        listed = list(client.models())
    if output.as_json:
        output.document([m.raw for m in listed])
        return
    output.table(
        ("MODEL", "VERSIONS", "LATEST", "CREATED"),
        ((m.name, m.versions, m.latest_state, m.created_at) for m in listed),
        empty="No models yet. Next: kubeserve push model.joblib --name iris",
    )


def _version_row(version: Version) -> tuple[object, ...]:
    return (
        version.number,
        version.state if not version.reason else f"{version.state}: {version.reason}",
        version.backend,
        version.estimator,
        version.sklearn_version,
        size(version.size_bytes),
        ", ".join(version.aliases),
    )


def size(count: int) -> str:
    """Give bytes in a unit a person reads."""
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


@click.command()
@click.argument("model")
@click.argument("alias")
@click.argument("version", type=int)
@pass_output
def alias(output: Output, model: str, alias: str, version: int) -> None:
    """Point an alias such as `production` at a version."""
    with output.client() as client:
        client.set_alias(model, alias, version)
    if output.as_json:
        output.document({"model": model, "alias": alias, "version": version})
        return
    output.say(f"{model}:{alias} is version {version} now.")


COMMANDS = (push, list_models, alias)
