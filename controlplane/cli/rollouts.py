"""`rollouts`, `rollout`, `slo`; and what `deploy --canary` does."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import click

from controlplane.cli.numbers import finite
from controlplane.cli.objectives import OPTIONS, objectives_options, said
from controlplane.cli.output import Output, pass_output, styled
from controlplane.cli.predict import rows_of
from controlplane.client import NotFound, Rollout
from controlplane.client.rollouts import Check
from runtime.plan.signature import Signature

# Options of `deploy` that go with --canary.
CANARY: Final = (
    "slo", "max_flips", "max_shift", "shadow", "replay", "loadtest", "requests", "step_s",
    "give_up_s"
)  # fmt: skip
STEADY: Final = ("rate", "duration")  # of a load test
MARKS: Final = {"passed": "green", "failed": "red", "unsure": "yellow"}


def steps(text: str) -> list[int]:
    """Read `5,25,100`."""
    parts = text.replace("%", "").split(",")
    if not all(part.strip().isdecimal() for part in parts):
        raise click.BadParameter(f"{text!r} is not like 5,25,100", param_hint="--canary")
    return [int(part) for part in parts]


def share(text: str) -> float:
    """Read `0.1%`, or a share such as 0.001."""
    try:
        return finite(text[:-1]) / 100 if text.endswith("%") else finite(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no share such as 0.1% or 0.001") from None


def objectives(text: str | None) -> str | dict[str, str | float] | None:
    """Read `endpoint`, or `p99=50ms,error_rate=0.1%`; what the values mean, the API reads."""
    if text is None or text == "endpoint":
        return text
    found = dict[str, str | float]()
    for part in text.split(","):
        name, _, value = part.partition("=")
        if not name.strip() or not value.strip():
            raise click.BadParameter(
                f"{part!r} is neither `endpoint` nor like p99=50ms or error_rate=0.1%",
                param_hint="--slo",
            )
        found[name.strip()] = _value(value.strip(), "--slo")
    return found


def _value(text: str, option: str) -> str | float:
    """Give a number where it is one."""
    try:
        found = float(text)
    except ValueError:
        return text
    if not math.isfinite(found):
        raise click.BadParameter(f"{text!r} is no finite number", param_hint=option)
    return found


def load(text: str | None) -> dict[str, Any] | None:
    """Read `rate=200,duration=30s,p95=50ms`: a load test of one rate, and its objectives."""
    if text is None:
        return None
    given = dict[str, str | float]()
    for part in text.split(","):
        name, _, value = part.partition("=")
        if name not in (*STEADY, *OPTIONS) or not value:
            raise click.BadParameter(
                f"{part!r} is none of {', '.join((*STEADY, *OPTIONS))}, such as rate=200",
                param_hint="--loadtest",
            )
        given[name] = _value(value, "--loadtest")
    shape = {name: given.pop(name) for name in STEADY if name in given}
    if "rate" not in shape:
        raise click.BadParameter("it needs a rate: rate=200", param_hint="--loadtest")
    return {"shape": {"kind": "steady", **shape}, "objectives": given}


def asked(
    canary: str, options: Mapping[str, Any], signature: Callable[[], Signature]
) -> dict[str, Any]:
    """Give the body of a rollout from the options of `deploy`.

    Bounds are of the shadow, of the rows that are replayed, or of both, as both are asked for.

    signature  what the endpoint takes, as `rows_of` asks for it
    """
    body = {name: options[name] for name in ("requests", "step_s", "give_up_s")}
    bounds = {
        name: share(options[name])
        for name in ("max_flips", "max_shift")
        if options[name] is not None
    }
    replay, shadow = None, dict[str, float]()
    if options["replay"] is not None:
        replay = {"instances": rows_of(options["replay"], signature), **bounds}
    if options["shadow"] is not None:
        shadow = {"share": share(options["shadow"])}
    if shadow or replay is None:
        shadow |= bounds
    return {
        **body,
        "steps": steps(canary),
        "slo": objectives(options["slo"]),
        "shadow": shadow or None,
        "replay": replay,
        "loadtest": load(options["loadtest"]),
    }


def roll_out(
    output: Output, model: str, endpoint: str | None, asked: Mapping[str, Any], wait: bool
) -> int:
    """Start a rollout and follow it; exit code 1 if the candidate did not get all traffic."""
    with output.client() as client:
        try:
            begun = client.rollout(model, endpoint, **asked)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        if wait:
            with output.waiting(_line(begun)) as say:
                begun = client.wait_for_rollout(
                    begun.endpoint, begun.number, watch=lambda now: say(_line(now))
                )
    _show(output, begun)
    return 0 if begun.is_done or not begun.is_over else 1


def _line(rollout: Rollout) -> str:
    return f"{rollout.endpoint}: {rollout.percent} % to {rollout.candidate}. {rollout.reason or ''}"


def _show(output: Output, rollout: Rollout) -> None:
    if output.as_json:
        output.document(rollout.raw)
        return
    output.plain(f"Rollout {rollout.number} of {rollout.endpoint}: {_words(rollout)}")
    for step in rollout.passed:
        output.plain(f"  Step {step.number} of {len(rollout.steps)} ({step.percent} %) passed:")
        _show_checks(output, step.checks)
    if rollout.passed and not rollout.is_done:
        output.plain(f"  Step {rollout.step} of {len(rollout.steps)}:")
    if not rollout.is_done:
        _show_checks(output, rollout.checks)
    _show_difference(output, "compared", rollout.raw.get("difference"))
    replay = rollout.raw.get("replay")
    _show_difference(output, "replayed", replay and replay["difference"])
    if not rollout.is_over:
        output.plain(f"Next: kubeserve rollout {rollout.endpoint}")


def _show_checks(output: Output, checks: Sequence[Check]) -> None:
    for check in checks:
        mark = MARKS.get(check.verdict, "white")
        output.plain("  ", styled(check.verdict, mark), f" {check.name}: {check.message}")


def _show_difference(output: Output, how: str, found: Mapping[str, Any] | None) -> None:
    if not found or not found["rows"]:
        return
    output.plain(
        f"  of {found['rows']} rows {how} {found['flips']} got another label; "
        f"mean shift {found['mean_shift']:.4g}, largest {found['max_shift']:.4g}"
    )
    for worst in found["worst"]:
        output.plain(f"    {worst['row']}: {worst['running']} -> {worst['candidate']}")


def _words(rollout: Rollout) -> str:
    if rollout.is_done:
        return f"{rollout.candidate} has all traffic."
    if rollout.is_over:
        return f"{rollout.state}, {rollout.running} keeps the traffic: {rollout.reason}."
    waits = rollout.reason or "it waits for the first look"
    return f"{rollout.percent} % to {rollout.candidate}, {waits}."


@click.command("rollouts")
@click.argument("endpoint")
@pass_output
def list_rollouts(output: Output, endpoint: str) -> None:
    """List the rollouts of an endpoint, newest first."""
    with output.client() as client:
        listed = client.rollouts(endpoint)
    if output.as_json:
        output.document([one.raw for one in listed])
        return
    output.table(
        ("ROLLOUT", "CANDIDATE", "STATE", "STEP", "REASON", "AT"),
        (
            (
                one.number,
                one.candidate,
                one.state,
                f"{one.step} of {len(one.steps)}",
                one.reason,
                one.created_at,
            )
            for one in listed
        ),
        empty=f"No rollouts yet. Next: kubeserve deploy MODEL --endpoint {endpoint} --canary 5,100",
    )


@click.command()
@click.argument("endpoint")
@click.option("--cancel", is_flag=True, help="Give all traffic back to the version before.")
@click.option("-f", "--follow", is_flag=True, help="Wait until it has ended.")
@pass_output
def rollout(output: Output, endpoint: str, cancel: bool, follow: bool) -> int:
    """Show the newest rollout of an endpoint; exit code 1 if it did not end well."""
    with output.client() as client:
        found = client.newest_rollout(endpoint)
        if found is None:
            raise NotFound({"status": 404, "detail": f"{endpoint} has had no rollout."})
        if cancel:
            found = client.cancel_rollout(endpoint, found.number)
        elif follow:
            found = client.wait_for_rollout(endpoint, found.number)
    _show(output, found)
    return 1 if found.is_over and not found.is_done and not cancel else 0


@click.command()
@click.argument("endpoint")
@objectives_options
@click.option("--clear", is_flag=True, help="Promise nothing any more.")
@pass_output
def slo(output: Output, /, endpoint: str, clear: bool, **given: Any) -> None:
    """Show what ENDPOINT promises, or declare it; what is not named is not promised."""
    wanted = {name: value for name, value in given.items() if value is not None}
    if clear and wanted:
        raise click.UsageError("--clear takes all promises back; leave the others out.")
    with output.client() as client:
        found = client.set_slo(endpoint, **wanted) if wanted or clear else client.slo(endpoint)
    if output.as_json:
        output.document(found)
        return
    output.say(f"{endpoint} promises {said(found) or 'nothing'}.")


COMMANDS = (list_rollouts, rollout, slo)
