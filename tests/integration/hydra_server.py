"""The real Ory Hydra, a certified OpenID provider, as a process of a test run on loopback.

Hydra leaves login and consent to pages of whoever runs it; here a test decides, by its admin API.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.cluster import build

WITHIN_S = 60.0
PAGES = "http://127.0.0.1:9/pages"  # nobody listens there: what would be shown is decided instead


@dataclass(frozen=True)
class Hydra:
    """`issuer` as in its metadata; `admin`: address of its admin API."""

    issuer: str
    admin: str

    def register(self, redirect_uri: str) -> tuple[str, str]:
        """Make a client; gives id and secret."""
        asked = {
            "redirect_uris": [redirect_uri],
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "scope": "openid email profile",
            "token_endpoint_auth_method": "client_secret_basic",
        }
        made = httpx.post(f"{self.admin}/admin/clients", json=asked).raise_for_status().json()
        return made["client_id"], made["client_secret"]

    def sign_in(self, address: str, subject: str, claims: dict[str, Any]) -> str:
        """Be the browser at Hydra, signing in and agreeing to all; gives where it is sent back."""
        with httpx.Client() as browser:
            login = _challenge(browser.get(address), "login_challenge")
            there = self._accept("login", login, {"subject": subject})
            consent = _challenge(browser.get(there), "consent_challenge")
            session = {"id_token": claims}
            grants = {"grant_scope": ["openid", "email", "profile"], "session": session}
            there = self._accept("consent", consent, grants)
            return browser.get(there).headers["location"]

    def refuse(self, address: str) -> str:
        """Be somebody who does not want to; gives where the browser is sent back."""
        with httpx.Client() as browser:
            challenge = _challenge(browser.get(address), "login_challenge")
            refused = httpx.put(
                f"{self.admin}/admin/oauth2/auth/requests/login/reject",
                params={"login_challenge": challenge},
                json={"error": "access_denied", "error_description": "not today"},
            )
            there = refused.raise_for_status().json()["redirect_to"]
            return browser.get(there).headers["location"]

    def _accept(self, what: str, challenge: str, body: dict[str, Any]) -> str:
        done = httpx.put(
            f"{self.admin}/admin/oauth2/auth/requests/{what}/accept",
            params={f"{what}_challenge": challenge},
            json=body,
        )
        return str(done.raise_for_status().json()["redirect_to"])


def _challenge(answer: httpx.Response, name: str) -> str:
    there = answer.headers["location"]
    assert there.startswith(PAGES), there
    return parse_qs(urlsplit(there).query)[name][0]


def program() -> str | None:
    """Find the server: installed, or built once and kept; None without Go."""
    found = shutil.which("hydra")
    if found is None and (build.OTHERS["hydra"].built() or shutil.which("go")):
        build.build("hydra")
        found = str(build.binary("hydra"))
    return found


@contextlib.contextmanager
def running(folder: Path, database: str) -> Iterator[Hydra]:
    """Run one server on an empty database; skips where there is none."""
    found = program()
    if found is None:
        pytest.skip("no Hydra: install it as `hydra`, or Go (1.24 or newer) to build it with")
    public, admin = _free_port(), _free_port()
    issuer = f"http://127.0.0.1:{public}"
    env = {
        **os.environ,
        "DSN": database,
        "SECRETS_SYSTEM": "a secret of this test run alone",
        "URLS_SELF_ISSUER": issuer,
        "URLS_LOGIN": f"{PAGES}/login",
        "URLS_CONSENT": f"{PAGES}/consent",
        "SERVE_PUBLIC_HOST": "127.0.0.1",
        "SERVE_PUBLIC_PORT": str(public),
        "SERVE_ADMIN_HOST": "127.0.0.1",
        "SERVE_ADMIN_PORT": str(admin),
        "SQA_OPT_OUT": "true",  # no telemetry
    }
    log = folder / "hydra.log"
    with log.open("wb") as sink:
        migrate = [found, "migrate", "sql", "up", "--read-from-env", "--yes"]
        subprocess.run(migrate, env=env, stdout=sink, stderr=sink, check=True)
        process = subprocess.Popen(
            [found, "serve", "all", "--dev"], env=env, stdout=sink, stderr=sink
        )
    try:
        _wait(f"http://127.0.0.1:{admin}/health/ready", process, log)
        yield Hydra(issuer, f"http://127.0.0.1:{admin}")
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + WITHIN_S
    while True:
        assert process.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url).status_code == 200:
                return
        time.sleep(0.05)
