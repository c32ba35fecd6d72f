"""`login`, `logout`, `whoami`: a person's sign-in on this machine."""

import os
import sys
import webbrowser

import click

from controlplane.cli.output import Output, pass_output
from controlplane.client import Client, device, loopback
from controlplane.client.home import check_url, known_url, login_file
from controlplane.client.login import LoginFile


@click.command()
@click.argument("url", required=False)
@click.option(
    "--browser/--device",
    default=None,
    help="With a browser on this machine, or with a code to type in at any browser. Without "
    "either: a browser here if one can be opened.",
)
@pass_output
def login(output: Output, url: str | None, browser: bool | None) -> None:
    """Sign in as a person; URL: of the KubeServe, the local one if left out."""
    address, file = check_url(url or output.url or known_url()), LoginFile(login_file())
    wanted = sys.stderr.isatty() and _browser() is not None if browser is None else browser

    def opened(place: str) -> bool:
        found = _browser()
        there = found is not None and found.open(place)
        if not there and browser is None:
            click.echo("No browser could be opened here.", err=True)
            return False
        what = "Sign in with the browser that opens" if there else "Open this in a browser here"
        click.echo(
            f"{what}: {place} (or with any other: kubeserve login --device). "
            f"Waiting for {loopback.WITHIN_S / 60:g} minutes.",
            err=True,
        )
        return True

    if not wanted or loopback.sign_in(address, file, opened) is None:
        device.sign_in(address, file, _show)
    with Client(url=address) as client:
        who = client.me()
    if output.as_json:
        output.document({"url": address, **who.raw})
        return
    output.say(f"Signed in at {address} as {who.email}, {who.role} of {who.tenant}.")


def _show(code: device.Code) -> None:
    click.echo(f"Open {code.address} and type in the code {code.user_code}", err=True)


def _browser() -> webbrowser.BaseBrowser | None:
    """Give the browser that opens a window on this machine; None: there is none."""
    env = os.environ
    chosen = "BROWSER" in env
    shows = sys.platform != "linux" or "DISPLAY" in env or "WAYLAND_DISPLAY" in env
    if not chosen and (not shows or "SSH_CONNECTION" in env):
        return None
    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return None
    # One that runs in the terminal would take the terminal.
    in_terminal = type(found) is webbrowser.GenericBrowser
    return None if in_terminal and not chosen else found


@click.command()
@pass_output
def logout(output: Output) -> None:
    """Sign out; its tokens end everywhere."""
    where = device.sign_out(LoginFile(login_file()))
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
