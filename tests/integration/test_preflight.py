"""Preflight through the API and the command line: what answers, what does not, who may ask."""

import asyncio
import json
import os
import sys

from controlplane.preflight import sandbox
from runtime.sandbox import detect
from tests.integration.api import Api


async def preflight(api: Api, *flags: str) -> tuple[int, str]:
    async with api.on_a_socket() as port:
        env = {
            **os.environ,
            "KUBESERVE_URL": f"http://127.0.0.1:{port}",
            "KUBESERVE_CLIENT_ID": api.client_id,
            "KUBESERVE_CLIENT_SECRET": api.client_secret,
        }
        command = [sys.executable, "-m", "controlplane.cli.main", *flags, "admin", "preflight"]
        process = await asyncio.create_subprocess_exec(
            *command, env=env, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_what_answers_is_ok(api: Api) -> None:
    code, said = await preflight(api, "--json")
    assert code == 0
    assert [(one["name"], one["verdict"]) for one in json.loads(said)] == [
        ("database", "ok"),
        ("artifact store", "ok"),
        ("engine", "ok"),
        *((one.name, one.verdict) for one in sandbox(detect(), required=True)),
    ]


async def test_each_layer_of_the_sandbox_is_told(api: Api) -> None:
    _, said = await preflight(api)
    for layer in ("rlimits", "no_new_privs", "seccomp", "landlock", "namespaces", "cgroup"):
        assert f"sandbox {layer}" in said


async def test_what_does_not_answer_fails_without_its_secrets(api: Api) -> None:
    api.engine.down = True
    code, said = await preflight(api)
    assert code == 1
    assert "fail  engine" in said
    assert "EngineUnavailable" in said
    assert "The log of the control plane" in said


async def test_an_administrator_of_a_tenant_does_not_look_under_the_installation(api: Api) -> None:
    other = await api.another_tenant("rival")
    boss = {"name": "boss", "tenant": "rival", "scopes": ["admin"]}
    made = (await api.http.post("/v1/clients", json=boss)).json()
    other.client_id, other.client_secret = made["id"], made["secret"]
    await other.sign_in()
    assert (await other.http.get("/v1/admin/preflight")).status_code == 403
    await other.http.aclose()
