"""Models of other scikit-learn versions, and bundles, on the real cluster.

The control plane runs on this machine and reaches a package index; pods reach the object store and
nothing else, as their policies say.
"""

import asyncio
import contextlib
import io
import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from minio import Minio

from controlplane.builder.environments import Environments, installed
from controlplane.client import ApiError, BuildFailed
from tests.bundles import TRANSFORMER, bundle_of, fitted, wheel_of
from tests.bundles import X as ROWS
from tests.cluster import minio
from tests.cluster.kube import Cluster
from tests.cluster.platform import outside
from tests.conformance.platform import Platform
from tests.integration.test_versions import fitted as fitted_by

OTHER = "1.3.2"


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give models that another version fitted, and what it answers."""
    folder = tmp_path_factory.mktemp("models")
    environments = Environments(tmp_path_factory.mktemp("elsewhere"))
    asyncio.run(fitted_by(environments, OTHER, folder, "forest", "density"))
    return folder


@pytest.fixture(scope="module")
def platform(cluster: Cluster, runtime_image: str, builder_image: str) -> Iterator[Platform]:
    instance = f"versions-{uuid.uuid4().hex[:6]}"
    with outside(cluster, runtime_image, builder_image, instance=instance) as running:
        yield running


def pushed(platform: Platform, content: bytes, name: str) -> Any:
    try:
        return platform.client.push(io.BytesIO(content), name)
    except BuildFailed as error:
        if "package index cannot be reached" in str(error):
            pytest.skip(str(error))
        raise


def recorded(folder: Path, name: str, method: str) -> tuple[Any, Any]:
    """Give the rows a model was asked, and what its own version answered."""
    document = json.loads((folder / f"{name}.json").read_text())
    rows = np.array(document["columns"], np.float64).T
    answer = document["answers"][method]
    values = [float.fromhex(one) for one in answer["values"]]
    return rows, np.array(values).reshape(answer["shape"])


def revisions_of(cluster: Cluster, audience: str) -> list[dict[str, Any]]:
    """Find the Knative Revisions of an endpoint, whatever its namespace is called."""
    found = cluster.get("--all-namespaces", "revisions.serving.knative.dev")["items"]
    return [one for one in found if audience in json.dumps(one["spec"])]


def test_a_model_of_another_version_becomes_a_plan(platform: Platform, elsewhere: Path) -> None:
    version = pushed(platform, (elsewhere / "forest.joblib").read_bytes(), "forest")
    assert version.backend == "plan", version
    assert version.sklearn_version == OTHER
    platform.client.deploy("forest", scaling=platform.short)
    rows, answers = recorded(elsewhere, "forest", "predict_proba")
    given = platform.client.predict("forest", rows, "predict_proba")
    np.testing.assert_array_equal(given, answers)


@pytest.fixture(scope="module")
def density(platform: Platform, elsewhere: Path) -> str:
    version = pushed(platform, (elsewhere / "density.joblib").read_bytes(), "density")
    assert version.backend == "fallback", version
    assert version.sklearn_version == OTHER
    platform.client.deploy("density", scaling=platform.short)
    return "density"


def test_a_model_without_a_plan_answers_as_its_own_version_from_zero_too(
    platform: Platform, density: str, elsewhere: Path
) -> None:
    rows, answers = recorded(elsewhere, density, "score_samples")
    given = platform.client.predict(density, rows, "score_samples")
    np.testing.assert_allclose(given, answers, rtol=1e-12)
    platform.until(lambda: platform.at_zero(density))
    began = time.monotonic()
    given = platform.client.predict(density, rows, "score_samples")
    print(f"from zero, in scikit-learn {OTHER}: {time.monotonic() - began:.1f} s")
    np.testing.assert_allclose(given, answers, rtol=1e-12)


def test_the_environment_is_named_when_it_is_missing(
    platform: Platform, density: str, cluster: Cluster, elsewhere: Path
) -> None:
    rows, answers = recorded(elsewhere, density, "score_samples")
    audience = platform.client.endpoint(density).audience
    (bucket,) = {
        json.loads(one["value"])["bucket"]
        for revision in revisions_of(cluster, audience)
        for one in revision["spec"]["containers"][0]["env"]
        if one["name"] == "KUBESERVE_FETCH"
    }
    store = Minio(minio.host_address(cluster), minio.KEY, minio.SECRET, secure=False)
    placed = [one.object_name for one in store.list_objects(bucket, "tenants/", recursive=True)]
    platform.until(lambda: platform.at_zero(density))
    kept = {}
    for name in placed:
        answer = store.get_object(bucket, name)
        kept[name] = answer.read()
        answer.close()
        store.remove_object(bucket, name)
    try:
        with platform.caller(density) as caller, contextlib.suppress(httpx.TimeoutException):
            caller.post("/predict", content=b"[[1,2,3,4]]", timeout=5)  # wakes it, and waits

        def named() -> bool:
            why = platform.client.why(density)
            return why.reason == "EnvironmentMissing" and OTHER in why.message

        platform.until(named, within_s=120)
    finally:
        for name, content in kept.items():
            store.put_object(bucket, name, io.BytesIO(content), len(content))
    (given,) = platform.until(lambda: asked(platform, density, rows), within_s=180)
    np.testing.assert_allclose(given, answers, rtol=1e-12)


def asked(platform: Platform, name: str, rows: Any) -> tuple[Any, ...]:
    try:
        return (platform.client.predict(name, rows, "score_samples"),)
    except ApiError as error:  # until it answers again
        print(error)
        return ()


@pytest.mark.parametrize("how", ["code", "wheel"])
def test_a_bundle_brings_what_it_needs(platform: Platform, how: str, tmp_path: Path) -> None:
    source = tmp_path / "src"
    source.mkdir()
    (source / "my_transformers.py").write_text(TRANSFORMER)
    model, expected = fitted(source, "my_transformers", "Winsorizer")
    if how == "code":
        content = bundle_of(model, code=source)
    else:
        files = {"my_transformers.py": TRANSFORMER}
        wheel = wheel_of(tmp_path, "my-transformers", files, ("toolz",))
        content = bundle_of(model, wheels=[wheel], requirements=["toolz"])
    version = pushed(platform, content, f"bundle-{how}")
    assert version.backend == "fallback", version
    assert version.sklearn_version == installed()
    assert any(one.startswith("toolz==") for one in version.packages) == (how == "wheel")
    platform.client.deploy(f"bundle-{how}", scaling=platform.short)
    given = platform.client.predict(f"bundle-{how}", ROWS, "predict_proba")
    np.testing.assert_array_equal(given, expected)


def test_without_environments_the_next_step_is_said(
    cluster: Cluster, runtime_image: str, builder_image: str, elsewhere: Path
) -> None:
    settings = {"instance": f"off-{uuid.uuid4().hex[:6]}", "environments": "off"}
    with outside(cluster, runtime_image, builder_image, **settings) as platform:
        with pytest.raises(BuildFailed) as caught:
            platform.client.push(io.BytesIO((elsewhere / "forest.joblib").read_bytes()), "forest")
        assert f"this installation has {installed()} and builds no other" in str(caught.value)
