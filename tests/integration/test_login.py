"""`kubeserve login`, as people use it: the real command line, a real server, and a browser."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from controlplane.client import AsyncClient, NotConfigured
from controlplane.client.home import login_file
from controlplane.client.login import KeptToken, LoginFile
from tests.integration.api import Api
from tests.integration.people import Browser
from tests.integration.test_oauth_stock_clients import browser, server

__all__ = ["browser", "server"]
ENDPOINT = "6f1c1f0e-3f4e-4f55-9d0b-3f4c2d1b0a99"


async def kubeserve(home: Path, *arguments: str) -> asyncio.subprocess.Process:
    env = {name: value for name, value in os.environ.items() if "KUBESERVE_" not in name}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "controlplane.cli.main", *arguments),
        env={**env, "KUBESERVE_HOME": str(home)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ran(home: Path, *arguments: str) -> tuple[int, str, str]:
    process = await kubeserve(home, *arguments)
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def log_in(server: Api, browser: Browser, home: Path) -> dict[str, Any]:
    address = str(server.http.base_url).rstrip("/")
    process = await kubeserve(home, "--json", "login", address)
    assert process.stderr is not None
    line = (await process.stderr.readline()).decode()
    code = re.search(r"code ([A-Z-]{9})", line)
    assert code, line
    await browser.decide(code[1])
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return dict(json.loads(out))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("KUBESERVE_URL", "KUBESERVE_CLIENT_ID", "KUBESERVE_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "of-a-person"
    monkeypatch.setenv("KUBESERVE_HOME", str(folder))
    return folder


async def test_the_way_of_a_sign_in(server: Api, browser: Browser, home: Path) -> None:
    who = await log_in(server, browser, home)
    assert (who["email"], who["role"], who["tenant"]) == ("ada@example.com", "developer", "default")
    assert who["subject"].startswith("user:")
    assert "models:write" in who["scopes"]
    assert (home / "login.json").stat().st_mode & 0o777 == 0o600
    code, out, _ = await ran(home, "whoami")
    assert code == 0
    assert "ada@example.com" in out
    code, out, err = await ran(home, "models")
    assert (code, "No models yet" in out) == (0, True), err
    text = (await asyncio.to_thread(LoginFile(home / "login.json").read)).refresh_token  # type: ignore[union-attr]
    assert (await ran(home, "logout"))[0] == 0
    assert not (home / "login.json").exists()
    code, _, err = await ran(home, "models")
    assert (code, "kubeserve login" in err) == (1, True)
    form = {"grant_type": "refresh_token", "client_id": "kubeserve-cli", "refresh_token": text}
    answer = await server.http.post("/oauth2/token", data=form, headers={"authorization": ""})
    assert answer.json()["error"] == "invalid_grant"


async def test_processes_that_renew_at_once_all_stay_signed_in(
    server: Api, browser: Browser, home: Path
) -> None:
    await log_in(server, browser, home)
    file = LoginFile(login_file())
    for _ in range(2):
        login = file.read()
        assert login is not None
        login.tokens.clear()
        file.write(login)
        ended = await asyncio.gather(*(ran(home, "whoami") for _ in range(6)))
        assert [code for code, _, _ in ended] == [0] * 6, ended
        renewed = file.read()
        assert renewed is not None
        assert renewed.refresh_token != login.refresh_token


async def test_the_sdk_gets_tokens_for_endpoints_with_a_sign_in(
    server: Api, browser: Browser, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def exists(*_: object) -> bool:
        return True

    monkeypatch.setattr(server.app.state.oauth, "_endpoint_exists", exists)
    await log_in(server, browser, home)
    async with AsyncClient() as client:
        audiences = [f"{client.url}/endpoints/{ENDPOINT[:-2]}{end}" for end in range(10, 18)]
        fetch = client._core.tokens.fetch
        texts = await asyncio.gather(*(client._run(fetch(a)) for a in audiences))
        assert len(set(texts)) == 8
        assert (await client.me()).role == "developer"
        # A token that a server turned down is renewed, though its time is not over.
        again = await client._run(fetch(audiences[0], texts[0]))
        assert again != texts[0]
        assert await client._run(fetch(audiences[0])) == again


async def test_a_sign_in_that_ended_says_what_to_do(
    server: Api, browser: Browser, home: Path
) -> None:
    await log_in(server, browser, home)
    file = LoginFile(login_file())
    login = file.read()
    assert login is not None
    login.tokens[""] = KeptToken("not a token", 0)
    file.write(login)
    form = {"client_id": "kubeserve-cli", "token": login.refresh_token}
    await server.http.post("/oauth2/revoke", data=form, headers={"authorization": ""})
    async with AsyncClient() as client:
        with pytest.raises(NotConfigured, match="kubeserve login"):
            await client.me()
    assert file.read() is None


async def test_a_denied_sign_in_leaves_nothing(server: Api, browser: Browser, home: Path) -> None:
    address = str(server.http.base_url).rstrip("/")
    process = await kubeserve(home, "login", address)
    assert process.stderr is not None
    code = re.search(r"code ([A-Z-]{9})", (await process.stderr.readline()).decode())
    assert code
    await browser.decide(code[1], "deny")
    _, err = await process.communicate()
    assert process.returncode == 1
    assert "denied" in err.decode()
    assert not (home / "login.json").exists()


async def test_roles_bound_a_sign_in_too(server: Api, browser: Browser, home: Path) -> None:
    who = await log_in(server, browser, home)
    assert "admin" not in who["scopes"]
    code, _, err = await ran(home, "admin", "rotate-keys")
    assert code == 5, err
