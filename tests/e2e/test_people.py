"""People of an installation, by its own command: the first link, an account, a member."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from loadtests.benchmarks.installation import free_port, free_range

COMMAND = [sys.executable, "-m", "controlplane.cli.main"]


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Give a fresh home; what was started there is stopped."""
    env = {
        **{name: value for name, value in os.environ.items() if "KUBESERVE_" not in name},
        "KUBESERVE_HOME": str(tmp_path),
        "KUBESERVE_LISTEN": f"127.0.0.1:{free_port()}",
        "KUBESERVE_PORTS": free_range(10),
    }
    yield env
    subprocess.run([*COMMAND, "down"], env=env, check=True, stdout=subprocess.DEVNULL)


def said(env: dict[str, str], *arguments: str) -> str:
    command = [*COMMAND, *arguments]
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout


def test_who_starts_it_owns_it_with_an_account_of_their_own(environment: dict[str, str]) -> None:
    told = said(environment, "up")
    [link] = re.findall(r"http\S+/invitations/accept\?secret=\S+", told)
    again = said(environment, "up")
    assert "secret=" not in again
    assert "/dashboard\n" in again
    assert "Sign in there with your account" in again
    parts = urlsplit(link)
    with httpx.Client(headers={"sec-fetch-site": "same-origin"}) as browser:
        assert "Join default" in browser.get(link).text
        form = {"email": "ada@example.com", "name": "Ada", "password": "four words of mine"}
        form["secret"] = parse_qs(parts.query)["secret"][0]
        there = f"http://{parts.netloc}"
        assert browser.post(f"{there}/invitations/accept", data=form).status_code == 303
        assert browser.get(f"{there}/v1/me").json()["role"] == "owner"
        assert browser.get(f"{there}/v1/people").status_code == 200
    assert "ada@example.com" in said(environment, "members")
    invited = json.loads(said(environment, "--json", "invite", "bob@example.com"))
    assert (invited["role"], invited["email"]) == ("developer", "bob@example.com")
    assert "bob@example.com" in said(environment, "invitations")
    said(environment, "invitations", "revoke", invited["id"])
    assert "Nobody is invited" in said(environment, "invitations")
    assert "not sign in any more" in said(environment, "admin", "disable", "ada@example.com")
    said(environment, "admin", "disable", "ada@example.com", "--undo")
    assert "/account/password?secret=" in said(
        environment, "admin", "password-link", "ada@example.com"
    )


def test_in_the_foreground_it_tells_how_to_get_in_until_somebody_owns_it(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with foreground(environment) as (lines, process):
        [first] = links(lines)
        # It is the keeper itself that stays, for whoever sends it signals.
        assert int((tmp_path / "keeper.pid").read_text().split()[0]) == process.pid
    with foreground(environment) as (lines, _):
        [second] = links(lines)
        assert second != first
        parts = urlsplit(second)
        form = {"email": "ada@example.com", "name": "Ada", "password": "four words of mine"}
        form["secret"] = parse_qs(parts.query)["secret"][0]
        there = f"http://{parts.netloc}/invitations/accept"
        headers = {"sec-fetch-site": "same-origin"}
        made = httpx.post(there, data=form, headers=headers, timeout=60)
        assert made.status_code == 303, made.text
    told = said(environment, "up")
    assert "secret=" not in told
    assert "/dashboard\n" in told


def test_it_starts_under_an_address_that_only_others_reach(environment: dict[str, str]) -> None:
    environment["KUBESERVE_ISSUER"] = "https://kube.test"
    told = said(environment, "up")
    assert "KubeServe is running at https://kube.test (" in told
    assert "https://kube.test/invitations/accept?secret=" in told
    assert "KubeServe is ready" in said(environment, "status")
    assert "https://kube.test/dashboard" in said(environment, "up")


def test_what_never_gets_ready_is_told_with_the_part_and_the_log(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(environment["KUBESERVE_LISTEN"].rpartition(":")[2])))
        taken.listen()
        program = "from controlplane.cli import local, main; local.START_WITHIN_S = 8; main.main()"
        command = [sys.executable, "-c", program, "up"]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "not ready within 8 s: the API does not answer at http://127.0.0.1:" in ended.stderr
    assert f"The end of {tmp_path / 'logs' / 'api.log'}:" in ended.stderr
    assert "address already in use" in ended.stderr
    assert "run it again" in ended.stderr


def links(lines: list[str]) -> list[str]:
    return [line.strip() for line in lines if "/invitations/accept?secret=" in line]


@contextmanager
def foreground(env: dict[str, str]) -> Iterator[tuple[list[str], subprocess.Popen[str]]]:
    """Start it attached; gives what it says, up to the last line of it."""
    command, pipe = [*COMMAND, "up", "--foreground"], subprocess.PIPE
    with subprocess.Popen(command, env=env, stdout=pipe, text=True) as process:
        try:
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                lines.append(line)
                if line.startswith("Next:"):
                    break
            yield lines, process
        finally:
            process.terminate()
        assert process.wait(60) == 0
