"""`login`, `logout`, `whoami`: a person's sign-in on this machine."""

import sys
import webbrowser

import click

from controlplane.cli.output import Output, pass_output
from controlplane.client import Client
from controlplane.client.device import Code, sign_in, sign_out
from controlplane.client.home import check_url, known_url, login_file
from controlplane.client.login import LoginFile


@click.command()
@click.argument("url", required=False)
@click.option("--browser/--no-browser", default=True, help="Open the page by itself.")
@pass_output
def login(output: Output, url: str | None, browser: bool) -> None:
    """Sign in as a person, with any browser; URL: of the KubeServe, the local one if left out."""
    address = check_url(url or output.url or known_url())

    def shown(code: Code) -> None:
        click.echo(f"Open {code.address} and type in the code {code.user_code}", err=True)
        if browser and sys.stderr.isatty():
            webbrowser.open(code.complete)

    sign_in(address, LoginFile(login_file()), shown)
    with Client(url=address) as client:
        who = client.me()
    if output.as_json:
        output.document({"url": address, **who.raw})
        return
    output.say(f"Signed in at {address} as {who.email}, {who.role} of {who.tenant}.")


@click.command()
@pass_output
def logout(output: Output) -> None:
    """Sign out; its tokens end everywhere."""
    where = sign_out(LoginFile(login_file()))
    if output.as_json:
        output.document({"url": where})
        return
    output.say("Nobody was signed in." if where is None else f"Signed out of {where}.")


@click.command()
@pass_output
def whoami(output: Output) -> None:
    """Tell as whom this command line makes its requests, and what it may do."""
    with output.client() as client:
        who, where = client.me(), client.url
    if output.as_json:
        output.document({"url": where, **who.raw})
        return
    role = f", {who.role}" if who.role else ""
    name = who.email or who.name or who.subject
    output.plain(f"{name} ({who.subject}{role}) in the tenant {who.tenant} at {where}")
    output.plain(f"May: {' '.join(who.scopes)}")


COMMANDS = (login, logout, whoami)
