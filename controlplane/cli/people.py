"""`members`, `invite`, `invitations`: who is in a tenant."""

import click

from controlplane.cli.output import Output, pass_output

ROLE = click.Choice(["owner", "admin", "developer", "viewer"])


@click.group(invoke_without_command=True)
@click.pass_context
def members(context: click.Context) -> None:
    """List the members of the tenant, change their roles, take them out."""
    if context.invoked_subcommand is None:
        context.invoke(list_members)


@members.command("list")
@pass_output
def list_members(output: Output) -> None:
    """List members."""
    with output.client() as client:
        found = client.members()
    if output.as_json:
        output.document([member.raw for member in found])
        return
    rows = [(member.email, member.name, member.role, member.joined_at) for member in found]
    output.table(
        ("E-MAIL", "NAME", "ROLE", "JOINED"),
        rows,
        empty="Nobody is a member yet. Invite somebody: kubeserve invite EMAIL --role owner",
    )


@members.command()
@click.argument("member")
@click.argument("role", type=ROLE)
@pass_output
def role(output: Output, member: str, role: str) -> None:
    """Give MEMBER, an e-mail address or id, another ROLE."""
    with output.client() as client:
        changed = client.change_role(member, role)
    if output.as_json:
        output.document(changed.raw)
        return
    output.say(f"{changed.email} is {changed.role} now.")


@members.command()
@click.argument("member")
@pass_output
def remove(output: Output, member: str) -> None:
    """Take MEMBER, an e-mail address or id, out of the tenant."""
    with output.client() as client:
        client.remove_member(member)
    output.say(f"{member} is no member any more.")


@click.command()
@click.argument("email", required=False)
@click.option("--role", type=ROLE, default="developer", show_default=True, help="What they become.")
@click.option("--tenant", help="Of another tenant: for the platform's administrators.")
@pass_output
def invite(output: Output, email: str | None, role: str, tenant: str | None) -> None:
    """Make a link with which EMAIL, or whoever gets it if left out, joins the tenant."""
    with output.client() as client:
        made = client.invite(email, role, tenant=tenant)
    if output.as_json:
        output.document(made.raw)
        return
    output.say(f"Send {email or 'them'} this link. It works once, within a week:")
    output.plain(f"  {made.link}")


@click.group(invoke_without_command=True)
@click.pass_context
def invitations(context: click.Context) -> None:
    """List invitations that nobody has accepted yet, and take them back."""
    if context.invoked_subcommand is None:
        context.invoke(list_invitations)


@invitations.command("list")
@pass_output
def list_invitations(output: Output) -> None:
    """List invitations."""
    with output.client() as client:
        found = client.invitations()
    if output.as_json:
        output.document([invitation.raw for invitation in found])
        return
    rows = [
        (one.id, one.email or "whoever has the link", one.role, one.expires_at) for one in found
    ]
    output.table(("ID", "FOR", "ROLE", "EXPIRES"), rows, empty="Nobody is invited.")


@invitations.command()
@click.argument("invitation")
@pass_output
def revoke(output: Output, invitation: str) -> None:
    """Take INVITATION, its id, back: its link works no more."""
    with output.client() as client:
        client.revoke_invitation(invitation)
    output.say("The invitation is taken back.")


COMMANDS = (members, invite, invitations)
