"""`why` of whatever there is: one shape, and the command line prints what the API tells."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from controlplane.cli.main import cli
from controlplane.models import service as models
from tests.integration.api import Api
from tests.integration.test_api_endpoints import until as until_ready
from tests.integration.test_api_registry import OCTETS, until_built
from tests.integration.test_webhooks import must

PICKLE = b"\x80\x04N."
SHAPE = {"about", "reason", "ok", "message", "evidence", "next_step"}


async def prepared(api: Api) -> dict[str, tuple[str, str, bool, list[str]]]:
    """Make one of each; gives path, expected reason, ok and the command's arguments by name."""
    for number, content in ((1, PICKLE), (2, PICKLE + b"2")):
        await api.http.post("/v1/models/iris/versions", content=content, headers=OCTETS)
        await until_built(api, "iris", number)
    await must(api, "POST", "/v1/endpoints/iris/releases", {"model": "iris", "version": 1}, 201)
    await until_ready(api, "iris")
    await must(api, "POST", "/v1/endpoints/iris/rollouts", {"model": "iris", "version": 2}, 201)
    await must(api, "POST", "/v1/endpoints/iris/rollouts/1/cancel")
    shape = {"kind": "steady", "rate": 1, "duration": "1s"}
    test = await must(api, "POST", "/v1/loadtests", {"endpoint": "iris", "shape": shape}, 201)
    hook = await must(api, "POST", "/v1/webhooks", {"url": "https://hooks.invalid/"}, 201)
    await must(api, "PATCH", f"/v1/webhooks/{hook['id']}", {"enabled": False})
    await until_ready(api, "iris")
    return {
        "endpoint": ("/v1/endpoints/iris/why", "Serving", True, ["iris"]),
        "version": ("/v1/models/iris/versions/1/why", "Fallback", True, ["iris:1"]),
        "rollout": (
            "/v1/endpoints/iris/rollouts/1/why", "Cancelled", True, ["iris", "--rollout", "1"],
        ),
        "loadtest": (
            f"/v1/loadtests/{test['id']}/why", "Waiting", True, ["--loadtest", test["id"]],
        ),
        "webhook": (
            f"/v1/webhooks/{hook['id']}/why", "Disabled", True, ["--webhook", hook["id"]],
        ),
    }  # fmt: skip


async def test_each_is_told_in_one_shape_and_the_command_prints_exactly_that(
    quick_api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await prepared(quick_api)
    async with quick_api.on_a_socket() as port:
        monkeypatch.setenv("KUBESERVE_URL", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("KUBESERVE_CLIENT_ID", quick_api.client_id)
        monkeypatch.setenv("KUBESERVE_CLIENT_SECRET", quick_api.client_secret)

        def run(*arguments: str) -> Any:
            return CliRunner().invoke(cli, [*arguments], standalone_mode=False)

        for kind, (path, reason, ok, arguments) in found.items():
            told = await must(quick_api, "GET", path)
            assert set(told) - {"endpoint"} == SHAPE, kind
            assert (told["reason"], told["ok"]) == (reason, ok), told
            assert told["about"].startswith(f"{kind}:")
            shown = await asyncio.to_thread(run, "--json", "why", *arguments)
            assert json.loads(shown.output) == told
            assert shown.return_value == (0 if ok else 1)
            plain = (await asyncio.to_thread(run, "why", *arguments)).output.splitlines()
            lines = [f"{reason} {told['message']}", *(f"  {fact}" for fact in told["evidence"])]
            following = [f"Next: {told['next_step']}"] if told["next_step"] else []
            assert plain == [*lines, *following]
        both = await asyncio.to_thread(run, "why", "iris", "--loadtest", "x")
        assert "name one thing" in str(both.exception)


async def test_a_version_that_waits_or_failed_says_for_what_and_what_to_do(
    quick_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object) -> list[Any]:
        return []

    monkeypatch.setattr(models, "take_waiting", nothing)
    for content in (PICKLE, PICKLE + b"2"):
        await quick_api.http.post("/v1/models/iris/versions", content=content, headers=OCTETS)
    path = "/v1/models/iris/versions/{}/why"
    waits = await must(quick_api, "GET", path.format(2))
    assert (waits["reason"], waits["ok"]) == ("Waiting", True)
    assert waits["evidence"][0] == "1 other versions of this tenant wait before it"
    await quick_api.execute(
        "UPDATE versions SET state = 'failed', reason = 'It is no model.', advice = 'Push one.' "
        "WHERE number = 2"
    )
    await quick_api.execute("UPDATE versions SET state = 'building' WHERE number = 1")
    failed = await must(quick_api, "GET", path.format(2))
    assert (failed["reason"], failed["ok"]) == ("BuildFailed", False)
    assert (failed["message"], failed["next_step"]) == (
        "iris:2 cannot serve: It is no model.",
        "Push one.",
    )
    assert (await must(quick_api, "GET", path.format(1)))["reason"] == "Building"
    await must(quick_api, "PUT", "/v1/tenants/default/quota", {"builds": 1})
    await quick_api.execute("UPDATE versions SET state = 'uploaded' WHERE number = 2")
    assert (await must(quick_api, "GET", path.format(2)))["reason"] == "QuotaReached"
    await must(quick_api, "GET", path.format(9), status=404)
