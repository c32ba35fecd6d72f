"""Bundles through the API: pushed by its bytes, built, shown, and handed to the engine whole."""

import asyncio
from pathlib import Path

import pytest

from controlplane.builder.environments import Environments
from controlplane.builder.job import Builder
from controlplane.builder.needs import recipe_of
from controlplane.builder.report import Limits
from controlplane.models import service as models
from tests.bundles import TRANSFORMER, bundle_of, fitted, wheel_of
from tests.integration.api import running_api
from tests.integration.test_api_registry import OCTETS

VERSIONS = "/v1/models/churn/versions"


async def test_what_a_model_was_built_with_is_shown_kept_and_served(
    postgres_server: str, tmp_path: Path
) -> None:
    wheel = wheel_of(tmp_path, "ks-own", {"ks_own/__init__.py": TRANSFORMER})
    place = tmp_path / "src/ks_own"
    place.mkdir(parents=True)
    (place / "__init__.py").write_text(TRANSFORMER)
    model, _ = fitted(tmp_path / "src", "ks_own", "Winsorizer")
    content = bundle_of(model, wheels=[wheel])
    environments = Environments(tmp_path / "environments")
    builder = Builder(Limits(), warm=False, environments=environments)
    async with running_api(postgres_server, tmp_path, builder) as api:
        pushed = await api.http.post(VERSIONS, content=content, headers=OCTETS)
        assert pushed.status_code == 201, pushed.text
        async with asyncio.timeout(240):
            while (seen := (await api.http.get(f"{VERSIONS}/1")).json())["state"] != "ready":
                if seen["state"] == "failed" and "index cannot be reached" in seen["reason"]:
                    pytest.skip(seen["reason"])
                assert seen["state"] != "failed", seen
                await asyncio.sleep(0.05)
        assert seen["backend"] == "fallback"
        assert "ks_own.Winsorizer has no plan yet" in seen["fallback_because"]
        assert seen["packages"][-1] == wheel.name
        assert f"scikit-learn=={seen['sklearn_version']}" in seen["packages"]
        assert "sha256" not in "".join(seen["packages"])

        release = await api.http.post("/v1/endpoints/churn/releases", json={"model": "churn"})
        assert release.status_code == 201, release.text
        async with asyncio.timeout(30):
            while not api.engine.wanted:
                await asyncio.sleep(0.02)
        (wanted,) = api.engine.wanted.values()
        (revision,) = wanted.revisions
        assert revision.artifact_sha256 == seen["sha256"]
        recipe = recipe_of(revision.environment)
        assert [one.file for one in recipe.wheels] == [wheel.name]
        assert wanted.tenant
        assert environments.packages.place(recipe.key(wanted.tenant)).is_dir()

        # A build that failed later is tried again with what was chosen at first.
        await _failed(seen["sha256"])
        again = await api.http.post(VERSIONS, content=content, headers=OCTETS)
        assert again.status_code == 200
        async with asyncio.timeout(240):
            while (seen := (await api.http.get(f"{VERSIONS}/1")).json())["state"] != "ready":
                assert seen["state"] != "failed", seen
                await asyncio.sleep(0.05)
        assert len(list(environments.folder.glob("packages-*"))) == 1


async def _failed(sha256: str) -> None:
    """Have a version look as if its build had failed behind the choice of packages."""
    assert await models.digest_in_use(sha256)
    from controlplane.models.states import VersionState
    from controlplane.models.tables import Version

    assert await Version.filter(sha256=sha256).update(state=VersionState.FAILED) == 1
    (version,) = await Version.filter(sha256=sha256)
    assert version.report is not None
    assert version.report["environment"] is not None
