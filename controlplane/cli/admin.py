"""`admin`: what the operator of an installation asks."""

import click

from controlplane.cli.output import Output, pass_output, styled

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
        output.plain(styled(f"{one.verdict:<4}", colour), f"  {one.name:<22} {one.message}")
        if one.advice:
            output.plain(f"      → {one.advice}")
    return int(failed)


@admin.command()
@pass_output
def people(output: Output) -> None:
    """List everybody with an account, of all tenants."""
    with output.client() as client:
        found = client.people()
    if output.as_json:
        output.document([person.raw for person in found])
        return
    rows = [(p.email, p.name, "no" if p.disabled else "yes", p.created_at) for p in found]
    output.table(("E-MAIL", "NAME", "MAY SIGN IN", "SINCE"), rows, empty="Nobody has an account.")


@admin.command()
@click.argument("person")
@click.option("--undo", is_flag=True, help="Let them sign in again.")
@pass_output
def disable(output: Output, person: str, undo: bool) -> None:
    """Keep PERSON, an e-mail address or id, from signing in, and end their sessions."""
    with output.client() as client:
        changed = client.disable(person, disabled=not undo)
    if output.as_json:
        output.document(changed.raw)
        return
    output.say(f"{changed.email} may {'sign in again' if undo else 'not sign in any more'}.")


@admin.command("password-link")
@click.argument("person")
@pass_output
def password_link(output: Output, person: str) -> None:
    """Make a link with which PERSON sets a new password, for who has forgotten theirs."""
    with output.client() as client:
        made = client.password_link(person)
    if output.as_json:
        output.document(made.raw)
        return
    output.say(f"Send {made.email} this link. It works once, within a day:")
    output.plain(f"  {made.link}")
