"""Objectives on the command line: one vocabulary for promises, load tests and tuning.

What a value means is read where it is judged; here it is a text such as `50ms` or `0.1%`.
"""

import json
import math
import tomllib
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from controlplane.cli.numbers import NUMBER

Command = TypeVar("Command", bound=Callable[..., Any])
DURATION: Final = "50ms, 1.5s, …"
OPTIONS: Final[dict[str, str]] = {
    "p50": f"Median latency at most: {DURATION}",
    "p90": f"90th percentile of latency at most: {DURATION}",
    "p95": f"95th percentile of latency at most: {DURATION}",
    "p99": f"99th percentile of latency at most: {DURATION}",
    "error_rate": "Share of errors at most: 0.1%.",
    "throughput": "Requests a second answered well, at least.",
    "cold_start": f"Median first answer after zero at most: {DURATION}",
    "scale_up": f"Median time until all replicas are there at most: {DURATION}",
}


def objectives_options(command: Command) -> Command:
    """Give a command an option for each objective."""
    for name, text in reversed(OPTIONS.items()):
        option = f"--{name.replace('_', '-')}"
        kind = NUMBER if name == "throughput" else str
        command = click.option(option, name, type=kind, help=text)(command)
    return command


def taken(given: dict[str, Any]) -> dict[str, Any]:
    """Take the objectives out of a command's options."""
    found = {name: given.pop(name, None) for name in OPTIONS}
    return {name: value for name, value in found.items() if value is not None}


def put(given: dict[str, Any], slo: str | None) -> None:
    """Put the objectives of a command's options, and of its --slo, where a plan has them.

    slo  `endpoint`, or the name of a file, before which the options go
    """
    objectives = taken(given)
    if slo == "endpoint":
        given["slo"] = slo
    elif slo is not None:
        objectives = {**read_file(Path(slo)), **objectives}
    if objectives:
        given["objectives"] = objectives


def read_file(path: Path) -> dict[str, Any]:
    """Read objectives from YAML, TOML or JSON, by the file's ending, alone or under `objectives`.

    Raises click.UsageError.
    """
    readers: dict[str, Callable[[str], Any]] = {
        ".yaml": _yaml, ".yml": _yaml, ".json": json.loads, ".toml": tomllib.loads
    }  # fmt: skip
    read = readers.get(path.suffix.lower())
    if read is None:
        raise click.UsageError(f"{path} must end in {', '.join(readers)}")
    try:
        found = read(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise click.UsageError(f"{path} cannot be read: {error}") from error
    found = found.get("objectives", found) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        raise click.UsageError(f"{path} must hold names and values, such as p95: 50ms")
    for name, value in found.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise click.UsageError(f"{path}: {name} is no finite number: {value}")
    return found


def _yaml(text: str) -> Any:
    try:
        yaml = import_module("yaml")  # it comes with `kubeserve[loadtest]`
    except ImportError as error:
        raise click.UsageError("YAML is read with pyyaml; write TOML or JSON") from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def said(found: Mapping[str, Any]) -> str:
    """Write objectives in a line."""
    return ", ".join(f"{name.replace('_', ' ')} {_value(name, found[name])}" for name in found)


def _value(name: str, value: Any) -> str:
    match name:
        case "error_rate":
            return f"{100 * float(value):.3g} %"
        case "throughput":
            return f"{value:g}/s"
        case _:
            return str(value)
