"""`admin`: what the operator of an installation asks."""

import click

from controlplane.cli.output import Output, pass_output

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.group()
def admin() -> None:
    """For operators: what the installation stands on."""


@admin.command("rotate-keys")
@click.option(
    "--now",
    is_flag=True,
    help="For a key that leaked: the new one signs at once, and every token from before ends.",
)
@pass_output
def rotate_keys(output: Output, now: bool) -> None:
    """Change the key that signs tokens; it changes by itself every 30 days.

    The next key is published beforehand, so no token in use ends.
    """
    with output.client() as client:
        begun = client.rotate_keys(now=now)
    if output.as_json:
        output.document(begun)
        return
    left = begun["signs_in_s"]
    when = f"in {left // 60 + 1} minutes" if left else "from now on"
    output.say(f"Key {begun['kid']} signs {when}.")


@admin.command()
@pass_output
def preflight(output: Output) -> int:
    """Check database, store, sandbox and cluster, and say what to change; 1 if something fails."""
    with output.client() as client:
        found = client.preflight()
    failed = any(one.verdict == "fail" for one in found)
    if output.as_json:
        output.document([one.raw for one in found])
        return int(failed)
    for one in found:
        colour = COLOURS.get(one.verdict, "red")
        output.console.print(f"[{colour}]{one.verdict:<4}[/{colour}]", end="  ")
        output.plain(f"{one.name:<22} {one.message}")
        if one.advice:
            output.plain(f"      → {one.advice}")
    return int(failed)
